"""Exchange, gifts, withdrawals and refunds on one purse at once; operators and workers who all do the same (I3, I5)."""

from collections import Counter
from functools import partial

import pytest
from django.db import transaction

from heihei_site.api.errors import NotEnoughGold
from payment import ledger, tasks
from payment.exchange_models import Exchange, P2gPackage
from payment.models import Currency, Gift
from payment.reconciliation import breaches
from payment.services import decisions, gifts, payouts, withdrawals
from payment.services.decisions import Undecided
from payment.withdrawal_models import Decision, Withdrawal
from tests import factories
from tests.conftest import Api
from tests.payment.cash import ACCOUNT, earner, gateway, operator, state
from tests.races.crowd import at_once, codes, same_phone

pytestmark = pytest.mark.django_db(transaction=True)
State = Withdrawal.State
LOLLIPOP = 102  # one gold


def packages(count):
    return [P2gPackage.objects.create(desc="x", point=100 + number, gold=10) for number in range(count)]


def give(sender, receiver, number):
    """740 where a refund has taken the gold a moment before."""
    try:
        gifts.give(
            sender_id=sender.pk,
            receiver_id=receiver.pk,
            place="live:7",
            gift=Gift.objects.get(pk=LOLLIPOP),
            combo=gifts.Combo("race", number),
            repeat_key="",
        )
    except NotEnoughGold as refusal:
        return {"errorcode": refusal.code}
    return {"errorcode": 0}


def refund(user, number):
    """Ten gold are taken back; what is not there is owed."""
    legs = [ledger.Leg(ledger.gold(user.pk), -10), ledger.Leg(ledger.house("orders", Currency.GOLD), 10)]
    ledger.post(key=f"race refund {number}", reason="correction", legs=legs, may_owe=True)
    return {"errorcode": 0}


def test_everything_at_once_on_one_purse_adds_up(gifts):
    user, fan = earner(points=20_000, gold=40), factories.person(gold=100)
    phone = Api(user)
    p2g = [partial(same_phone(phone).post, "payment/p2g", packageId=each.pk) for each in packages(8)]
    asks = [
        partial(same_phone(phone).post, "payment/pay-req", alipaycode=ACCOUNT, payamount=1_000 + n) for n in range(8)
    ]
    given = [partial(give, user, fan, n) for n in range(8)]
    got = [partial(give, fan, user, n) for n in range(8)]
    refunds = [partial(refund, user, n) for n in range(8)]
    deeds = [deed for together in zip(p2g, asks, given, got, refunds, strict=True) for deed in together]
    answers = at_once(deeds)
    too_poor = codes(answers)[740]  # for a gift; nothing else is refused
    assert codes(answers) == {0: len(deeds) - too_poor, **({740: too_poor} if too_poor else {})}
    assert too_poor <= len(given)
    spent = sum(Exchange.objects.values_list("point", flat=True)) + sum(
        Withdrawal.objects.values_list("point", flat=True)
    )
    assert Exchange.objects.count() == Withdrawal.objects.count() == 8
    left = ledger.balances(user.pk)
    assert left.point == 20_000 + 8 - spent
    assert left.gold - ledger.debt(user.pk) == 40 + 80 - (8 - too_poor) - 80
    assert list(breaches()) == []


def test_of_many_requests_the_day_takes_what_it_has_room_for():
    user = earner(points=1_000_000)
    phone = Api(user)
    asks = [
        partial(same_phone(phone).post, "payment/pay-req", alipaycode=ACCOUNT, payamount=10_000 + n) for n in range(10)
    ]
    assert codes(at_once(asks)) == {0: 4, 700: 6}
    frozen = sum(Withdrawal.objects.values_list("point", flat=True))
    assert ledger.balances(user.pk).point == 1_000_000 - frozen
    assert list(breaches()) == []


def test_of_requests_that_points_suffice_for_once_one_is_taken():
    user = earner(points=2_999)
    phone = Api(user)
    asks = [
        partial(same_phone(phone).post, "payment/pay-req", alipaycode=ACCOUNT, payamount=1_000 + n) for n in range(10)
    ]
    assert codes(at_once(asks)) == {0: 1, 740: 9}
    assert list(breaches()) == []


@pytest.mark.parametrize("path", ["payment/p2g", "payment/pay-req"])
def test_one_request_sent_ten_times_at_once_is_one(path):
    user = earner(points=20_000)
    phone = Api(user)
    said = {"packageId": packages(1)[0].pk} if path.endswith("p2g") else {"alipaycode": ACCOUNT, "payamount": 1_000}
    answers = at_once([partial(same_phone(phone).post, path, **said)] * 10)
    assert codes(answers) == {0: 10}
    assert len({answer["order"] for answer in answers}) == 1
    assert Exchange.objects.count() + Withdrawal.objects.count() == 1
    assert list(breaches()) == []


# --- Operators and workers ----------------------------------------------------------------------------------------


def decided(deed):
    try:
        return deed().state
    except Undecided:
        return "undecided"


def asked(fen):
    return withdrawals.request(person=earner(points=1_000_000), alipaycode=ACCOUNT, fen=fen)


def test_one_operator_who_clicks_ten_times_is_one_pair_of_eyes():
    row, op = asked(20_000), operator()
    outcomes = at_once([partial(decided, partial(decisions.approve, operator=op, withdrawal_id=row.pk))] * 10)
    assert Counter(outcomes) == {State.REQUESTED: 10}
    assert (state(row.number), Decision.objects.count()) == (State.REQUESTED, 1)


def test_five_operators_at_once_approve_it_once():
    row = asked(20_000)
    operators = [operator(f"op{n}") for n in range(5)]
    outcomes = at_once(
        partial(decided, partial(decisions.approve, operator=op, withdrawal_id=row.pk)) for op in operators
    )
    assert Counter(outcomes) == {State.REQUESTED: 1, State.APPROVED: 1, "undecided": 3}
    assert Decision.objects.count() == 2


def test_who_approves_and_who_rejects_at_once_do_not_both_get_their_way(settings):
    operators = [operator(f"op{n}") for n in range(6)]
    for _ in range(3):
        row = asked(1_000)
        approve = [partial(decisions.approve, operator=op, withdrawal_id=row.pk) for op in operators[:3]]
        reject = [partial(decisions.reject, operator=op, withdrawal_id=row.pk, reason="x") for op in operators[3:]]
        outcomes = Counter(at_once(partial(decided, deed) for deed in approve + reject))
        assert outcomes[State.RETURNED] == 1  # also after an approval, as nobody was paid yet
        assert (state(row.number), ledger.balances(row.owner_id).point) == (State.RETURNED, 1_000_000)
    with gateway(settings) as bank:
        tasks.pay_withdrawals()
    assert bank.paid == {}
    assert list(breaches()) == []


def test_ten_workers_who_wake_at_once_pay_once(settings):
    row = asked(1_000)
    decisions.approve(operator=operator(), withdrawal_id=row.pk)
    with gateway(settings) as bank:
        at_once([partial(payouts.pay, row.pk)] * 10)
    assert bank.asked == [("transfer", row.number)]
    assert state(row.number) == State.SETTLED
    assert list(breaches()) == []


def test_paying_and_taking_back_at_once_is_one_of_the_two(settings):
    op = operator()
    for _ in range(3):
        row = asked(1_000)
        decisions.approve(operator=op, withdrawal_id=row.pk)
        reject = partial(decisions.reject, operator=op, withdrawal_id=row.pk, reason="x")
        with gateway(settings) as bank:
            at_once([partial(payouts.pay, row.pk), partial(decided, reject)] * 2)
        paid = state(row.number) == State.SETTLED
        assert len(bank.paid) == paid
        assert ledger.balances(row.owner_id).point == (998_000 if paid else 1_000_000)
    assert list(breaches()) == []
    with transaction.atomic():
        assert not Withdrawal.objects.filter(state__in=Withdrawal.OPEN).exists()
