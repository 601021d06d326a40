"""kill -9 at every labelled point of exchange, withdrawal and payout: a process of its own dies there, and whoever
comes next (the phone again, the operator again, the sweep) ends it once (I3, I5)."""

import pytest

from heihei_site.providers import outbox
from payment import crash_points, ledger, tasks
from payment.exchange_catalogue import seed_p2g_packages
from payment.exchange_models import Exchange
from payment.reconciliation import breaches
from payment.services import decisions, withdrawals
from payment.withdrawal_models import Withdrawal
from tests.answers import ok
from tests.payment.cash import ACCOUNT, earner, operator, state, wait_over

pytestmark = pytest.mark.django_db(transaction=True)
State = Withdrawal.State


def labels(*kinds):
    return [label for label in crash_points.LABELS if label.split(".")[0] in kinds]


def sound():
    assert list(breaches()) == []


@pytest.mark.parametrize("label", labels("exchange"))
def test_an_exchange_happens_once_whenever_the_web_process_dies(dies, api, label):
    seed_p2g_packages()
    user = earner(points=1_000, account="")
    phone = api(user)
    dies(label, lambda: phone.post("payment/p2g", packageId=1))
    sound()
    assert ok(phone.post("payment/p2g", packageId=1))["point"] == 900
    assert ledger.balances(user.pk) == (70, 900)
    assert Exchange.objects.count() == 1
    sound()


@pytest.mark.parametrize("label", ["withdrawal.frozen", "withdrawal.committed"])
def test_points_are_frozen_once_whenever_the_web_process_dies(dies, api, label):
    user = earner(points=5_000)
    phone = api(user)
    dies(label, lambda: phone.post("payment/pay-req", alipaycode=ACCOUNT, payamount=1_000))
    sound()
    assert ok(phone.post("payment/pay-req", alipaycode=ACCOUNT, payamount=1_000))["point"] == 3_000
    assert Withdrawal.objects.count() == 1
    sound()


def asked():
    return withdrawals.request(person=earner(points=5_000), alipaycode=ACCOUNT, fen=1_000)


def test_an_approval_is_found_by_the_sweep_when_nobody_hurries_it(dies):
    row, op = asked(), operator()
    dies("withdrawal.approval.committed", lambda: decisions.approve(operator=op, withdrawal_id=row.pk))
    assert state(row.number) == State.APPROVED
    assert tasks.pay_withdrawals() == 1
    assert state(row.number) == State.SETTLED
    sound()


@pytest.mark.parametrize("label", labels("withdrawal")[-2:])
def test_points_come_back_once_whenever_the_console_dies(dies, label):
    row, op = asked(), operator()

    def reject():
        decisions.reject(operator=op, withdrawal_id=row.pk, reason="x")

    dies(label, reject)
    sound()
    if state(row.number) == State.REQUESTED:
        reject()
    with pytest.raises(decisions.Undecided):
        reject()
    assert (state(row.number), ledger.balances(row.owner_id).point) == (State.RETURNED, 5_000)
    sound()


@pytest.mark.parametrize("label", labels("payout"))
def test_money_leaves_once_whenever_the_worker_dies(dies, label):
    row = asked()
    decisions.approve(operator=operator(), withdrawal_id=row.pk)
    dies(label, lambda: tasks.pay_withdrawal(row.pk))
    assert state(row.number) in (State.PAYING, State.SETTLED)
    sound()
    wait_over(row.number)
    tasks.pay_withdrawals()
    assert state(row.number) == State.SETTLED
    assert [line["number"] for line in outbox.lines("payouts")] == [row.number]
    assert ledger.balances(row.owner_id).point == 3_000
    sound()


def test_every_label_of_these_deeds_was_killed_at():
    assert labels("exchange") == ["exchange.posted", "exchange.committed"]
    assert labels("withdrawal") == [
        "withdrawal.frozen", "withdrawal.committed", "withdrawal.approval.committed", "withdrawal.return.posted",
        "withdrawal.return.committed",
    ]  # fmt: skip
    assert labels("payout") == ["payout.intended", "payout.asked", "payout.posted", "payout.committed"]
