"""Posting a voice to a topic, answering one, wording it anew.

Lock order: the upload's row, then the post's (`hold_thread`), which whoever shows or hides something of the thread
holds alone. A phone that posts the same upload again gets what it posted.
"""

from collections.abc import Callable

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from heihei_site.api.errors import FileRefused, PostUnknown
from heihei_site.uploads import claims
from topics.models import Standing, Subject, Tally, Topic
from topics.services import counting, heat
from users.models import User

State = Subject.State
WARMTH = settings.HEAT_OF


def post(*, creator: User, topic: Topic, sign: str, title: str, length: int, samples: str) -> Subject:
    """A voice of its own in the topic."""

    def write(found: claims.Found) -> Subject:
        subject = Subject(topic=topic, creator=creator, title=title, length=length, samples=samples)
        _store(subject, sign, found)
        counting.add(Tally(topic_id=topic.pk, replies=1, warmth=WARMTH["post"]))
        return subject

    return _once(creator, sign, lambda known: known.is_post and known.topic_id == topic.pk, write)


def reply(*, creator: User, to: Subject, sign: str, title: str, length: int, samples: str) -> Subject:
    """In the thread of what is answered. PostUnknown where that is gone meanwhile."""

    def write(found: claims.Found) -> Subject:
        subject = Subject(
            topic_id=to.topic_id,
            creator=creator,
            main_id=to.post_id,
            replied=to,
            reply_user_id=to.creator_id,
            title=title,
            length=length,
            samples=samples,
        )
        _store(subject, sign, found)
        hold_thread(to)
        counting.add(*_replied(to, creator))
        return subject

    return _once(creator, sign, lambda known: known.replied_id == to.pk, write)


def _once(
    creator: User, sign: str, is_same: Callable[[Subject], bool], write: Callable[[claims.Found], Subject]
) -> Subject:
    """FileRefused where the upload is none, or is another post."""
    known = _made_of(creator, sign)
    if known is None:
        try:
            found = claims.find(owner_id=creator.pk, sign=sign, media=claims.Media.AUDIO)
            with transaction.atomic():
                return write(found)
        except (IntegrityError, FileRefused):  # perhaps the same request a moment earlier
            known = _made_of(creator, sign)
            if known is None:
                raise
    if known.state != State.SHOWN or not is_same(known):
        raise FileRefused
    return known


def _made_of(creator: User, sign: str) -> Subject | None:
    return Subject.objects.filter(creator=creator, sign=sign).first()


def _store(subject: Subject, sign: str, found: claims.Found) -> None:
    subject.sign, subject.path, subject.upload_id = sign, found.url, found.upload_id
    subject.save(force_insert=True)
    claims.claim(found, used_by=f"subject:{subject.pk}")
    Standing.objects.create(
        subject=subject,
        topic_id=subject.topic_id,
        listed=subject.is_post,
        heat=heat.fresh(WARMTH["post"], timezone.now()),
    )


def _replied(to: Subject, creator: User) -> list[Tally]:
    """The thread has one more reply, and so has what is answered, if that is a reply itself."""
    main = to.main or to
    others = creator.pk != main.creator_id
    told = {subject.pk: creator.pk for subject in (main, to) if subject.creator_id != creator.pk}
    if to.creator_id == main.creator_id and to.pk != main.pk:
        del told[main.pk]  # one notice is enough
    tallies = [
        Tally(
            subject_id=main.pk,
            topic_id=to.topic_id,
            user_id=told.get(main.pk, 0),
            replies=1,
            warmth=WARMTH["reply"] if others else 0,
        )
    ]
    if to.pk != main.pk:
        tallies.append(Tally(subject_id=to.pk, user_id=told.get(to.pk, 0), replies=1))
    return tallies


_HOLD = "SELECT count(*) FROM (SELECT FROM topics_subject WHERE id = %s AND state = 1 FOR SHARE) AS held"
_IS_SHOWN = "SELECT count(*) FROM topics_subject WHERE id = %s AND state = 1"


def hold_thread(subject: Subject) -> None:
    """Until the transaction ends nothing of the thread is hidden or deleted; others may hold it, too. PostUnknown where
    it, or the subject, is gone already."""
    with connection.cursor() as cursor:
        for statement, wanted in ((_HOLD, subject.post_id), (_IS_SHOWN, subject.pk)):
            cursor.execute(statement, [wanted])
            if cursor.fetchone() != (1,):
                raise PostUnknown


def reword(*, subject: Subject, title: str) -> None:
    """PostUnknown where it is gone meanwhile."""
    if not Subject.objects.filter(pk=subject.pk, state=State.SHOWN).update(title=title):
        raise PostUnknown
    subject.title = title
