"""Everything that moves money, in any order, against a few lines of arithmetic: a machine for hypothesis.

What each rule does is what people, gateways, operators and workers do, through the services that they reach. A new kind
of movement is a rule here and a line of arithmetic beside it. Each run is in a transaction that is taken back.
"""

import itertools
import time
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from heihei_site.api.errors import Refusal
from heihei_site.api.models import Repeat
from heihei_site.providers import registry
from heihei_site.providers.gateways.base import RefundRefused
from heihei_site.providers.payouts.base import Payee, Result, Said
from payment import ledger, tasks
from payment.catalogue import seed_gifts
from payment.credit_models import Credit
from payment.exchange_models import P2gPackage
from payment.models import Gift
from payment.order_models import Order
from payment.packages import FIRST_IDS, seed_packages
from payment.reconciliation import breaches
from payment.services import credits, decisions, exchange, gifts, orders, payouts, refunds, withdrawals
from payment.services.decisions import Undecided
from payment.withdrawal_models import Withdrawal
from tests import factories
from tests.payment.cash import ACCOUNT, Gateway, doubt_over, earner, wait_over
from tests.payment.gateways import notification, send, store

State = Withdrawal.State
PEOPLE, OPERATORS = 2, 3
POINTS, GOLD = 30_000, 200
people = st.integers(0, PEOPLE - 1)
operators = st.integers(0, OPERATORS - 1)
REFUSED = Result(Said.REFUSED, reason="PAYEE_NOT_EXIST")
ANSWERS = (Said.PAID, Said.UNKNOWN, "paid, unsaid", REFUSED)
WAITS = (wait_over, doubt_over)
NO_FIRST = (REFUSED, Said.UNKNOWN, Said.PAID)  # the simplest run, which is always played, has the first of them


@dataclass
class Has:
    """Of one person. `gold` may be below zero here: then it is owed."""

    gold: int = GOLD
    points: int = POINTS


@dataclass
class Bought:
    buyer: int
    order: Order
    channel: str
    signed: str = ""
    paid: bool = False
    given_back: bool = False
    told: list = field(default_factory=list)  # what the store has said of it, and may say again


@dataclass
class Asked:
    owner: int
    number: str
    fen: int
    approved_by: set[int] = field(default_factory=set)
    state: State = State.REQUESTED


@dataclass
class Proposed:
    owner: int
    by: int
    gold: int
    points: int
    row: Credit
    over: bool = False


class Money(RuleBasedStateMachine):
    bought = Bundle("bought")
    asked = Bundle("asked")
    proposed = Bundle("proposed")

    def __init__(self):
        super().__init__()
        self.frame = transaction.atomic()
        self.frame.__enter__()
        seed_gifts()
        seed_packages()
        self.people = [earner(points=POINTS, gold=GOLD) for _ in range(PEOPLE)]
        self.operators = [factories.person(is_staff=True) for _ in range(OPERATORS)]
        self.package = P2gPackage.objects.create(desc="x", point=700, gold=490)
        self.has = [Has() for _ in self.people]
        self.given: set[tuple[int, int, int]] = set()
        self.withdrawals: list[Asked] = []
        self.milliseconds = itertools.count(int(time.time() * 1000))
        Gateway.start()

    def tried(self, deed):
        """What it answered, or how it was refused; a refusal takes back all it did."""
        try:
            with transaction.atomic():
                return deed()
        except Refusal as refusal:
            return refusal.code

    # --- Gold for money ------------------------------------------------------------------------------------------

    @rule(target=bought, buyer=people, place=st.integers(0, 2), channel=st.sampled_from(["alipay", "wechat", "iap"]))
    def an_order_is_begun(self, buyer, place, channel):
        package = FIRST_IDS[channel] + place
        order, _ = orders.create(
            buyer=self.people[buyer], package_id=package, channel=channel, now=timezone.now()
        )  # fmt: skip
        signed = (
            store().purchase(order.product_id, appAccountToken=str(order.account_token)) if channel == "iap" else ""
        )
        return Bought(buyer, order, channel, signed)

    @rule(one=bought, times=st.integers(1, 3))
    def it_is_paid(self, one, times):
        """In time or late; the gateway says so once or several times."""
        if one.channel != "iap" and one.given_back:
            return  # its state is the gateway's own, and says so
        notice = store().news("ONE_TIME_CHARGE", one.signed) if one.channel == "iap" else notification(one.order)
        for _ in range(times):
            assert send(one.channel, notice).status_code == 200
        if not one.paid and not one.given_back:
            self.has[one.buyer].gold += one.order.gold
            one.paid = True

    @rule(one=bought)
    def somebody_forges(self, one):
        if one.channel != "iap":
            send(one.channel, notification(one.order, tamper="amount"))
            send(one.channel, notification(one.order, tamper="sign"))

    @rule(one=bought)
    def the_gateway_closes_it(self, one):
        if one.channel == "wechat" and not one.paid:
            send("wechat", notification(one.order, status="closed"))

    @rule(one=bought, failed=st.booleans())
    def the_phone_says_something(self, one, failed):
        orders.ask_soon(Order.objects.get(pk=one.order.pk), failed=failed)

    @rule(late=st.booleans())
    def the_sweep_of_orders_comes(self, late):
        """What nobody paid in time is closed, and may be paid after all."""
        if late:
            Order.objects.update(expires_at=timezone.now() - timedelta(hours=1))
        Order.objects.update(next_query_at=timezone.now())
        tasks.settle_orders()

    # --- And back ------------------------------------------------------------------------------------------------

    @rule(one=bought, will=st.booleans())
    def an_operator_refunds_it(self, one, will):
        """Spent gold is owed. Where the gateway will not, all is as before."""
        try:
            with transaction.atomic():
                refund = refunds.begin(Order.objects.get(pk=one.order.pk), by=self.operators[0], reason="machine")
        except refunds.NotRefundable:
            assert one.channel == "iap" or not one.paid or one.given_back
            return
        assert one.paid and not one.given_back
        if will:
            self.has[one.buyer].gold -= one.order.gold
            one.given_back = True
            return
        gateway = registry.gateway(one.channel)
        gateway.refund = refuse
        try:
            refunds.ask(refund.pk)
        finally:
            del gateway.refund

    @rule(one=bought)
    def the_store_refunds_it(self, one):
        if one.channel == "iap" and one.paid and not one.given_back:
            self.the_store_tells(one, "REFUND")
            self.has[one.buyer].gold -= one.order.gold
            one.given_back = True

    @rule(one=bought)
    def the_store_thinks_better_of_it(self, one):
        if one.channel == "iap" and one.given_back:
            self.the_store_tells(one, "REFUND_REVERSED")
            self.has[one.buyer].gold += one.order.gold
            one.given_back = False

    def the_store_tells(self, one, deed):
        one.told.append(store().news(deed, one.signed, signedDate=next(self.milliseconds)))
        assert send("iap", one.told[-1]).status_code == 200

    @rule(one=bought, which=st.integers(0, 2))
    def the_store_tells_old_news_again(self, one, which):
        for notice in one.told[which : which + 1]:
            assert send("iap", notice).status_code == 200

    # --- What operators give and take back -----------------------------------------------------------------------

    @rule(
        target=proposed, by=operators, owner=people, gold=st.sampled_from([-300, -60, 0, 60]),
        points=st.sampled_from([-20_000, 0, 500]),
    )  # fmt: skip
    def an_operator_proposes(self, by, owner, gold, points):
        if not gold and not points:
            return multiple()
        Repeat.objects.all().delete()
        row = credits.propose(
            operator=self.operators[by],
            owner=self.people[owner],
            kind="correction",
            gold=gold,
            point=points,
            reason="x",
        )
        return Proposed(owner, by, gold, points, row)

    @rule(one=proposed, by=operators, agrees=st.sampled_from([True, True, False]))
    def an_operator_decides(self, one, by, agrees):
        has, decide = self.has[one.owner], credits.approve if agrees else credits.refuse
        short = agrees and (min(one.gold, 0) + max(has.gold, 0) < 0 or one.points + has.points < 0)
        try:
            with transaction.atomic():
                decide(operator=self.operators[by], credit_id=one.row.pk, **({} if agrees else {"reason": "x"}))
        except Undecided:
            assert one.over or by == one.by or short
            return
        assert not one.over and by != one.by and not short
        one.over = True
        if agrees:
            has.gold += one.gold
            has.points += one.points

    # --- Gold for gifts, points for gold -------------------------------------------------------------------------

    @rule(giver=people, gift=st.sampled_from([102, 112, 117]), combo=st.integers(1, 4))
    def somebody_gives_a_gift(self, giver, gift, combo):
        taker, price, key = 1 - giver, Gift.objects.get(pk=gift).gold, (giver, gift, combo)

        def deed():
            return gifts.give(
                sender_id=self.people[giver].pk, receiver_id=self.people[taker].pk, place=f"live:{taker}",
                gift=Gift.objects.get(pk=gift), combo=gifts.Combo("u", combo), repeat_key="",
            )  # fmt: skip

        given = self.tried(deed)
        if given == 740:
            assert self.has[giver].gold < price and key not in self.given
            return
        assert given.fresh == (key not in self.given)
        if given.fresh:
            self.has[giver].gold -= price
            self.has[taker].points += price
            self.given.add(key)

    @rule(person=people, again=st.booleans())
    def somebody_exchanges(self, person, again):
        def deed():
            return exchange.exchange(person=self.people[person], package=self.package)

        Repeat.objects.all().delete()
        has = self.has[person]
        if has.points < self.package.point:
            assert self.tried(deed) == 741
            return
        first = self.tried(deed)
        has.points -= self.package.point
        has.gold += self.package.gold
        assert first.point_after == has.points
        if again:
            assert self.tried(deed) == first

    # --- Points for money ----------------------------------------------------------------------------------------

    @rule(
        target=asked, person=people, fen=st.sampled_from([999, 1_000, 1_000, 4_000, 10_001, 50_000]),
        again=st.booleans(),
    )  # fmt: skip
    def somebody_asks_for_money(self, person, fen, again):
        def deed():
            return withdrawals.request(person=self.people[person], alipaycode=ACCOUNT, fen=fen)

        Repeat.objects.all().delete()
        today = sum(each.fen for each in self.withdrawals if each.owner == person and each.state != State.RETURNED)
        if fen < 1_000:
            assert self.tried(deed) == 700
        elif self.has[person].points < fen * 2:
            assert self.tried(deed) == 740
        elif today + fen > 50_000:
            assert self.tried(deed) == 700
        else:
            row = self.tried(deed)
            self.has[person].points -= fen * 2
            self.withdrawals.append(Asked(person, row.number, fen))
            if again:
                assert self.tried(deed) == row
            return self.withdrawals[-1]
        return multiple()

    @rule(one=asked, who=st.lists(operators, min_size=1, max_size=2))
    def operators_approve(self, one, who):
        for operator in who:
            try:
                with transaction.atomic():
                    decisions.approve(operator=self.operators[operator], withdrawal_id=row_of(one.number).pk)
            except Undecided:
                assert one.state != State.REQUESTED
                return
            one.approved_by.add(operator)
            if len(one.approved_by) >= (2 if self.lately(one) > 10_000 else 1):
                one.state = State.APPROVED

    def lately(self, one):
        """Each run is within one day."""
        until = self.withdrawals[: self.withdrawals.index(one) + 1]
        return sum(each.fen for each in until if each.owner == one.owner and each.state != State.RETURNED)

    @rule(one=asked, operator=operators)
    def an_operator_rejects(self, one, operator):
        try:
            with transaction.atomic():
                decisions.reject(operator=self.operators[operator], withdrawal_id=row_of(one.number).pk, reason="x")
        except Undecided:
            assert one.state not in (State.REQUESTED, State.APPROVED)
            return
        self.comes_back(one)

    def comes_back(self, one):
        one.state = State.RETURNED
        self.has[one.owner].points += one.fen * 2

    @initialize(
        target=asked, person=people, first=st.sampled_from([Said.UNKNOWN, "paid, unsaid"]),
        then=st.lists(st.tuples(st.sampled_from(NO_FIRST), st.sampled_from(WAITS)), min_size=1, max_size=3),
    )  # fmt: skip
    def a_transfer_is_not_answered(self, person, first, then):
        """Asking for money, approval, a lost answer, and what the gateway says next: rules alone come to that order
        once in hundreds of runs. So each run begins with it, the first with a no while the transfer may still arrive.
        """
        one = self.somebody_asks_for_money(person, 1_000, False)
        self.operators_approve(one, [0])
        self.the_sweep_of_withdrawals_comes([first], None)
        for answer, wait in then:
            self.the_sweep_of_withdrawals_comes([answer], wait)
        return one

    @precondition(lambda self: any(each.state in (State.APPROVED, State.PAYING) for each in self.withdrawals))
    @rule(
        answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=3),
        wait=st.sampled_from([None, wait_over, doubt_over]),
    )
    def the_sweep_of_withdrawals_comes(self, answers, wait):
        Gateway.answers = list(answers)
        for one in self.withdrawals:
            if wait is not None and one.state == State.PAYING:
                wait(one.number)
                if wait is doubt_over:
                    Gateway.on_their_way.discard(one.number)
        tasks.pay_withdrawals()
        self.look()

    @precondition(lambda self: Gateway.on_their_way - Gateway.orders.keys())
    @rule()
    def an_unanswered_transfer_is_carried_out_late(self):
        """As long as there is doubt, it may be, whatever we think of it by then."""
        number = min(Gateway.on_their_way - Gateway.orders.keys())
        Gateway.answers = []
        Gateway().transfer(number=number, fen=row_of(number).fen, payee=Payee(ACCOUNT, "王小明"))

    def look(self):
        """What the gateway's answers came to: only approved ones moved, and only one step."""
        for one in self.withdrawals:
            now = State(row_of(one.number).state)
            if now == one.state:
                continue
            assert one.state in (State.APPROVED, State.PAYING)
            if now == State.RETURNED:
                assert one.number not in Gateway.on_their_way, "it came back, and may still arrive"
                self.comes_back(one)
            one.state = now

    # --- What must hold after each -------------------------------------------------------------------------------

    @invariant()
    def everybody_has_what_they_should(self):
        for someone, has in zip(self.people, self.has, strict=True):
            assert ledger.balances(someone.pk) == (max(has.gold, 0), has.points)
            assert ledger.debt(someone.pk) == max(-has.gold, 0)

    @invariant()
    def the_gateway_has_paid_what_is_settled_and_nothing_that_came_back(self):
        for one in self.withdrawals:
            if one.state == State.SETTLED:
                assert Gateway.paid[one.number] == (one.fen, Payee(ACCOUNT, "王小明"))
            if one.state in (State.REQUESTED, State.APPROVED, State.RETURNED):
                assert one.number not in Gateway.paid

    @invariant()
    def the_books_are_sound(self):
        assert list(breaches()) == []

    def teardown(self):
        try:
            self.everybody_answers_in_the_end()
        finally:
            transaction.set_rollback(True)
            self.frame.__exit__(None, None, None)

    def everybody_answers_in_the_end(self):
        """And everything is settled or has come back."""
        Gateway.answers = []
        for one in self.withdrawals:
            if one.state in (State.APPROVED, State.PAYING):
                doubt_over(one.number)
                payouts.pay(row_of(one.number).pk)
        self.look()
        self.everybody_has_what_they_should()
        self.the_gateway_has_paid_what_is_settled_and_nothing_that_came_back()
        self.the_books_are_sound()
        assert not [one for one in self.withdrawals if one.state in (State.APPROVED, State.PAYING)]


def row_of(number):
    return Withdrawal.objects.get(number=number)


def refuse(**what):
    raise RefundRefused("INVALID_REQUEST")
