"""Gold, points and orders: `payment/*`."""

from django.utils import timezone

from payment.exchange_catalogue import seed_p2g_packages
from payment.exchange_models import P2gPackage
from payment.models import Gift
from payment.packages import seed_packages
from payment.services import exchange, gifts, orders, withdrawals
from tests import factories
from tests.payment import cash
from tests.scenarios.registry import Params, scenario
from users.models import User


def earner() -> User:
    """Who has earned points, has exchanged some before, and may withdraw."""
    user = cash.earner(points=10_000)
    seed_p2g_packages()
    package = P2gPackage.objects.get(pk=2)
    exchange.exchange(person=user, package=package)
    withdrawals.request(person=user, alipaycode=cash.ACCOUNT, fen=1_001)
    return user


for path, params in {
    "payment/statistic": {},
    "payment/list-p2g-package": {},
    "payment/p2g": {"packageId": 1},
    "payment/get-alipay-info": {},
    "payment/verify-alipay": {
        "alipaycode": "13900001111",
        "username": "王小明",
        "idcard": cash.IDCARD,
        "phone": "13900001111",
    },
    "payment/cash-info": {},
    "payment/pay-req": {"alipaycode": cash.ACCOUNT, "payamount": 1_000},
}.items():

    @scenario(path)
    def of_an_earner(params: Params = params) -> tuple[User | None, Params]:
        return earner(), params


@scenario("payment/statement")
def statement() -> tuple[User | None, Params]:
    """Of who gave a gift and withdrew."""
    return moved(1)


def moved(count: int) -> tuple[User, Params]:
    user, star = cash.earner(points=60_000, gold=10_000), factories.person()
    for number in range(count):
        gifts.give(
            sender_id=user.pk,
            receiver_id=star.pk,
            place="live:1",
            gift=Gift.objects.get(pk=101 + number),
            combo=gifts.Combo("u", 1),
            repeat_key="",
        )
        withdrawals.request(person=user, alipaycode=cash.ACCOUNT, fen=1_000 + number)
    return user, {}


def on_offer(count: int) -> tuple[User, Params]:
    P2gPackage.objects.all().delete()
    for number in range(count):
        P2gPackage.objects.create(desc="x", point=number + 1, gold=1)
    return factories.person(), {}


@scenario("payment/list-package")
def list_package() -> tuple[User | None, Params]:
    seed_packages()
    return factories.person(), {"channel": "wechat"}


@scenario("payment/create-order")
def create_order() -> tuple[User | None, Params]:
    seed_packages()
    return factories.person(), {"packageId": 201, "channel": "wechat"}


@scenario("payment/order-notify")
def order_notify() -> tuple[User | None, Params]:
    seed_packages()
    buyer = factories.person()
    order, _ = orders.create(buyer=buyer, package_id=101, channel="alipay", now=timezone.now())
    return buyer, {"order": order.number, "status": 1, "data": "9000"}
