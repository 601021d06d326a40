"""`payment/*`: buying gold."""

from django.conf import settings
from django.utils import timezone

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.errors import (
    AccountAbnormal,
    OrderInvalid,
    PackageInvalid,
    PaymentUnavailable,
    RechargeCapped,
)
from heihei_site.api.throttles import Limit
from payment import order_params as params
from payment.order_models import Channel
from payment.order_serializers import (
    BegunOrder,
    OrderNumber,
    Packages,
    begun_order,
    package_card,
)
from payment.selectors import packages_of
from payment.services import orders, store_purchases

api = Endpoints("payment")

FAILED = 2  # status of order-notify


@api.get()
def list_package(caller: Caller, *, channel: params.ChannelName) -> Packages:
    """What can be bought through a channel: `alipay`, `wechat` or `iap`. `payMoney` and `originMoney` are fen."""
    return {"packages": [package_card(package) for package in packages_of(channel)]}


@api.post(
    raises=[AccountAbnormal, PackageInvalid, PaymentUnavailable, RechargeCapped],
    limits=[Limit(settings.ORDERS_BEGUN)],
)
def create_order(caller: Caller, *, package_id: params.PackageId, channel: params.ChannelName) -> BegunOrder:
    """Begin a purchase. `data` is what the phone pays with, by channel: Alipay's signed order string, the object for
    WeChat's SDK, the `appAccountToken` for StoreKit. The gold comes when the gateway says that it is paid, at once.

    726 for a package of another channel; 721 for minors (D19) and past the day's cap (D42); 400 where the gateway does
    not answer.
    """
    order, data = orders.create(buyer=caller.person, package_id=package_id, channel=channel, now=timezone.now())
    return begun_order(order, data)


@api.post(raises=[OrderInvalid], limits=[Limit(settings.ORDER_HINTS)])
def order_notify(
    caller: Caller, *, order: params.OrderNumber, status: params.Outcome, data: params.SdkAnswer = ""
) -> OrderNumber:
    """The app says that its SDK came back: `status` 1 paid, 2 failed. The gateway is asked at once; nothing else is
    believed (D36). For the App Store `data` has the signed transactions of the purchase, one or several, as a JSON list
    or separated by spaces or commas; each counts once, for one account.

    727 for an order of somebody else's, and where none of the transactions is genuine and the caller's.
    """
    found = orders.of_buyer(caller.person.pk, order)
    if found.channel == Channel.IAP and data.strip():
        store_purchases.present(found, data, address=caller.address)
    else:
        orders.ask_soon(found, failed=status == FAILED)
    return {"order": found.number}
