"""Giving money back: the gold is taken back first, or owed (D35), then the gateway is asked, then it is settled.

A refund has a number of its own, under which the gateway pays back once however often it is asked. One that happened at
the gateway without us, by the store's decision or in its console, is written down when we hear of it.
"""

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from heihei_site.providers import registry
from heihei_site.providers.gateways.base import GatewayFault, RefundRefused
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from payment import ledger
from payment.crash_points import passing
from payment.events import OrderSettled
from payment.models import Currency
from payment.order_models import Channel, Notification, Order, Refund, new_number

if TYPE_CHECKING:
    from users.models import User

LEASE = timedelta(minutes=2)  # before one that was not heard of is asked for again
AT_ONCE = 50
State = Refund.State

log = structlog.get_logger(__name__)


class Overtaken(Exception):
    """Somebody else has settled it meanwhile: what was done is undone, and the next look finds it so."""


class NotRefundable(Exception):
    """It is not paid, being refunded already, or the store's to refund."""


def begin(order: Order, *, by: "User", reason: str) -> Refund:
    """Take the gold back and leave the rest to a job. Raises NotRefundable."""
    if order.channel == Channel.IAP:
        raise NotRefundable
    number = new_number()
    try:
        with telling():
            posted = ledger.post(key=f"refund:{number}", reason="refund", legs=taken_back(order), may_owe=True)
            held = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
            if held.state != Order.State.PAID:
                raise NotRefundable
            refund = Refund.objects.create(
                order=order, number=number, gold=order.gold, reason=reason, by=by, next_try_at=Now()
            )
            _tell(order, posted, Order.State.REFUNDED)
    except IntegrityError as error:  # there is one in force
        raise NotRefundable from error
    log.warning("refund_begun", order=order.number, refund=number, by=by.pk)
    passing("order.refund.committed")
    return refund


def happened(order: Order, kept: Notification) -> None:
    """The money is back at the buyer's: of a refund of ours its settlement, else one of the gateway's own.

    What had never been credited is not taken back.
    """
    ours = Refund.objects.filter(order=order, state__in=Refund.IN_FORCE).first()
    if ours is not None:
        if not _succeed(ours):
            raise Overtaken(f"refund {ours.number} was given up")
        return
    number = f"{order.number}N{kept.pk}"  # the same for whoever settles this notification again
    with telling():
        paid = Order.objects.filter(pk=order.pk, state=Order.State.PAID).exists()
        posted = None
        if paid:
            posted = ledger.post(key=f"refund:{number}", reason="refund", legs=taken_back(order), may_owe=True)
        held = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        if (held.state == Order.State.PAID) != paid:
            raise Overtaken(f"order {order.number} is {held.state}")
        if held.state == Order.State.REFUNDED:
            return
        Order.objects.filter(pk=order.pk).update(
            state=Order.State.REFUNDED, next_query_at=None, gateway_number=kept.gateway_number or held.gateway_number
        )
        Refund.objects.create(
            order=order,
            number=number,
            state=State.SUCCEEDED,
            gold=order.gold if paid else 0,
            reason=f"由渠道退款：{Channel(order.channel).label}",
            settled_at=Now(),
        )
        if posted is not None:
            _tell(order, posted, Order.State.REFUNDED)
    log.warning("refunded_by_gateway", order=order.number, owed=ledger.debt(order.buyer_id))


def reversed_by_store(order: Order) -> None:
    """Apple has taken its refund back: the gold is the buyer's again."""
    refund = Refund.objects.filter(order=order, state=State.SUCCEEDED).first()
    if refund is not None:
        _undo(refund, State.SUCCEEDED, State.REVERSED)


def take_due() -> list[int]:
    """Refunds to ask the gateway for, each for one worker: it comes again where nobody says what became of it."""
    with transaction.atomic():
        due = Refund.objects.filter(next_try_at__lte=Now(), state=State.REQUESTED).order_by("next_try_at")
        taken = list(due.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:AT_ONCE])
        Refund.objects.filter(pk__in=taken).update(next_try_at=Now() + LEASE)
    return taken


def ask(refund_id: int) -> None:
    """Asks under the refund's own number, so a second time changes nothing."""
    refund = Refund.objects.select_related("order").get(pk=refund_id)
    order = refund.order
    if refund.state != State.REQUESTED:
        return
    try:
        done = registry.gateway(order.channel).refund(
            order=order.number, refund=refund.number, fen=order.pay_money, of=order.pay_money
        )
    except RefundRefused as refused:
        log.error("refund_refused", order=order.number, refund=refund.number, reason=str(refused))
        with suppress(Overtaken):  # the money is back all the same
            _undo(refund, State.REQUESTED, State.FAILED, refused=str(refused)[:100])
        return
    except GatewayFault as fault:
        log.warning("refund_waits", order=order.number, refund=refund.number, reason=str(fault))
        return
    passing("order.refund.called")
    if done:
        _succeed(refund)


def _succeed(refund: Refund) -> bool:
    """Whether it has, now or before; False where it was given up."""
    with transaction.atomic():
        Order.objects.select_for_update(no_key=True).get(pk=refund.order_id)
        waiting = Refund.objects.filter(pk=refund.pk, state=State.REQUESTED)
        if waiting.update(state=State.SUCCEEDED, settled_at=Now(), next_try_at=None):
            Order.objects.filter(pk=refund.order_id).update(state=Order.State.REFUNDED)
            return True
    return Refund.objects.filter(pk=refund.pk, state=State.SUCCEEDED).exists()


def _undo(refund: Refund, before: str, after: str, **facts: str) -> None:
    """The gold that was taken back is the buyer's again, and the order is as it was. Overtaken where the refund is no
    longer in the state `before`."""
    order = refund.order
    with telling():
        posted = None
        if refund.gold:
            legs = [ledger.Leg(account, -amount) for account, amount in taken_back(order)]
            posted = ledger.post(key=f"refund-undone:{refund.number}", reason="refund", legs=legs)
        Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        found = Refund.objects.filter(pk=refund.pk, state=before)
        if not found.update(state=after, settled_at=Now(), next_try_at=None, **facts):
            raise Overtaken(f"refund {refund.number} is no longer {before}")
        credited = Order.State.PAID if refund.gold else Order.State.CLOSED
        Order.objects.filter(pk=order.pk).update(state=credited)
        if posted is not None:
            _tell(order, posted, Order.State.PAID)


def taken_back(order: Order) -> list[ledger.Leg]:
    purse, till = ledger.gold(order.buyer_id), ledger.house("refunds", Currency.GOLD)
    return [ledger.Leg(purse, -order.gold), ledger.Leg(till, order.gold)]


def _tell(order: Order, posted: ledger.Posted, state: str) -> None:
    purse = ledger.gold(order.buyer_id)
    told = OrderSettled(order=order.number, state=state, change=posted.changes[purse], gold=posted.balance_after(purse))
    publish(told, to=person(order.buyer_id))
