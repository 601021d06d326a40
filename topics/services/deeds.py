"""What people do with a subject: hear it, like it, give something for it. None of it holds the subject's row."""

from typing import Any

from django.conf import settings
from django.db import connection, transaction

from heihei_site.api.errors import AccountAbnormal, GiftUnknown, InvalidParameter, PostUnknown
from payment.models import Gift
from payment.services.gifts import Combo
from topics import selectors
from topics.models import Subject, Tally
from topics.services import counting
from topics.services.posts import hold_thread
from users.models import User
from users.services.giving import Giving

WARMTH = settings.HEAT_OF

_LISTEN = """
INSERT INTO topics_listen AS known (subject_id, user_id) VALUES (%(subject)s, %(user)s)
ON CONFLICT (subject_id, user_id) DO UPDATE SET counted_at = statement_timestamp()
    WHERE known.counted_at <= statement_timestamp() - %(again)s
RETURNING xmax = 0
"""
_LIKE = """
INSERT INTO topics_like (subject_id, user_id) VALUES (%(subject)s, %(user)s) ON CONFLICT DO NOTHING RETURNING created_at
"""
_UNLIKE = "DELETE FROM topics_like WHERE subject_id = %(subject)s AND user_id = %(user)s RETURNING created_at"


@transaction.atomic
def listen(*, user: User, subject: Subject) -> None:
    """Counts once in LISTEN_COUNTS_AGAIN for each person; warms what others made, the first time."""
    heard = _one(_LISTEN, subject, user, again=settings.LISTEN_COUNTS_AGAIN)
    if heard is None:
        return
    first_of_others = heard and subject.creator_id != user.pk
    counting.add(
        Tally(
            subject_id=subject.pk,
            topic_id=subject.topic_id,
            views=1,
            warmth=WARMTH["listen"] if first_of_others else 0,
        )
    )


@transaction.atomic
def like(*, user: User, subject: Subject) -> None:
    """The second time nothing happens."""
    given_at = _one(_LIKE, subject, user)
    if given_at is not None:
        counting.add(_liked(user, subject, 1))


@transaction.atomic
def unlike(*, user: User, subject: Subject) -> None:
    """Takes the like back, and the warmth that is left of it. The second time nothing happens."""
    given_at = _one(_UNLIKE, subject, user)
    if given_at is not None:
        taken = _liked(user, subject, -1)
        taken.warm_at = given_at
        counting.add(taken)


def _liked(user: User, subject: Subject, change: int) -> Tally:
    by_another = subject.creator_id != user.pk
    return Tally(
        subject_id=subject.pk,
        topic_id=subject.topic_id,
        user_id=user.pk if by_another else 0,
        likes=change,
        warmth=WARMTH["like"] * change if by_another else 0,
    )


def _one(statement: str, subject: Subject, user: User, **given: Any) -> Any:
    """The value of the row it returns; None for no row."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"subject": subject.pk, "user": user.pk, **given})
        row = cursor.fetchone()
        return row[0] if row else None


def give(*, sender: User, subject: Subject, gift: Gift, combo: Combo) -> int:
    """One gift to who made the subject; returns the gold the sender has left. Charged once, however often it is sent
    (D26), and not at all for what is gone meanwhile; what was charged is answered as it was also then.

    Lock order: the repeat's row, purses, people, the post's row.
    """
    giving = Giving(sender, "subject", subject.pk, gift, combo)
    return giving.once(lambda: _give(giving))


@transaction.atomic
def _give(giving: Giving) -> int:
    sender, gift = giving.sender, giving.gift
    if not gift.active:
        raise GiftUnknown
    if sender.is_protected_minor:
        raise AccountAbnormal
    subject = selectors.find(giving.place_id, sender)
    if subject is None:
        raise PostUnknown
    if sender.pk == subject.creator_id:
        raise InvalidParameter
    given, _ = giving.pay(subject.creator_id)
    if given.fresh:
        hold_thread(subject)
        counting.add(
            Tally(
                subject_id=subject.pk,
                topic_id=subject.topic_id,
                user_id=sender.pk,
                gifts=1,
                gift_id=gift.pk,
                warmth=WARMTH["gold"] * given.gold_spent,
            )
        )
    return given.gold_left
