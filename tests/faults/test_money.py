"""A process dies in the middle of money: at every labelled point, once, as by `kill -9` (I3, I4). The phone or the
gateway tries again, as they do, and then nothing is lost, nothing is doubled, and `reconcile` is content."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from payment.crash_points import LABELS
from tests.processes import ROOT, wait_until
from tests.venue import Venue

EARNS = """
from datetime import timedelta
from django.utils import timezone
from tests.payment.cash import give_points
from payment.services import alipay
from users.models import User
user = User.objects.get(pk={user})
User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=30))
give_points(user, {points})
alipay._keep(user.pk, alipay.Details("13800001111", "王小明", "11010519491231002X", "13800002222"))
"""
APPROVE = """
from payment.services import decisions
from payment.withdrawal_models import Withdrawal
from users.models import User
decisions.approve(operator=User.objects.get(pk={by}), withdrawal_id=Withdrawal.objects.get(number={number!r}).pk)
"""
PATIENCE = 60  # seconds: a process starts again, a sweep comes by
GIFT, PRICE = 104, 5
REFUND = """
from payment.order_models import Order
from payment.services import refunds
from users.models import User
refunds.begin(Order.objects.get(number={number!r}), by=User.objects.get(pk={by}), reason="test")
"""


@dataclass
class Person:
    venue: Venue
    id: int
    token: str

    def call(self, path: str, **params: object) -> dict[str, Any]:
        """As a phone: until there is an answer, however often that takes."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.call_once(path, **params)
            except httpx.TransportError:
                assert time.monotonic() < deadline, "nobody answers"
                time.sleep(0.3)

    def call_once(self, path: str, **params: object) -> dict[str, Any]:
        address = f"{self.venue.base_url}/api/{path}"
        answer = httpx.post(address, data={"token": self.token, **params}, timeout=10, trust_env=False)
        answer.raise_for_status()
        return dict(answer.json())

    @property
    def purse(self) -> tuple[int, int, int]:
        """Gold, points, and gold owed."""
        held = "SELECT coalesce(sum(balance), 0) FROM payment_account WHERE owner_id = %s AND currency = %s"
        gold, point, debt = (self.venue.sql(held, self.id, currency) for currency in ("gold", "point", "debt"))
        return int(gold), int(point), int(debt)

    def begin(self, place: int = 0) -> str:
        answer = self.call("payment/create-order", packageId=201 + place, channel="wechat")
        assert answer["errorcode"] == 0, answer
        return str(answer["order"])


class Trap:
    """A labelled point at which the next process that passes dies."""

    def __init__(self, venue: Venue, label: str) -> None:
        self.file = Path(venue.instance.var) / "crash" / label
        self.file.parent.mkdir(exist_ok=True)
        self.file.touch()

    def snapped(self) -> bool:
        return not self.file.exists()


def manage(venue: Venue, *command: str) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, which may fail or die."""
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=venue.instance.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def pay(venue: Venue, order: str) -> bool:
    """The gateway tells it once; whether it was told that it is well."""
    return manage(venue, "pay", "--order", order).stdout.startswith("200")


def state(venue: Venue, order: str) -> str:
    return str(venue.sql("SELECT state FROM payment_order WHERE number = %s", order))


@pytest.fixture
def people(venue: Venue) -> list[Person]:
    return [Person(venue, *one) for one in venue.people(2)]


@pytest.mark.parametrize("label", [label for label in LABELS if label.startswith("gift.")])
def test_a_gift_is_charged_once(venue: Venue, people: list[Person], label: str) -> None:
    anchor, fan = people
    venue.manage("grant", "--user", fan.id, "--gold", 100)
    live = anchor.call("live/create-live", title="夜")["live"]["liveId"]
    anchor.call("live/start-live", liveId=live)
    venue.keep_open(live)
    fan.call("live/join-live", liveId=live)
    trap = Trap(venue, label)
    for _ in range(2):
        answer = fan.call("live/buy-gift", liveId=live, giftId=GIFT, amount=1, gift_uuid="u" * 32)
        assert (answer["errorcode"], answer["gold"]) == (0, 100 - PRICE)
    assert trap.snapped()
    assert (fan.purse, anchor.purse) == ((100 - PRICE, 0, 0), (0, PRICE, 0))
    assert "sound" in venue.reconcile()


def test_an_order_that_was_begun_and_not_answered_is_begun_again(venue: Venue, people: list[Person]) -> None:
    buyer, _ = people
    trap = Trap(venue, "order.create.committed")
    order = buyer.begin()
    assert trap.snapped()
    wait_until(lambda: pay(venue, order), PATIENCE, "the gateway is answered")
    wait_until(lambda: buyer.purse == (60, 0, 0), PATIENCE, "the gold")
    assert "sound" in venue.reconcile()


@pytest.mark.parametrize(
    "label", ["order.notified", "order.notification.committed", "order.settle.posted", "order.settle.committed"]
)
def test_a_recharge_arrives_once(venue: Venue, people: list[Person], label: str) -> None:
    """Once the notification is kept, even where the gateway never says it again."""
    buyer, _ = people
    order = buyer.begin(1)
    trap = Trap(venue, label)
    told = pay(venue, order)
    assert told == label.startswith("order.settle")
    if label == "order.notified":
        wait_until(lambda: pay(venue, order), PATIENCE, "the gateway is answered")
    wait_until(lambda: buyer.purse == (380, 0, 0), PATIENCE, "the gold")
    wait_until(lambda: trap.snapped() and venue.instance.healthy(), PATIENCE, "/health is 200")
    assert state(venue, order) == "paid"
    assert pay(venue, order)
    unsettled = "SELECT count(*) FROM payment_notification WHERE settled_at IS NULL AND verdict = 'accepted'"
    wait_until(lambda: venue.sql(unsettled) == 0, PATIENCE, "everything is settled")
    assert buyer.purse == (380, 0, 0)
    assert "sound" in venue.reconcile()


@pytest.mark.parametrize("label", ["order.refund.committed", "order.refund.called"])
def test_a_refund_takes_gold_and_gives_money_once(venue: Venue, people: list[Person], label: str) -> None:
    buyer, operator = people
    order = buyer.begin(1)
    assert pay(venue, order)
    wait_until(lambda: buyer.purse == (380, 0, 0), PATIENCE, "the gold")
    trap = Trap(venue, label)
    manage(venue, "shell", "-v", "0", "-c", REFUND.format(number=order, by=operator.id))
    wait_until(trap.snapped, PATIENCE, "somebody died")
    assert buyer.purse == (0, 0, 0)
    venue.sql(
        "UPDATE payment_refund SET next_try_at = now() WHERE state = 'requested'"
    )  # the lease of the dead is over
    wait_until(lambda: state(venue, order) == "refunded", PATIENCE, "the money is back")
    assert buyer.purse == (0, 0, 0)
    assert venue.sql("SELECT count(*) FROM payment_refund r JOIN payment_order o ON o.id = r.order_id "
                     "WHERE o.number = %s", order) == 1  # fmt: skip
    assert "sound" in venue.reconcile()


@pytest.mark.parametrize(
    ("asking", "paying"), [("withdrawal.frozen", "payout.asked"), ("withdrawal.committed", "payout.posted")]
)
def test_a_withdrawal_is_paid_once(venue: Venue, people: list[Person], asking: str, paying: str) -> None:
    """The web process dies while somebody asks, a worker while it pays."""
    person, operator = people
    venue.run(EARNS.format(user=person.id, points=5000))
    trap, said = Trap(venue, asking), {"alipaycode": "13800001111", "payamount": 1_000}
    with suppress(httpx.TransportError):
        person.call_once("payment/pay-req", **said)
    assert trap.snapped()
    if asking == "withdrawal.frozen":  # nothing has happened; the phone asks again
        assert person.call("payment/pay-req", **said)["errorcode"] == 0
    assert person.purse == (0, 3_000, 0)
    number = venue.sql("SELECT number FROM payment_withdrawal WHERE owner_id = %s", person.id)
    trap = Trap(venue, paying)
    venue.run(APPROVE.format(number=number, by=operator.id))
    wait_until(trap.snapped, PATIENCE, "the worker died")

    def settled() -> bool:
        hurry = "UPDATE payment_withdrawal SET due_at = least(due_at, now()) WHERE state = 2 AND number = %s"
        venue.sql(hurry, number)  # the pause is over
        return bool(venue.sql("SELECT state FROM payment_withdrawal WHERE number = %s", number) == 3)

    wait_until(settled, PATIENCE, "the money has arrived")
    lines = (Path(venue.instance.var) / "outbox" / "payouts.jsonl").read_text().splitlines()
    assert [line["fen"] for line in map(json.loads, lines) if line["number"] == number] == [1_000]
    assert person.purse == (0, 3_000, 0)
    assert venue.sql("SELECT count(*) FROM payment_withdrawal WHERE owner_id = %s", person.id) == 1
    assert "sound" in venue.reconcile()


def test_an_exchange_happens_once(venue: Venue, people: list[Person]) -> None:
    person, _ = people
    venue.manage("grant", "--user", person.id, "--point", 1000)
    package = person.call("payment/list-p2g-package")["packages"][0]
    trap = Trap(venue, "exchange.posted")
    answer = person.call("payment/p2g", packageId=package["id"])
    assert (answer["errorcode"], answer["point"]) == (0, 1000 - package["point"])
    assert trap.snapped()
    assert person.purse == (package["gold"], 1000 - package["point"], 0)
    assert "sound" in venue.reconcile()
