from collections.abc import Collection
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import QuerySet

from heihei_site.postgres.compiled import Compiled
from heihei_site.postgres.kept import Kept
from payment import ledger
from payment.exchange_models import P2gPackage
from payment.models import Gift, GiftResource
from payment.order_models import Package
from payment.purse_serializers import Assets, P2gPackageRow
from payment.serializers import GiftFile, GiftFiles, GiftInfo
from payment.worth import point_worth

if TYPE_CHECKING:
    from users.models import User


@Compiled
def _on_sale() -> QuerySet[Gift]:
    return Gift.objects.filter(active=True)


def packages_of(channel: str) -> QuerySet[Package]:
    """What is sold through it, in the operators' order."""
    return Package.objects.filter(channel=channel, active=True)


def gift_list(base_url: str) -> list[GiftInfo]:
    """The gifts on sale, in the operators' order; pictures as absolute addresses."""
    return [
        {
            "id": gift.pk,
            "name": gift.name,
            "gold": gift.gold,
            "exp": gift.exp,
            "cl": [gift.red, gift.green, gift.blue],
            "image": address_of(gift.image, base_url),
            "icon": address_of(gift.icon, base_url),
            "type": gift.type,
        }
        for gift in _on_sale()
    ]


@Kept
def all_resources() -> list[GiftResource]:
    return list(GiftResource.objects.select_related("gift"))


def gift_resources(gift_ids: Collection[int] | None, base_url: str) -> GiftFiles:
    """Animation files of these gifts, of all when None; ids that are no gift's are passed over."""
    files: GiftFiles = {"resources": [], "history_gift_res": []}
    for row in all_resources():
        if gift_ids is not None and row.gift_id not in gift_ids:
            continue
        on_sale = row.current and row.gift.active
        files["resources" if on_sale else "history_gift_res"].append(as_file(row, base_url))
    return files


def as_file(row: GiftResource, base_url: str) -> GiftFile:
    return {
        "id": row.gift_id,
        "attr_file": address_of(row.attr_file, base_url),
        "file_md5": row.file_md5,
    }


def address_of(picture: str, base_url: str) -> str:
    if picture.startswith(("http://", "https://")):
        return picture
    path = f"{settings.STATIC_URL}{picture}"
    return path if path.startswith(("http://", "https://")) else f"{base_url.rstrip('/')}{path}"


def assets(person: "User") -> Assets:
    """For `payment/statistic` and `user/user-gold` alike (contract_notes.md (e) 55)."""
    held = ledger.balances(person.pk)
    return {
        "gold": held.gold,
        "point": held.point,
        "point_worth": point_worth(held.point),
        "all_outlay_gold": person.gold_given,
        "all_earn_point": person.points_earned,
    }


def p2g_packages() -> list[P2gPackageRow]:
    rows = P2gPackage.objects.filter(active=True)
    return [{"id": row.pk, "desc": row.desc, "point": row.point, "gold": row.gold} for row in rows]
