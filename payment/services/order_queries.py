"""Asking gateways about orders that nobody told us about, and closing those whose time is over (D36)."""

import json
from dataclasses import asdict

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from heihei_site.providers import registry
from heihei_site.providers.gateways.base import GatewayFault, Notice, Trade, TradeState
from payment.order_models import Channel, Notification, Order
from payment.services.notifications import Heard, heard_of_trade

AT_ONCE = 100

log = structlog.get_logger(__name__)


def take_due() -> list[int]:
    """Orders to ask about, each for one worker; the next time in as long again as they are old."""
    with transaction.atomic():
        due = Order.objects.filter(next_query_at__lte=Now(), state__in=Order.UNPAID).order_by("next_query_at")
        taken = list(due.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:AT_ONCE])
        age = Greatest(Now() - F("created_at"), Value(settings.ORDER_FIRST_QUERY))
        Order.objects.filter(pk__in=taken).update(next_query_at=Now() + age)
    return taken


def query(order_id: int) -> None:
    """Ask, and settle what is heard. Nothing is believed but the gateway's signed answer. Run twice, nothing more."""
    order = Order.objects.get(pk=order_id)
    if order.state not in Order.UNPAID:
        return
    try:
        if order.channel == Channel.IAP:  # its purchases are told by the phone and by Apple's server
            _close_if_over(order)
            return
        trade = registry.gateway(order.channel).query(order.number)
        if trade.state is TradeState.WAITING:
            _close_if_over(order)
        elif not heard_of_trade(_heard(order, trade), trade):
            Order.objects.filter(pk=order.pk).update(next_query_at=None)  # an alert has been logged
    except GatewayFault as fault:
        log.warning("order_not_queried", order=order.number, channel=order.channel, reason=str(fault))


def _heard(order: Order, trade: Trade) -> Heard:
    said = json.dumps(asdict(trade), default=str, ensure_ascii=False)
    return Heard(Channel(order.channel), Notification.Source.QUERY, Notice({}, said.encode()))


def _close_if_over(order: Order) -> None:
    """At the gateway first: whoever pays in that very moment has paid, and the gateway will not close it."""
    if timezone.now() < order.expires_at + settings.ORDER_GRACE:
        return
    if order.channel != Channel.IAP:
        registry.gateway(order.channel).close(order.number)
    Order.objects.filter(pk=order.pk, state__in=Order.UNPAID).update(state=Order.State.CLOSED, next_query_at=None)
