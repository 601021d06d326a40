from argparse import ArgumentTypeError
from typing import Any, cast

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from heihei_site import embedded
from heihei_site.providers import registry
from heihei_site.providers.gateways.base import Notice
from heihei_site.providers.gateways.development import DevelopmentStore, PlaysGateway
from payment.order_models import Channel, Order

CALLBACKS = {Channel.ALIPAY: "alipaycallback", Channel.WECHAT: "wepaycallback", Channel.IAP: "applecallback"}
TIMEOUT = 30.0  # seconds


def channel(text: str) -> Channel:
    try:
        return Channel(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is none of {', '.join(Channel.values)}") from None


class Command(BaseCommand):
    help = (
        "Play the payment gateway: send the signed notification about an order to the callback of the running instance "
        "and print its answer. Development only; a tampered one is signed all the same, but for --tamper sign."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--order", required=True, metavar="ID")
        parser.add_argument("--channel", type=channel, help="default: the order's")
        parser.add_argument("--status", choices=["success", "closed"], default="success")
        parser.add_argument("--tamper", choices=["amount", "sign", "appid"], default="")

    def handle(self, *, order: str, channel: Channel | None, status: Any, tamper: Any, **options: Any) -> None:
        bought = Order.objects.filter(number=order).first()
        if bought is None:
            raise CommandError(f"There is no order {order}.")
        through = channel or Channel(bought.channel)
        notice = self.notification(bought, through, status, tamper)
        try:
            answer = httpx.post(
                f"{self.instance()}/api/payment/{CALLBACKS[through]}",
                content=notice.body,
                headers=dict(notice.headers),
                timeout=TIMEOUT,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise CommandError(f"The instance does not answer: {type(error).__name__}.") from error
        self.stdout.write(f"{answer.status_code} {answer.text}".rstrip())

    def notification(self, order: Order, through: Channel, status: Any, tamper: Any) -> Notice:
        if through == Channel.IAP:
            store = registry.app_store()
            if not isinstance(store, DevelopmentStore):
                raise CommandError("The app store is the real one.")
            return store.plays(order.product_id, str(order.account_token), status=status, tamper=tamper)
        gateway = registry.gateway(through)
        if not gateway.development_only:
            raise CommandError(f"The {through.label} gateway is the real one.")
        return cast(PlaysGateway, gateway).notification(order.number, order.pay_money, status=status, tamper=tamper)

    def instance(self) -> str:
        """Where the instance of this HEIHEI_VAR listens, whatever PORT says here."""
        running = embedded.addresses(settings.VAR_DIR)
        return f"http://127.0.0.1:{(running and running.port) or settings.PORT}"
