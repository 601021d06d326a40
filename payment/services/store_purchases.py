"""Transactions of the App Store that a phone shows us. Apple has signed them; who shows them first owns them."""

import json
import re

from heihei_site.api.errors import OrderInvalid
from heihei_site.providers import registry
from heihei_site.providers.gateways.base import Forged, Notice
from payment.order_models import Channel, Notification, Order
from payment.services.notifications import Heard, forged, heard_of_purchase

MOST = 12  # transactions shown at once


def present(order: Order, shown: str, *, address: str) -> None:
    """Each is verified on its own; OrderInvalid where none is genuine and this buyer's."""
    believed = [_believed(order, signed, address) for signed in signed_in(shown)]
    if not any(believed):
        raise OrderInvalid


def signed_in(shown: str) -> list[str]:
    """Of one, of a JSON list, of several with anything between that is in none of them."""
    try:
        said = json.loads(shown)
    except ValueError:
        said = re.split(r"[\s,;]+", shown)
    parts = said if isinstance(said, list) else [said]
    return [part for part in parts if isinstance(part, str) and part][:MOST]


def _believed(order: Order, signed: str, address: str) -> bool:
    notice = Notice({}, signed.encode("utf-8", "replace"))
    heard = Heard(Channel.IAP, Notification.Source.PHONE, notice, address or None)
    try:
        purchase = registry.app_store().read_purchase(signed)
    except Forged as error:
        forged(heard, str(error))
        return False
    return heard_of_purchase(heard, purchase, deed=purchase.state, order=order, signed_at=purchase.signed_at)
