"""What an accepted notification does to its order and to its buyer's purse: once, however often it comes (I4)."""

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now

from heihei_site.providers.gateways.base import TradeState
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from payment import ledger
from payment.crash_points import passing
from payment.events import OrderSettled
from payment.models import Currency
from payment.order_models import Channel, Notification, Order
from payment.services import refunds

AT_ONCE = 200  # notifications that one sweep settles
FORGOTTEN = 5000  # at a time
State = Order.State
BACK_AND_FORTH = (TradeState.REFUNDED, TradeState.REVERSED)

log = structlog.get_logger(__name__)


def settle(notification_id: int) -> None:
    """Run twice at the same moment, one waits for the other's purse and then finds that it is done. Where another one
    about the same order was faster, it looks again."""
    try:
        _settle(notification_id)
    except refunds.Overtaken as faster:
        log.info("settled_meanwhile", notification=notification_id, reason=str(faster))
        _settle(notification_id)


def _settle(notification_id: int) -> None:
    kept = Notification.objects.select_related("order").get(pk=notification_id)
    if kept.settled_at is not None or kept.order is None or kept.verdict != Notification.Verdict.ACCEPTED:
        return
    if _store_said_otherwise_later(kept):
        log.info("store_news_out_of_date", order=kept.order.number, notification=kept.pk)
    else:
        _apply(kept.order, kept)
    Notification.objects.filter(pk=kept.pk).update(settled_at=Now())
    passing("order.settle.committed")


def _apply(order: Order, kept: Notification) -> None:
    match TradeState(kept.trade_state):
        case TradeState.PAID:
            credit(order, kept)
        case TradeState.REFUNDED:
            refunds.happened(order, kept)
        case TradeState.REVERSED:
            refunds.reversed_by_store(order)
            credit(Order.objects.get(pk=order.pk), kept)
        case TradeState.CLOSED:
            _end(order, State.CLOSED)
        case TradeState.FAILED:
            _end(order, State.FAILED)


def credit(order: Order, kept: Notification) -> None:
    """The order's gold is its buyer's, less what they owed. A second time, and for what was paid back meanwhile,
    nothing happens; for what was closed or failed it happens all the same (D36)."""
    if order.state not in Order.UNPAID:
        return
    if _store_took_it_back(order, kept):
        log.warning("payment_refunded_before", order=order.number)
        refunds.happened(order, kept)
        return
    with telling():
        posted = ledger.post(key=f"recharge:{order.number}", reason="recharge", legs=recharge(order))
        passing("order.settle.posted")
        unpaid = Order.objects.filter(pk=order.pk, state__in=Order.UNPAID)
        paid = unpaid.update(
            state=State.PAID,
            gateway_number=kept.gateway_number,
            paid_at=kept.paid_at or Now(),
            settled_at=Now(),
            next_query_at=None,
        )
        if paid != posted.fresh:
            raise RuntimeError(f"order {order.number} and its transfer disagree")
        if paid:
            _tell(order, posted)
    if posted.fresh:
        log.info("order_paid", order=order.number, channel=order.channel, fen=order.pay_money, gold=order.gold)


def recharge(order: Order) -> list[ledger.Leg]:
    purse, till = ledger.gold(order.buyer_id), ledger.house("recharges", Currency.GOLD)
    return [ledger.Leg(purse, order.gold), ledger.Leg(till, -order.gold)]


def _store_took_it_back(order: Order, kept: Notification) -> bool:
    """The store signs a purchase once and for all: what the phone shows may be from before a refund."""
    last = _back_and_forth(kept).last()
    return order.channel == Channel.IAP and last is not None and last.trade_state == TradeState.REFUNDED


def _store_said_otherwise_later(kept: Notification) -> bool:
    """A refund or its reversal that is repeated, or comes late, after the store has thought better of it."""
    if kept.channel != Channel.IAP or kept.trade_state not in BACK_AND_FORTH:
        return False
    last = _back_and_forth(kept).last()
    return last is not None and last.trade_state != kept.trade_state


def _back_and_forth(kept: Notification) -> QuerySet[Notification]:
    """What the store has said of this transaction's refund, in the order in which it said so, not that in which we
    heard it. Before we kept when it signed, the two were taken to be the same."""
    about = Notification.objects.filter(
        channel=Channel.IAP,
        gateway_number=kept.gateway_number,
        verdict__in=(Notification.Verdict.ACCEPTED, Notification.Verdict.IGNORED),
        trade_state__in=BACK_AND_FORTH,
    )
    return about.order_by(Coalesce("signed_at", "received_at"), "pk")


def _tell(order: Order, posted: ledger.Posted) -> None:
    purse = ledger.gold(order.buyer_id)
    told = OrderSettled(
        order=order.number, state=State.PAID, change=posted.changes[purse], gold=posted.balance_after(purse)
    )
    publish(told, to=person(order.buyer_id))


def _end(order: Order, state: str) -> None:
    """Closed, or failed: what is paid already stays so."""
    Order.objects.filter(pk=order.pk, state__in=(State.CREATED, State.FAILED)).update(state=state)
    Order.objects.filter(pk=order.pk, state__in=Order.UNPAID).update(next_query_at=None)


def waiting() -> list[int]:
    """Accepted notifications whose job has not come; oldest first."""
    left = Notification.objects.filter(settled_at=None, verdict=Notification.Verdict.ACCEPTED, order__isnull=False)
    return list(left.order_by("received_at").values_list("pk", flat=True)[:AT_ONCE])


def forget_forgeries() -> int:
    old = Notification.objects.filter(
        verdict=Notification.Verdict.FORGED, received_at__lt=Now() - settings.FORGERIES_KEPT
    )
    return old.filter(pk__in=old.values("pk")[:FORGOTTEN]).delete()[0]
