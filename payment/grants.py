"""Gold and points from the house, or back to it."""

from payment import ledger
from payment.models import Currency


def legs(user_id: int, *, gold: int, point: int, till: str) -> list[ledger.Leg]:
    """What a person gets of either, or gives back where it is below zero, from or to the house account `till`."""
    moved: list[ledger.Leg] = []
    for purse, amount in ((ledger.gold(user_id), gold), (ledger.points(user_id), point)):
        if amount:
            house = ledger.house(till, Currency(purse.currency))
            moved += [ledger.Leg(purse, amount), ledger.Leg(house, -amount)]
    return moved
