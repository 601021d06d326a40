"""What the wire shows of packages and orders, in snake case."""

from typing import Any, TypedDict

from payment.order_models import Order, Package


class PackageCard(TypedDict):
    """`pay_money` and `origin_money` are fen."""

    id: int
    channel: str
    product_id: str
    desc: str
    gold: int
    pay_money: int
    origin_money: int


class Packages(TypedDict):
    packages: list[PackageCard]


class BegunOrder(TypedDict):
    """`data` by channel: Alipay's signed order string; the object for WeChat's SDK; for the App Store what the app
    gives StoreKit as `appAccountToken`."""

    order: str
    data: Any
    product_id: str


class OrderNumber(TypedDict):
    order: str


def package_card(package: Package) -> PackageCard:
    return {
        "id": package.pk,
        "channel": package.channel,
        "product_id": package.product_id,
        "desc": package.desc,
        "gold": package.gold,
        "pay_money": package.pay_money,
        "origin_money": package.origin_money,
    }


def begun_order(order: Order, data: Any) -> BegunOrder:
    return {"order": order.number, "data": data, "product_id": order.product_id}
