"""What this app keeps about a person."""

from django.conf import settings
from django.db import connection

from topics.models import Like, Listen, News, Subject
from topics.services import showing
from users.erasure import Holding, Sections

# Each like is taken back as its giver would have, with the warmth that is left of it; nobody is told.
_UNLIKE = """
WITH gone AS (DELETE FROM topics_like WHERE user_id = %(user)s RETURNING subject_id, created_at)
INSERT INTO topics_tally (subject_id, topic_id, user_id, views, replies, likes, gifts, gift_id, warmth, warm_at)
SELECT subject_id, topic_id, 0, 0, 0, -1, 0, 0, CASE creator_id WHEN %(user)s THEN 0 ELSE -%(warmth)s END,
    gone.created_at
FROM gone JOIN topics_subject ON topics_subject.id = subject_id
"""


def erase(user_id: int) -> None:
    """Takes away what they said and whom they heard and liked. How often something was heard stays; what was given is
    in the ledger. The files are their uploads."""
    for subject in Subject.objects.filter(creator=user_id).exclude(state=Subject.State.DELETED).iterator():
        showing.delete(subject=subject)
    Subject.objects.filter(creator=user_id).update(title="", path="", samples="")
    Listen.objects.filter(user=user_id).delete()
    News.objects.filter(actor_id=user_id).update(many=0, people=None)
    with connection.cursor() as cursor:
        cursor.execute(_UNLIKE, {"user": user_id, "warmth": settings.HEAT_OF["like"]})


def own_data(user_id: int) -> Sections:
    subjects = Subject.objects.filter(creator=user_id).exclude(state=Subject.State.DELETED).order_by("pk")
    return {
        "subjects": subjects.values(
            "id", "topic_id", "main_id", "replied_id", "title", "path", "length", "state", "created_at"
        ).iterator(),
        "likes": Like.objects.filter(user=user_id).order_by("created_at").values("subject_id", "created_at").iterator(),
        "heard": Listen.objects.filter(user=user_id)
        .order_by("created_at")
        .values("subject_id", "created_at", "counted_at")
        .iterator(),
    }


holding = Holding("topics", erase=erase, export=own_data)
