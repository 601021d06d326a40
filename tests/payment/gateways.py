"""The gateways' side of the table: what they would send, and sending it."""

from typing import Any

from django.http import HttpResponse
from django.test import Client

from heihei_site.providers import registry
from heihei_site.providers.gateways.base import Notice
from heihei_site.providers.gateways.development import DevelopmentAlipay, DevelopmentStore, DevelopmentWechatPay
from payment.order_models import Order
from payment.packages import FIRST_IDS

PATHS = {"alipay": "alipaycallback", "wechat": "wepaycallback", "iap": "applecallback"}


def alipay() -> DevelopmentAlipay:
    gateway = registry.gateway("alipay")
    assert isinstance(gateway, DevelopmentAlipay)
    return gateway


def wechat() -> DevelopmentWechatPay:
    gateway = registry.gateway("wechat")
    assert isinstance(gateway, DevelopmentWechatPay)
    return gateway


def store() -> DevelopmentStore:
    gateway = registry.app_store()
    assert isinstance(gateway, DevelopmentStore)
    return gateway


def send(channel: str, notice: Notice) -> HttpResponse:
    """Over HTTP, to the callback of this channel."""
    headers = {name: value for name, value in notice.headers.items() if name != "content-type"}
    kind = notice.headers.get("content-type", "")
    return Client(raise_request_exception=False).post(
        f"/api/payment/{PATHS[channel]}", notice.body, content_type=kind, headers=headers
    )


def notification(order: Order, channel: str | None = None, **how: Any) -> Notice:
    gateway = registry.gateway(channel or order.channel)
    return gateway.notification(order.number, order.pay_money, **how)  # type: ignore[attr-defined]


def pay(order: Order, channel: str | None = None, **how: Any) -> HttpResponse:
    return send(channel or order.channel, notification(order, channel, **how))


def begin(phone: Any, channel: str = "alipay", place: int = 0) -> Order:
    """An order for the channel's package in this place of the list: 60, 380 or 980 gold."""
    answer = phone.post("payment/create-order", packageId=FIRST_IDS[channel] + place, channel=channel)
    assert answer["errorcode"] == 0, answer
    return Order.objects.get(number=answer["order"])


def said(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, answer.content.decode()
