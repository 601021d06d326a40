"""Points for gold (D37): charged once, however often the phone asks.

Lock order: the repeat's row, then the purses.
"""

from typing import TYPE_CHECKING

from django.db import transaction

from heihei_site.api import repeats
from heihei_site.api.errors import AccountAbnormal, PackageInvalid
from payment import ledger
from payment.crash_points import passing
from payment.exchange_models import Exchange, P2gPackage
from payment.models import Currency

if TYPE_CHECKING:
    from users.models import User


def exchange(*, person: "User", package: P2gPackage) -> Exchange:
    """An identical request a moment later (D26) is the same one: its answer is the first's, whatever the package costs
    by then. Raises PackageInvalid for a retired one, NotEnoughPoints."""
    if not person.is_here:
        raise AccountAbnormal
    with transaction.atomic():
        request = repeats.recognise(person.pk, "p2g", package.pk)
        if not request.fresh:
            return Exchange.objects.get(pk=request.key)
        if not package.active:
            raise PackageInvalid
        return _exchange(person.pk, package, request.key)


def _exchange(person_id: int, package: P2gPackage, number: str) -> Exchange:
    points, gold = ledger.points(person_id), ledger.gold(person_id)
    legs = [
        ledger.Leg(points, -package.point),
        ledger.Leg(ledger.house("exchanges", Currency.POINT), package.point),
        ledger.Leg(ledger.house("exchanges", Currency.GOLD), -package.gold),
        ledger.Leg(gold, package.gold),
    ]
    posted = ledger.post(key=f"exchange:{number}", reason="exchange", legs=legs)
    passing("exchange.posted")
    transaction.on_commit(lambda: passing("exchange.committed"))
    return Exchange.objects.create(
        number=number,
        owner_id=person_id,
        package=package,
        point=package.point,
        gold=package.gold,
        point_after=posted.balance_after(points),
    )
