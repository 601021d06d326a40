"""People who earned points, where their money goes, and a gateway that says what a test wants."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone

from heihei_site.providers.payouts.base import Payee, Result, Said
from payment import ledger
from payment.idcards import CHECKS, WEIGHTS
from payment.models import Currency
from payment.services import alipay
from payment.withdrawal_models import Withdrawal
from tests import factories
from users.models import User

_numbers = itertools.count(1)
ACCOUNT = "13800001111"
IDCARD = "11010519491231002X"


def give_points(user: User, points: int) -> None:
    house = ledger.house("grants", Currency.POINT)
    legs = [ledger.Leg(ledger.points(user.pk), points), ledger.Leg(house, -points)]
    ledger.post(key=f"test-points:{next(_numbers)}", reason="grant", legs=legs)


def earner(*, points: int = 10_000, account: str = ACCOUNT, **fields: Any) -> User:
    """Of age, here since last month, with points and a verified account; `account=""` for none."""
    user = factories.person(**{"date_joined": timezone.now() - timedelta(days=30), **fields})
    if points:
        give_points(user, points)
    if account:
        details = alipay.Details(account=account, name="王小明", idcard=IDCARD, phone="13800002222")
        alipay._keep(user.pk, details)
    return user


def idcard(birthday: str) -> str:
    """A card with a right check digit: `idcard("20150505")`."""
    digits = f"110105{birthday}002"
    return digits + CHECKS[sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=True)) % 11]


def operator(name: str = "op") -> User:
    """Without a password, which takes its time to be hashed."""
    return User.objects.create(username=name, is_staff=True, is_superuser=True)


def state(number: str) -> Withdrawal.State:
    return Withdrawal.State(Withdrawal.objects.get(number=number).state)


class Gateway:
    """Pays what it is asked to, unless `answers` has something else to say first. An exception among them is a worker
    that dies there. `paid` is what arrived, by number; `on_their_way` are transfers that nobody answered."""

    development_only: ClassVar[bool] = True
    answers: ClassVar[list[Any]] = []
    asked: ClassVar[list[tuple[str, str]]] = []
    paid: ClassVar[dict[str, tuple[int, Payee]]] = {}
    orders: ClassVar[dict[str, Result]] = {}
    on_their_way: ClassVar[set[str]] = set()

    @classmethod
    def start(cls, *answers: Any) -> None:
        cls.answers, cls.asked, cls.paid, cls.orders, cls.on_their_way = list(answers), [], {}, {}, set()

    def transfer(self, *, number: str, fen: int, payee: Payee) -> Result:
        self.asked.append(("transfer", number))
        answer = self.answers.pop(0) if self.answers else Said.PAID
        if answer in (Said.PAID, "paid, unsaid", "paid, dies") and number not in self.orders:
            assert number not in self.paid
            self.paid[number] = (fen, payee)
            self.orders[number] = Result(Said.PAID, number=f"ali-{number}")
        if answer is Said.UNKNOWN:
            self.on_their_way.add(number)
        return self.said(answer, number)

    def query(self, number: str) -> Result:
        self.asked.append(("query", number))
        return self.said(self.answers.pop(0) if self.answers else Said.PAID, number)

    def said(self, answer: Any, number: str) -> Result:
        if answer == "paid, dies":
            raise SystemExit
        if answer == "paid, unsaid":
            return Result(Said.UNKNOWN, reason="ReadTimeout")
        has_paid = number in self.orders and isinstance(answer, Result)  # then it does not say no
        if answer is Said.PAID or has_paid:
            return self.orders.get(number, Result(Said.NEVER_HEARD))
        return answer if isinstance(answer, Result) else Result(answer, reason="ReadTimeout")


GATEWAY = f"{__name__}.Gateway"


@contextmanager
def gateway(settings: Any, *answers: Any) -> Iterator[type[Gateway]]:
    """In the place of the twin; it says these first."""
    settings.PROVIDERS = {**settings.PROVIDERS, "payouts": GATEWAY}
    Gateway.start(*answers)
    yield Gateway


def wait_over(number: str) -> None:
    """The pause before the gateway is asked again is over."""
    Withdrawal.objects.filter(number=number).update(due_at=timezone.now() - timedelta(seconds=1))


def doubt_over(number: str) -> None:
    Withdrawal.objects.filter(number=number).update(
        unsure_until=timezone.now() - timedelta(seconds=1), due_at=timezone.now() - timedelta(seconds=1)
    )
