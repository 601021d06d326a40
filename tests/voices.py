"""Voices in topics: uploads as phones make them, and rows as they are afterwards."""

import io
import itertools
from typing import Any

from heihei_site.uploads import grants
from heihei_site.uploads.models import Upload
from heihei_site.uploads.storages import uploads
from tests import factories
from tests.uploads import samples
from topics.models import Like, Standing, Subject, Tally, Topic
from topics.services import counting, heat, topics
from users.models import User

SAMPLES = "1,2,3,4,5,66,45,0"
_numbers = itertools.count(1)


def upload(user: User, content: bytes | None = None, *, format: str = "amr") -> str:
    """The sign of a voice that is there."""
    made, _ = grants.grant(user_id=user.pk, module=Upload.Module.RECORD, format=format)
    uploads().put(made.key, io.BytesIO(samples.amr(5) if content is None else content), "audio/amr")
    return made.sign


def topic(name: str | None = None, **fields: Any) -> Topic:
    made = Topic(name=name or f"话题{next(_numbers)}", **fields)
    topics.save(made)
    topics.shown.forget()
    return made


def subject(
    where: Topic | None = None, creator: User | None = None, *, to: Subject | None = None, **fields: Any
) -> Subject:
    """A post in the topic, or an answer `to` another."""
    place = to.topic if to else where or topic()
    thread = {"main_id": to.post_id, "replied": to, "reply_user_id": to.creator_id} if to else {}
    made = Subject.objects.create(
        **{
            "topic": place,
            "creator": creator or factories.person(),
            "title": "" if to else f"标题{next(_numbers)}",
            "path": "http://cdn/data/record/a.mp3",
            "length": 5,
            "samples": SAMPLES,
            "sign": f"sign-{next(_numbers)}",
            **thread,
            **fields,
        }
    )
    made.refresh_from_db()
    listed = made.is_post and made.state == Subject.State.SHOWN
    warm = heat.fresh(5, made.created_at)
    Standing.objects.create(subject=made, topic_id=place.pk, listed=listed, heat=warm)
    tallies = [Tally(topic_id=place.pk, replies=1)]
    if to:
        tallies = [Tally(subject_id=made.main_id, topic_id=place.pk, replies=1)]
        tallies += [Tally(subject_id=to.pk, replies=1)] if not to.is_post else []
    counting.add(*tallies)
    return made


def counts(of: Subject) -> tuple[int, int, int, int]:
    """views, replies, likes, gifts."""
    now = counting.of_subjects([of.pk])[of.pk]
    return now.views, now.replies, now.likes, now.gifts


def topic_counts(of: Topic) -> tuple[int, int, int]:
    now = counting.of_topics([of.pk])[of.pk]
    return now.views, now.replies, now.likes


def like(who: User, what: Subject) -> None:
    Like.objects.create(subject=what, user=who)
    counting.add(Tally(subject_id=what.pk, topic_id=what.topic_id, user_id=who.pk, likes=1, warmth=3))
