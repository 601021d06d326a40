"""Beginning a purchase, and what phones say about one. Nothing here credits anybody (D36)."""

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site import jobs
from heihei_site.api.addresses import public_url
from heihei_site.api.errors import (
    AccountAbnormal,
    OrderInvalid,
    PackageInvalid,
    PaymentUnavailable,
    RechargeCapped,
)
from heihei_site.console.tunables import tunables
from heihei_site.providers import registry
from heihei_site.providers.gateways.base import Due, GatewayFault
from payment.crash_points import passing
from payment.order_models import Channel, Order, Package, new_number

if TYPE_CHECKING:
    from users.models import User

CALLBACKS = {Channel.ALIPAY: "alipaycallback", Channel.WECHAT: "wepaycallback"}

log = structlog.get_logger(__name__)


def create(*, buyer: "User", package_id: int, channel: str, now: datetime) -> tuple[Order, Any]:
    """The order, and what the phone pays with. A phone that asks again gets another; what nobody pays is closed.

    AccountAbnormal for minors (D19), PackageInvalid for what this channel does not sell, RechargeCapped past the day's
    cap, PaymentUnavailable where the gateway does not answer.
    """
    if buyer.is_protected_minor:
        raise AccountAbnormal
    package = Package.objects.filter(pk=package_id, channel=channel, active=True).first()
    if package is None:
        raise PackageInvalid
    order = _begin(buyer, package, now)
    passing("order.create.committed")
    return order, _for_phone(order)


@transaction.atomic
def _begin(buyer: "User", package: Package, now: datetime) -> Order:
    """Under the lock of the person: what they have begun is counted, so two phones are not each below the cap."""
    get_user_model()._default_manager.select_for_update(no_key=True).only("pk").get(pk=buyer.pk)
    if spent_today(buyer.pk, now) + package.pay_money > cap_of(buyer, now):
        raise RechargeCapped
    return Order.objects.create(
        number=new_number(),
        buyer=buyer,
        package=package,
        channel=package.channel,
        product_id=package.product_id,
        gold=package.gold,
        pay_money=package.pay_money,
        expires_at=now + settings.ORDER_LIFETIME,
        next_query_at=now + (settings.ORDER_LIFETIME if package.channel == Channel.IAP else settings.ORDER_FIRST_QUERY),
    )


def spent_today(buyer_id: int, now: datetime) -> int:
    """Fen of the person's day in Shanghai, what is begun and may still be paid included."""
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(now), time.min))
    paid = Q(settled_at__gte=midnight, state=Order.State.PAID)
    begun = Q(state__in=(Order.State.CREATED, Order.State.FAILED), expires_at__gt=now)  # what failed may be tried again
    return Order.objects.filter(paid | begun, buyer=buyer_id).aggregate(sum=Sum("pay_money"))["sum"] or 0


def cap_of(buyer: "User", now: datetime) -> int:
    """Fen a day, by age and by the age of the account."""
    caps = [tunables.RECHARGE_CAP]
    if buyer.is_minor:
        caps.append(tunables.RECHARGE_CAP_MINOR)
    if now - buyer.date_joined < tunables.RECHARGE_NEW_FOR:
        caps.append(tunables.RECHARGE_CAP_NEW)
    return min(caps)


def _for_phone(order: Order) -> Any:
    """WeChat is asked for it once an order; Alipay's is signed here; the App Store has no part in it."""
    if order.channel == Channel.IAP:
        return str(order.account_token)
    if order.begun:
        return order.begun["data"]
    channel = Channel(order.channel)
    due = Due(
        order=order.number,
        fen=order.pay_money,
        title=f"黑黑钻石 {order.gold}",
        expires_at=order.expires_at,
        notify_url=f"{public_url()}/api/payment/{CALLBACKS[channel]}",
    )
    try:
        data = registry.gateway(channel).begin(due)
    except GatewayFault as error:
        log.warning("order_not_begun", order=order.number, channel=channel.value, reason=str(error))
        Order.objects.filter(pk=order.pk).update(expires_at=Now())  # nobody can pay it: the day's cap is as before
        raise PaymentUnavailable from error
    Order.objects.filter(pk=order.pk).update(begun={"data": data})
    return data


def of_buyer(buyer_id: int, number: str) -> Order:
    order = Order.objects.filter(number=number, buyer=buyer_id).first()
    if order is None:
        raise OrderInvalid
    return order


def ask_soon(order: Order, *, failed: bool) -> None:
    """A phone says that something has become of it: the gateway is asked at once, and only it is believed.

    That it failed is believed as far as the list of orders goes; who pays later still gets their gold.
    """
    from payment.tasks import query_order  # tasks import the services

    if order.state not in Order.UNPAID:
        return
    if failed:
        Order.objects.filter(pk=order.pk, state=Order.State.CREATED).update(state=Order.State.FAILED)
    try:
        jobs.hand_over(query_order, order.pk)
    except jobs.NoWorker:
        Order.objects.filter(pk=order.pk, state__in=Order.UNPAID).update(next_query_at=Now())  # the next sweep's
