"""Whatever people, operators, workers and a gateway do with gifts, exchange and withdrawal, in whatever order: balances
are those of a few lines of arithmetic, and nobody is ever paid for points that came back (I3, I5)."""

from dataclasses import dataclass

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from heihei_site.api.errors import Refusal
from heihei_site.providers.payouts.base import Payee, Result, Said
from payment import ledger, tasks
from payment.catalogue import seed_gifts
from payment.exchange_models import P2gPackage
from payment.models import Currency, Gift
from payment.reconciliation import breaches
from payment.services import decisions, exchange, payouts, withdrawals
from payment.services.decisions import Undecided
from payment.services.gifts import Combo, give
from payment.withdrawal_models import Withdrawal
from tests import factories
from tests.payment.cash import ACCOUNT, GATEWAY, Gateway, doubt_over, earner, wait_over
from users.models import Repeat

pytestmark = pytest.mark.django_db

State = Withdrawal.State
PEOPLE = 2
POINTS, GOLD = 30_000, 200
who = st.integers(0, PEOPLE - 1)
REFUSED = Result(Said.REFUSED, reason="PAYEE_NOT_EXIST")
ANSWERS = (Said.PAID, Said.PAID, Said.UNKNOWN, "paid, unsaid", REFUSED)


@dataclass
class Asked:
    """A withdrawal as arithmetic sees it."""

    owner: int
    fen: int
    approved_by: set[int]
    state: State = State.REQUESTED

    @property
    def open(self) -> bool:
        return self.state in Withdrawal.OPEN


class Purses(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        seed_gifts()
        self.people = [earner(points=POINTS, gold=GOLD) for _ in range(PEOPLE)]
        self.operators = [factories.person(is_staff=True) for _ in range(3)]
        self.package = P2gPackage.objects.create(desc="x", point=700, gold=490)
        self.gold = [GOLD] * PEOPLE
        self.points = [POINTS] * PEOPLE
        self.debt = [0] * PEOPLE
        self.asked: dict[str, Asked] = {}
        self.deeds = 0
        Gateway.answers, Gateway.asked, Gateway.paid, Gateway.orders = [], [], {}, {}

    def tried(self, deed):
        """What it answered, or how it was refused; a refusal takes back all it did."""
        try:
            with transaction.atomic():
                return deed()
        except Refusal as refusal:
            return refusal.code

    def gets_gold(self, person, gold):
        paid_off = min(gold, self.debt[person])
        self.debt[person] -= paid_off
        self.gold[person] += gold - paid_off

    # What people do

    @rule(sender=who, gift=st.sampled_from([102, 112, 117]))
    def somebody_gives_a_gift(self, sender, gift):
        self.deeds += 1
        receiver, price = 1 - sender, Gift.objects.get(pk=gift).gold

        def deed():
            give(
                sender_id=self.people[sender].pk, receiver_id=self.people[receiver].pk, place="live:1",
                gift=Gift.objects.get(pk=gift), combo=Combo("machine", self.deeds), repeat_key="",
            )  # fmt: skip

        if self.gold[sender] < price:
            assert self.tried(deed) == 740
        else:
            assert self.tried(deed) is None
            self.gold[sender] -= price
            self.points[receiver] += price

    @rule(person=who, again=st.booleans())
    def somebody_exchanges(self, person, again):
        def deed():
            return exchange.exchange(person=self.people[person], package=self.package)

        Repeat.objects.all().delete()
        if self.points[person] < self.package.point:
            assert self.tried(deed) == 741
            return
        first = self.tried(deed)
        self.points[person] -= self.package.point
        self.gets_gold(person, self.package.gold)
        assert first.point_after == self.points[person]
        if again:
            assert self.tried(deed) == first

    @rule(person=who, fen=st.sampled_from([999, 1_000, 4_000, 10_000, 10_001, 50_000]), again=st.booleans())
    def somebody_asks_for_money(self, person, fen, again):
        def deed():
            return withdrawals.request(person=self.people[person], alipaycode=ACCOUNT, fen=fen)

        Repeat.objects.all().delete()
        today = sum(each.fen for each in self.asked.values() if each.owner == person and each.state != State.RETURNED)
        if fen < 1_000:
            assert self.tried(deed) == 700
        elif self.points[person] < fen * 2:
            assert self.tried(deed) == 740
        elif today + fen > 50_000:
            assert self.tried(deed) == 700
        else:
            row = self.tried(deed)
            self.points[person] -= fen * 2
            self.asked[row.number] = Asked(person, fen, set())
            if again:
                assert self.tried(deed) == row

    @rule(person=who, gold=st.sampled_from([1, 150, 600]))
    def gold_is_taken_back(self, person, gold):
        """As a refund does: what is not there is owed."""
        self.deeds += 1
        legs = [ledger.Leg(ledger.gold(self.people[person].pk), -gold)]
        legs.append(ledger.Leg(ledger.house("orders", Currency.GOLD), gold))
        ledger.post(key=f"machine:{self.deeds}", reason="correction", legs=legs, may_owe=True)
        taken = min(gold, self.gold[person])
        self.gold[person] -= taken
        self.debt[person] += gold - taken

    # What operators do

    def some(self, data):
        number = list(self.asked)[data.draw(st.integers(0, len(self.asked) - 1))]
        return number, self.asked[number], Withdrawal.objects.get(number=number).pk

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), operator=st.integers(0, 2))
    def an_operator_approves(self, data, operator):
        _, asked, pk = self.some(data)
        try:
            with transaction.atomic():
                decisions.approve(operator=self.operators[operator], withdrawal_id=pk)
        except Undecided:
            assert asked.state != State.REQUESTED
            return
        asked.approved_by.add(operator)
        if len(asked.approved_by) >= (2 if asked.fen > 10_000 else 1):
            asked.state = State.APPROVED

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), operator=st.integers(0, 2))
    def an_operator_rejects(self, data, operator):
        _, asked, pk = self.some(data)
        try:
            with transaction.atomic():
                decisions.reject(operator=self.operators[operator], withdrawal_id=pk, reason="x")
        except Undecided:
            assert asked.state not in (State.REQUESTED, State.APPROVED)
            return
        self.comes_back(asked)

    def comes_back(self, asked):
        asked.state = State.RETURNED
        self.points[asked.owner] += asked.fen * 2

    # What workers and the gateway do

    @rule(answers=st.lists(st.sampled_from(ANSWERS), max_size=3), wait=st.sampled_from([None, wait_over, doubt_over]))
    def the_sweep_comes(self, answers, wait):
        Gateway.answers = list(answers)
        for number, asked in self.asked.items():
            if wait is not None and asked.state == State.PAYING:
                wait(number)
        tasks.pay_withdrawals()
        self.look()

    @precondition(lambda self: any(each.state == State.PAYING for each in self.asked.values()))
    @rule(data=st.data())
    def an_unanswered_transfer_is_carried_out_late(self, data):
        """As long as there is doubt, it may be."""
        number, asked, pk = self.some(data)
        row = Withdrawal.objects.get(pk=pk)
        if asked.state == State.PAYING and row.unsure_until and number not in Gateway.orders:
            Gateway.answers = []
            Gateway().transfer(number=number, fen=asked.fen, payee=Payee(ACCOUNT, "王小明"))

    def look(self):
        """What the gateway's answers came to: only approved ones moved, and only one step."""
        for number, asked in self.asked.items():
            now = State(Withdrawal.objects.get(number=number).state)
            if now == asked.state:
                continue
            assert asked.state in (State.APPROVED, State.PAYING)
            if now == State.RETURNED:
                self.comes_back(asked)
            asked.state = now

    # What always holds

    @invariant()
    def balances_are_as_expected(self):
        for number, person in enumerate(self.people):
            assert ledger.balances(person.pk) == (self.gold[number], self.points[number])
            assert ledger.debt(person.pk) == self.debt[number]

    @invariant()
    def the_gateway_has_paid_what_is_settled_and_nothing_that_came_back(self):
        for number, asked in self.asked.items():
            if asked.state == State.SETTLED:
                assert Gateway.paid[number] == (asked.fen, Payee(ACCOUNT, "王小明"))
            if asked.state in (State.REQUESTED, State.APPROVED, State.RETURNED):
                assert number not in Gateway.paid

    @invariant()
    def the_books_are_sound(self):
        assert list(breaches()) == []

    def teardown(self):
        """Everybody answers in the end, and everything is settled or has come back."""
        Gateway.answers = []
        for number, asked in self.asked.items():
            if asked.state in (State.APPROVED, State.PAYING):
                doubt_over(number)
                payouts.pay(Withdrawal.objects.get(number=number).pk)
        self.look()
        self.balances_are_as_expected()
        self.the_gateway_has_paid_what_is_settled_and_nothing_that_came_back()
        self.the_books_are_sound()
        assert not [each for each in self.asked.values() if each.state in (State.APPROVED, State.PAYING)]
        open_points = sum(each.fen * 2 for each in self.asked.values() if each.open)
        assert sum(row.point for row in Withdrawal.objects.filter(state__in=Withdrawal.OPEN)) == open_points


class Undone(Purses):
    """Each run in a transaction that is taken back."""

    def __init__(self):
        self.frame = transaction.atomic()
        self.frame.__enter__()
        super().__init__()

    def teardown(self):
        try:
            super().teardown()
        finally:
            transaction.set_rollback(True)
            self.frame.__exit__(None, None, None)


@pytest.fixture
def scripted(settings):
    settings.PROVIDERS = {**settings.PROVIDERS, "payouts": GATEWAY}


def test_whatever_happens_to_purses_adds_up(scripted):
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Undone,
        settings=settings(
            max_examples=8, stateful_step_count=20, deadline=None, print_blob=True, suppress_health_check=checks
        ),
    )
