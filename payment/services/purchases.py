"""Paying gold for something: to the house alone, or for a person who earns points by it."""

from dataclasses import dataclass

from django.conf import settings

from payment import ledger
from payment.models import Currency, Entry


@dataclass(frozen=True)
class Paid:
    """`gold_left` and `points` are those of the first time when `fresh` is False."""

    gold_left: int
    points: int
    fresh: bool


def pay_for(*, user_id: int, receiver_id: int | None, gold: int, reason: str, key: str) -> Paid:
    """Charge gold once per key; a receiver earns POINTS_PER_GOLD for each (D26).

    `reason` is what was bought, in the singular; the gold goes to the house account of its plural.
    Raises NotEnoughGold.
    """
    till = f"{reason}s"
    spent = ledger.gold(user_id)
    legs = [ledger.Leg(spent, -gold), ledger.Leg(ledger.house(till, Currency.GOLD), gold)]
    points = gold * settings.POINTS_PER_GOLD if receiver_id is not None else 0
    if receiver_id is not None and points:
        legs += [
            ledger.Leg(ledger.points(receiver_id), points),
            ledger.Leg(ledger.house(till, Currency.POINT), -points),
        ]
    posted = ledger.post(key=key, reason=reason, legs=legs)
    return Paid(gold_left=posted.balance_after(spent), points=points, fresh=posted.fresh)


def left_after(key: str, *, user_id: int) -> int | None:
    """The gold that was left when this key was paid for; None for one that never was. For who sends again what can no
    longer be bought: it was, and is answered as it was."""
    paid = Entry.objects.filter(transfer__key=key, account__owner=user_id, currency=Currency.GOLD)
    return paid.values_list("balance_after", flat=True).first()
