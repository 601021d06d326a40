"""`make soak`: ten minutes of money with real processes, while one after the other dies at a labelled point.

HEIHEI_SOAK_SECONDS says how long, HEIHEI_SOAK_SEED which way; the seed is printed. In the end everybody has what the
answers they got say, and `reconcile` is content.
"""

import json
import os
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest

from heihei_site.providers import registry
from payment.crash_points import LABELS
from tests.faults.test_money import EARNS, GIFT, PATIENCE, PRICE, Person, Trap
from tests.payment.gateways import wechat
from tests.processes import wait_until
from tests.venue import Venue

TILLS = 4
GOLD, FEN = (60, 380, 980), (600, 3800, 9800)
OPERATORS = (".refund.", ".approval.", ".return.", "credit.")
WITHOUT_OPERATORS = [label for label in LABELS if not any(word in label for word in OPERATORS)]
APPROVE_ALL = """
from contextlib import suppress
from payment.services import decisions
from payment.withdrawal_models import Withdrawal
from users.models import User
for row in Withdrawal.objects.filter(state=0):
    for operator in User.objects.filter(pk__in={by}):
        with suppress(decisions.Undecided):
            decisions.approve(operator=operator, withdrawal_id=row.pk)
"""
NO_DAYS_END = """
from heihei_site.console.tunables import Tunables
from heihei_site.console.tuning import tune
from users.models import User
for limit in (Tunables.RECHARGE_CAP, Tunables.RECHARGE_CAP_NEW, Tunables.WITHDRAWAL_DAY):
    tune(limit, 10_000_000, operator=User.objects.get(pk={by}), reason="soak")
"""
POINTS = 2_000_000


@dataclass
class Till:
    """One thread of people: what they were told, counted."""

    venue: Venue
    person: Person
    live: int
    chance: random.Random
    told: Counter[str] = field(default_factory=Counter)
    numbers: set[str] = field(default_factory=set)  # exchanges and withdrawals that were answered

    def run(self, end: float) -> None:
        while time.monotonic() < end:
            self.chance.choice((self.buy, self.give, self.give, self.swap, self.withdraw))()

    def buy(self) -> None:
        place = self.chance.randrange(3)
        answer = self.person.call("payment/create-order", packageId=201 + place, channel="wechat")
        if answer["errorcode"] in (429, 721):  # the day's cap, after half a hundred of the dearest
            return
        notice = wechat().notification(answer["order"], FEN[place])
        for _ in range(self.chance.randint(1, 3)):
            self.tell(notice.body, dict(notice.headers))
        self.told["bought"] += GOLD[place]

    def tell(self, body: bytes, headers: dict[str, str]) -> None:
        """As a gateway: until it is answered."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                address = f"{self.venue.base_url}/api/payment/wepaycallback"
                answer = httpx.post(address, content=body, headers=headers, timeout=10, trust_env=False)
                if answer.status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, "nobody answers the gateway"
            time.sleep(0.3)

    def swap(self) -> None:
        """A phone that waits too long for its answer asks for another (D26): how many there are, the rows say."""
        answer = self.person.call("payment/p2g", packageId=1)
        assert answer["errorcode"] in (0, 741), answer
        if answer["errorcode"] == 0:
            self.numbers.add(answer["order"])

    def withdraw(self) -> None:
        fen = 1_000 + self.chance.randrange(100)
        answer = self.person.call("payment/pay-req", alipaycode="13800001111", payamount=fen)
        assert answer["errorcode"] in (0, 700, 740), answer  # the day's limit
        if answer["errorcode"] == 0:
            self.numbers.add(answer["order"])

    def settled(self) -> None:
        """Everything that was answered is there, and the purse is what the rows make of it."""
        of_theirs = "WHERE owner_id = %s"
        told = list(self.numbers)
        there = (
            "SELECT count(*) FROM (SELECT number FROM payment_exchange UNION SELECT number FROM payment_withdrawal) n "
        )
        assert self.venue.sql(f"{there} WHERE number = ANY(%s)", told) == len(told)
        gold, cost = (
            self.venue.sql(f"SELECT coalesce(sum({what}), 0) FROM payment_exchange {of_theirs}", self.person.id)
            for what in ("gold", "point")
        )
        frozen = f"SELECT coalesce(sum(point), 0) FROM payment_withdrawal {of_theirs} AND state <> 4"
        left = POINTS - cost - self.venue.sql(frozen, self.person.id)
        assert self.person.purse == (self.told["bought"] - self.told["spent"] + gold, left, 0)

    def give(self) -> None:
        combo = f"{self.chance.getrandbits(128):032x}"
        said = {"liveId": self.live, "giftId": GIFT, "amount": 1, "gift_uuid": combo}
        answers = [self.person.call("live/buy-gift", **said) for _ in range(self.chance.randint(1, 2))]
        codes = {answer["errorcode"] for answer in answers}
        assert codes <= {0, 740}
        self.told["spent"] += PRICE if 0 in codes else 0


@pytest.mark.soak
def test_ten_minutes_of_money_while_processes_die(venue: Venue, settings) -> None:
    seconds = float(os.environ.get("HEIHEI_SOAK_SECONDS", "600"))
    seed = int(os.environ.get("HEIHEI_SOAK_SEED", random.SystemRandom().randrange(2**32)))
    print(f"HEIHEI_SOAK_SEED={seed}")
    settings.VAR_DIR = venue.instance.var  # its keys are the gateway's
    registry.get.cache_clear()
    anchor, other, *buyers = [Person(venue, *one) for one in venue.people(TILLS + 2)]
    venue.run(NO_DAYS_END.format(by=anchor.id))
    live = anchor.call("live/create-live", title="夜")["live"]["liveId"]
    anchor.call("live/start-live", liveId=live)
    venue.keep_open(live)
    for buyer in buyers:
        venue.run(EARNS.format(user=buyer.id, points=POINTS))
        buyer.call("live/join-live", liveId=live)
    venue.keep_inside(live)
    end, chance = time.monotonic() + seconds, random.Random(seed)
    tills = [Till(venue, buyer, live, random.Random(f"{seed}-{n}")) for n, buyer in enumerate(buyers)]
    failures: list[BaseException] = []

    def work(till: Till) -> None:
        try:
            till.run(end)
        except BaseException as error:
            failures.append(error)

    def passed(trap: Trap) -> bool:
        venue.run(APPROVE_ALL.format(by=[anchor.id, other.id]))
        return trap.snapped()

    threads = [threading.Thread(target=work, args=(till,)) for till in tills]
    for thread in threads:
        thread.start()
    deaths: Counter[str] = Counter()
    while time.monotonic() < end and not failures:
        label = chance.choice(WITHOUT_OPERATORS)
        trap = Trap(venue, label)
        wait_until(lambda: passed(trap) or failures, 2 * PATIENCE, "somebody passes")  # noqa: B023
        deaths[label] += 1
        time.sleep(chance.uniform(3, 10))
    for thread in threads:
        thread.join()
    assert not failures
    unsettled = "SELECT count(*) FROM payment_notification WHERE settled_at IS NULL AND verdict = 'accepted'"
    wait_until(lambda: venue.sql(unsettled) == 0, 2 * PATIENCE, "everything is settled")
    venue.run(APPROVE_ALL.format(by=[anchor.id, other.id]))
    unpaid = "SELECT count(*) FROM payment_withdrawal WHERE state < 3"
    wait_until(lambda: venue.sql(unpaid) == 0, 3 * PATIENCE, "everything is paid out")
    outbox = (venue.instance.var / "outbox" / "payouts.jsonl").read_text().splitlines()
    paid = [json.loads(line)["number"] for line in outbox]
    assert len(paid) == len(set(paid)) == venue.sql("SELECT count(*) FROM payment_withdrawal WHERE state = 3")
    for till in tills:
        till.settled()
    assert anchor.purse == (0, sum(till.told["spent"] for till in tills), 0)
    assert "sound" in venue.reconcile()
    orders = venue.sql("SELECT count(*) FROM payment_order WHERE settled_at IS NOT NULL")
    print(f"bought {orders}, paid out {len(paid)}, spent {sum(till.told['spent'] for till in tills)} gold;")
    print(f"died {sum(deaths.values())} times: {dict(sorted(deaths.items()))}")
