from dataclasses import dataclass
from hashlib import sha256

from django.conf import settings
from django.db import transaction

from payment.crash_points import passing
from payment.models import Gift
from payment.services.purchases import left_after, pay_for


@dataclass(frozen=True)
class Combo:
    """The phone's count of equal gifts in a row and its id for the row; `uuid` is "" from phones that send none."""

    uuid: str
    count: int


@dataclass(frozen=True)
class GiftGiven:
    """What a gift did to its sender and receiver; as the first time, and nothing moved, when `fresh` is False."""

    gold_left: int
    gold_spent: int
    points: int
    experience: int
    fresh: bool


def give(*, sender_id: int, receiver_id: int, place: str, gift: Gift, combo: Combo, repeat_key: str) -> GiftGiven:
    """Charge one gift once, however often the phone sends it (D26); the receiver earns points. With
    GIFT_AMOUNT_IS_QUANTITY one gift for each of the count.

    `place` is a room such as "live:123". A combo with a uuid is its own key; one without is told from its next by
    `repeat_key`, the same for all repeats of one request. Raises NotEnoughGold.
    """
    bought = combo.count if settings.GIFT_AMOUNT_IS_QUANTITY else 1
    price = gift.gold * bought
    paid = pay_for(
        user_id=sender_id,
        receiver_id=receiver_id,
        gold=price,
        reason="gift",
        key=key_of(sender_id, place, gift, combo, repeat_key),
    )
    passing("gift.posted")
    transaction.on_commit(lambda: passing("gift.committed"))
    return GiftGiven(
        gold_left=paid.gold_left,
        gold_spent=price,
        points=paid.points,
        experience=price * settings.EXPERIENCE_PER_GOLD,
        fresh=paid.fresh,
    )


def left_after_giving(*, sender_id: int, place: str, gift: Gift, combo: Combo, repeat_key: str) -> int | None:
    """What the sender had left after this very gift; None where it was never charged."""
    return left_after(key_of(sender_id, place, gift, combo, repeat_key), user_id=sender_id)


def key_of(sender_id: int, place: str, gift: Gift, combo: Combo, repeat_key: str) -> str:
    return f"gift:{sender_id}:{place}:{gift.pk}:{combo.count}:{repeat_of(combo, repeat_key)}"


def repeat_of(combo: Combo, repeat_key: str) -> str:
    """Digested, for it is the phone's own text: of any length, with any character."""
    kind, text = ("combo", combo.uuid) if combo.uuid else ("once", repeat_key)
    return f"{kind}-{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"
