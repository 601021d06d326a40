"""What gateways say, or somebody in their name: kept as it came with a verdict, then settled by a job (I4).

A notification is accepted where its signature, app and seller are right (the provider looks at those) and it is what
the order of its number asks for. Everything else is kept too, changes nothing, and is logged for operators' alerts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from heihei_site import jobs
from heihei_site.api.throttles import allowed
from heihei_site.providers.gateways.apple import Purchase
from heihei_site.providers.gateways.base import CURRENCY, Notice, Trade, TradeState
from payment.crash_points import passing
from payment.order_models import Channel, Notification, Order, Package

KEPT_HEADERS = ("content-type", "user-agent", "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial")
SETTLING = (TradeState.PAID, TradeState.FAILED, TradeState.CLOSED, TradeState.REFUNDED, TradeState.REVERSED)
ENDED = (TradeState.FAILED, TradeState.CLOSED)  # WeChat names no amount for what nobody paid
Verdict, Source = Notification.Verdict, Notification.Source

log = structlog.get_logger(__name__)


class Mismatch(Exception):
    """It is genuine, and not what the order asks for."""


@dataclass(frozen=True)
class Heard:
    """Where something came from, as it came."""

    channel: Channel
    source: Notification.Source
    notice: Notice
    address: str | None = None


def forged(heard: Heard, reason: str) -> None:
    """Kept to be looked at, but no flood of it."""
    log.warning("payment_notification_forged", channel=heard.channel.value, reason=reason, ip=heard.address)
    if _wanted(heard):
        _keep(heard, verdict=Verdict.FORGED, reason=reason)


def _wanted(heard: Heard) -> bool:
    return allowed(settings.FORGERIES_AN_ADDRESS, "forgery", heard.address or "")


def heard_of_trade(heard: Heard, trade: Trade) -> bool:
    """Keep what a gateway says of a payment, and have it settled. False where it is not what the order asks for."""
    passing("order.notified")
    order = Order.objects.filter(number=trade.order).first()
    facts = {
        "order": order,
        "trade_state": trade.state.value,
        "gateway_number": trade.gateway_number[:64],
        "refunded_fen": trade.refunded_fen,
        "paid_at": trade.paid_at,
    }
    try:
        _match(order, heard.channel, trade)
    except Mismatch as mismatch:
        _mismatched(heard, str(mismatch), trade.order, facts)
        return False
    if trade.refunded_fen and trade.state is not TradeState.REFUNDED:
        log.warning("payment_partly_refunded", order=trade.order, fen=trade.refunded_fen)
    accepted = trade.state in SETTLING
    settle_soon(_keep(heard, verdict=Verdict.ACCEPTED if accepted else Verdict.IGNORED, **facts))
    return True


def _match(order: Order | None, channel: Channel, trade: Trade) -> None:
    if order is None:
        raise Mismatch("no such order")
    if order.channel != channel:
        raise Mismatch("an order of another channel")
    if trade.fen != order.pay_money and (trade.fen or trade.state not in ENDED):
        raise Mismatch("another amount")
    if trade.currency != CURRENCY:
        raise Mismatch("another currency")


def heard_of_purchase(
    heard: Heard, purchase: Purchase, *, deed: TradeState, order: Order | None, signed_at: datetime | None
) -> bool:
    """The same for a transaction of the App Store; `order` is the one that the phone says it is for, `signed_at` when
    Apple said it first.

    A transaction belongs to the account that its token or its first presentation names, for ever.
    """
    passing("order.notified")
    facts = {
        "trade_state": deed.value,
        "gateway_number": purchase.number[:64],
        "paid_at": purchase.paid_at,
        "signed_at": signed_at,
    }
    try:
        bound = _bind_once(purchase, order)
    except Mismatch as mismatch:
        _mismatched(heard, str(mismatch), order.number if order else "", facts | {"order": order})
        return False
    if bound and heard.source == Source.PHONE and deed is TradeState.PAID and bound.state not in Order.UNPAID:
        return True  # settled; StoreKit shows a transaction at every start until the app has finished it
    kept = _keep(heard, verdict=Verdict.ACCEPTED if bound else Verdict.IGNORED, order=bound, **facts)
    if bound is None:
        _look_again(kept)
    settle_soon(kept)
    return True


def _look_again(kept: Notification) -> None:
    """A phone may have shown the transaction while we wrote down that nobody has: either finds the other's row."""
    shown = Order.objects.filter(channel=Channel.IAP, gateway_number=kept.gateway_number).first()
    if shown is not None:
        kept.order, kept.verdict = shown, Verdict.ACCEPTED
        kept.save(update_fields=["order", "verdict"])


def _bind_once(purchase: Purchase, order: Order | None) -> Order | None:
    """Of two accounts that show the same transaction at the same moment the second finds it bound."""
    try:
        with transaction.atomic():
            return _bind(purchase, order)
    except IntegrityError:
        with transaction.atomic():
            return _bind(purchase, order)


def _bind(purchase: Purchase, order: Order | None) -> Order | None:
    """The order of this transaction: bound before, named by its token, the phone's own, or a new one for a purchase
    that came beside it. None where nobody knows yet whose it is."""
    named = _named(purchase.account_token)
    # Held for all who show the same transaction at the same moment, so that one binds it and the others find it bound.
    buyer = named or order
    shown = [one.pk for one in (named, order) if one is not None]
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=shown).order_by("pk"))
    known = Order.objects.filter(channel=Channel.IAP, gateway_number=purchase.number).first()
    whose = {one.buyer_id for one in (known, named, order) if one is not None}
    if len(whose) > 1:
        raise Mismatch("another account's purchase")
    if known is not None:
        return known
    free = next((one for one in (named, order) if one and _is_free(one, purchase)), None)
    if free is not None:
        return _bound(free, purchase)
    package = Package.objects.filter(channel=Channel.IAP, product_id=purchase.product_id).first()
    if package is None:
        raise Mismatch("an unknown product")
    return _beside(buyer, package, purchase) if buyer else None


def _named(token: str) -> Order | None:
    if not token:
        return None
    try:
        found = Order.objects.filter(account_token=UUID(token), channel=Channel.IAP).first()
    except ValueError:
        found = None
    if found is None:
        raise Mismatch("a token of nobody")
    return found


def _is_free(order: Order, purchase: Purchase) -> bool:
    order.refresh_from_db()
    return (
        order.channel == Channel.IAP
        and order.product_id == purchase.product_id
        and not order.gateway_number
        and order.state in Order.UNPAID
    )


def _bound(order: Order, purchase: Purchase) -> Order:
    order.gateway_number = purchase.number
    order.gold *= purchase.quantity
    order.pay_money *= purchase.quantity
    order.save(update_fields=["gateway_number", "gold", "pay_money"])
    return order


def _beside(other: Order, package: Package, purchase: Purchase) -> Order:
    """One purchase in the store may be several transactions."""
    return Order.objects.create(
        buyer_id=other.buyer_id,
        package=package,
        channel=Channel.IAP,
        product_id=package.product_id,
        gold=package.gold * purchase.quantity,
        pay_money=package.pay_money * purchase.quantity,
        gateway_number=purchase.number,
        expires_at=other.expires_at,
    )


def _mismatched(heard: Heard, reason: str, number: str, facts: Mapping[str, object]) -> None:
    log.error("payment_mismatched", channel=heard.channel.value, reason=reason, order=number, source=heard.source.value)
    if heard.source != Source.PHONE or _wanted(heard):
        _keep(heard, verdict=Verdict.MISMATCHED, reason=reason, **facts)


def _keep(heard: Heard, **facts: object) -> Notification:
    kept = Notification.objects.create(
        channel=heard.channel,
        source=heard.source,
        address=heard.address,
        headers={name: heard.notice.headers[name][:300] for name in KEPT_HEADERS if name in heard.notice.headers},
        body=heard.notice.body[: settings.NOTIFICATION_BYTES].decode("utf-8", "replace").replace("\x00", "�"),
        **facts,
    )
    passing("order.notification.committed")
    return kept


def settle_soon(kept: Notification) -> None:
    """By a worker, at once; where none can be told, by the next sweep."""
    from payment.tasks import settle_notification  # tasks import the services

    if kept.verdict != Verdict.ACCEPTED:
        return
    try:
        jobs.hand_over(settle_notification, kept.pk)
    except jobs.NoWorker as error:
        log.warning("settlement_waits", notification=kept.pk, reason=str(error))
