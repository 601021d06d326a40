"""From the queue to the money: two pairs of eyes, a gateway that may say nothing, and never paid twice (I5)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from heihei_site.providers.payouts.base import Payee, Result, Said
from payment import ledger, statements, tasks
from payment.ledger import KeyReused
from payment.reconciliation import breaches
from payment.services import decisions, payouts, withdrawals
from payment.services.decisions import Undecided
from payment.signals import withdrawal_closed
from payment.withdrawal_models import Decision, Withdrawal
from tests.payment.cash import ACCOUNT, Gateway, doubt_over, earner, gateway, operator, state, wait_over
from users.models import User

pytestmark = pytest.mark.django_db
State = Withdrawal.State
NO = Result(Said.REFUSED, reason="PAYEE_NOT_EXIST")
LIST = "/admin/payment/withdrawal/"


@pytest.fixture
def withdrawal():
    """Of 10 yuan by somebody who had 100,000 points."""
    return withdrawals.request(person=earner(points=100_000), alipaycode=ACCOUNT, fen=1_000)


def of(fen):
    return withdrawals.request(person=earner(points=100_000), alipaycode=ACCOUNT, fen=fen)


def approved(row, *operators):
    for each in operators or (operator(),):
        decisions.approve(operator=each, withdrawal_id=row.pk)
    return row


def points_of(row):
    return ledger.balances(row.owner_id).point


@pytest.fixture
def closed():
    """Withdrawals that the apps above were told of."""
    told = []

    def note(sender, withdrawal, **_):
        told.append((withdrawal.number, State(withdrawal.state)))

    withdrawal_closed.connect(note)
    yield told
    withdrawal_closed.disconnect(note)


# --- Deciding -----------------------------------------------------------------------------------------------------


def test_nothing_is_paid_before_somebody_approves(settings, withdrawal):
    with gateway(settings) as bank:
        assert tasks.pay_withdrawals() == 0
        payouts.pay(withdrawal.pk)
    assert bank.asked == []
    assert state(withdrawal.number) == State.REQUESTED


def test_above_a_hundred_yuan_two_operators_agree(settings):
    one, other = operator("one"), operator("other")
    small, large = of(10_000), of(10_001)
    assert decisions.approve(operator=one, withdrawal_id=small.pk).state == State.APPROVED
    for _ in range(2):  # saying it twice is saying it once
        assert decisions.approve(operator=one, withdrawal_id=large.pk).state == State.REQUESTED
    with gateway(settings) as bank:
        assert tasks.pay_withdrawals() == 1
        assert list(bank.paid) == [small.number]
        assert decisions.approve(operator=other, withdrawal_id=large.pk).state == State.APPROVED
        assert tasks.pay_withdrawals() == 1
        assert bank.paid[large.number] == (10_001, Payee(ACCOUNT, "王小明"))
    assert Decision.objects.filter(approved=True).count() == 3
    assert list(breaches()) == []


def test_what_somebody_asks_for_in_small_pieces_within_a_day_needs_two_operators_as_well(settings):
    """D37: no more than the limit leaves on one word in any 24 hours."""
    one, other, person = operator("one"), operator("other"), earner(points=200_000)
    rows = [withdrawals.request(person=person, alipaycode=ACCOUNT, fen=9_990 + piece) for piece in range(5)]
    assert [decisions.approve(operator=one, withdrawal_id=row.pk).state for row in rows] == [
        State.APPROVED, *[State.REQUESTED] * 4,
    ]  # fmt: skip
    page = console(one).get(f"{LIST}?state__exact=all").content.decode()
    for text in ("1 / 1", "1 / 2（24 小时内 ¥199.81）", "1 / 2（24 小时内 ¥499.60）"):
        assert text in page
    with gateway(settings) as bank:
        assert tasks.pay_withdrawals() == 1
        assert list(bank.paid) == [rows[0].number]
    assert decisions.approve(operator=other, withdrawal_id=rows[4].pk).state == State.APPROVED


def test_what_came_back_and_what_is_older_than_a_day_does_not_count_nor_do_others(settings):
    one, person = operator("one"), earner(points=200_000)
    returned, old, other = (withdrawals.request(person=person, alipaycode=ACCOUNT, fen=9_000 + i) for i in range(3))
    assert other.approvals_needed == 2
    decisions.reject(operator=one, withdrawal_id=returned.pk, reason="x")
    Withdrawal.objects.filter(pk=old.pk).update(created_at=other.created_at - timedelta(days=1))
    of(9_000)
    last = withdrawals.request(person=person, alipaycode=ACCOUNT, fen=1_000)
    assert [Withdrawal.objects.get(pk=row.pk).lately for row in (old, other, last)] == [9_001, 9_002, 10_002]
    assert decisions.approve(operator=one, withdrawal_id=other.pk).state == State.APPROVED
    assert decisions.approve(operator=one, withdrawal_id=last.pk).state == State.REQUESTED


def test_nobody_decides_about_their_own(withdrawal):
    user = withdrawal.owner
    for deed in (
        lambda: decisions.approve(operator=user, withdrawal_id=withdrawal.pk),
        lambda: decisions.reject(operator=user, withdrawal_id=withdrawal.pk, reason="x"),
    ):
        with pytest.raises(Undecided, match="自己"):
            deed()
    assert state(withdrawal.number) == State.REQUESTED


@pytest.mark.parametrize("what", [{"is_active": False}, {"birthday": None}, {"deletion_due_at": timezone.now()}])
def test_who_was_banned_meanwhile_or_is_a_minor_gets_points_but_no_money(withdrawal, what):
    User.objects.filter(pk=withdrawal.owner_id).update(**what)
    with pytest.raises(Undecided, match="只能退回"):
        approved(withdrawal)
    decisions.reject(operator=operator("other"), withdrawal_id=withdrawal.pk, reason="账号异常")
    assert (state(withdrawal.number), points_of(withdrawal)) == (State.RETURNED, 100_000)


def test_a_rejection_gives_the_points_back_once_and_says_why(withdrawal, closed):
    assert points_of(withdrawal) == 98_000
    op = operator()
    decisions.reject(operator=op, withdrawal_id=withdrawal.pk, reason="请先完善资料")
    with pytest.raises(Undecided):
        decisions.reject(operator=op, withdrawal_id=withdrawal.pk, reason="又一次")
    with pytest.raises(Undecided):
        approved(withdrawal, op)
    withdrawal.refresh_from_db()
    assert (withdrawal.return_reason, withdrawal.state) == ("请先完善资料", State.RETURNED)
    assert points_of(withdrawal) == 100_000
    assert closed == [(withdrawal.number, State.RETURNED)]
    assert list(breaches()) == []


def test_what_was_approved_can_be_taken_back_until_the_gateway_is_asked(settings, withdrawal):
    approved(withdrawal)
    decisions.reject(operator=operator("other"), withdrawal_id=withdrawal.pk, reason="弄错了")
    with gateway(settings) as bank:
        assert tasks.pay_withdrawals() == 0
    assert bank.asked == []
    assert points_of(withdrawal) == 100_000


def test_once_the_gateway_was_asked_only_it_can_say_no(settings, withdrawal):
    approved(withdrawal)
    with gateway(settings, Said.UNKNOWN):
        payouts.pay(withdrawal.pk)
    with pytest.raises(Undecided, match="已经打款"):
        decisions.reject(operator=operator("other"), withdrawal_id=withdrawal.pk, reason="x")
    assert (state(withdrawal.number), points_of(withdrawal)) == (State.PAYING, 98_000)


def test_decisions_cannot_be_rewritten(withdrawal):
    approved(withdrawal)
    for deed in (lambda: Decision.objects.update(approved=False), lambda: Decision.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            deed()


# --- Paying -------------------------------------------------------------------------------------------------------


def test_an_approved_withdrawal_is_paid_and_closed(settings, withdrawal, closed):
    approved(withdrawal)
    with gateway(settings) as bank:
        for _ in range(2):
            tasks.pay_withdrawals()
            tasks.pay_withdrawal(withdrawal.pk)
    assert bank.asked == [("transfer", withdrawal.number)]
    assert bank.paid == {withdrawal.number: (1_000, Payee(ACCOUNT, "王小明"))}
    withdrawal.refresh_from_db()
    assert (withdrawal.state, withdrawal.gateway_number) == (State.SETTLED, f"ali-{withdrawal.number}")
    assert points_of(withdrawal) == 98_000
    assert closed == [(withdrawal.number, State.SETTLED)]
    assert list(breaches()) == []


def test_a_payee_that_the_gateway_refuses_gets_the_points_back(settings, withdrawal, closed):
    approved(withdrawal)
    with gateway(settings, NO) as bank:
        payouts.pay(withdrawal.pk)
    assert bank.paid == {}
    withdrawal.refresh_from_db()
    assert (withdrawal.state, points_of(withdrawal)) == (State.RETURNED, 100_000)
    assert withdrawal.return_reason == "支付宝拒绝了这笔转账，请核对账号和姓名"
    assert closed == [(withdrawal.number, State.RETURNED)]
    assert list(breaches()) == []


def test_a_time_out_after_the_money_left_is_asked_about_and_not_paid_again(settings, withdrawal):
    approved(withdrawal)
    with gateway(settings, "paid, unsaid", Said.UNKNOWN) as bank:
        payouts.pay(withdrawal.pk)
        assert (state(withdrawal.number), points_of(withdrawal)) == (State.PAYING, 98_000)
        payouts.pay(withdrawal.pk)  # not its turn yet
        assert len(bank.asked) == 1
        for _ in range(2):
            wait_over(withdrawal.number)
            tasks.pay_withdrawals()
    assert [what for what, _ in bank.asked] == ["transfer", "query", "query"]
    assert list(bank.paid) == [withdrawal.number]
    assert state(withdrawal.number) == State.SETTLED
    assert list(breaches()) == []


def test_a_transfer_that_never_arrived_is_made_again_under_its_number(settings, withdrawal):
    approved(withdrawal)
    with gateway(settings, Said.UNKNOWN) as bank:
        payouts.pay(withdrawal.pk)
        wait_over(withdrawal.number)
        payouts.pay(withdrawal.pk)
    number = withdrawal.number
    assert bank.asked == [("transfer", number), ("query", number), ("transfer", number)]
    assert state(number) == State.SETTLED


def test_a_no_is_not_believed_while_an_unanswered_transfer_may_still_be_on_its_way(settings, withdrawal):
    """It would be paid after the points had come back."""
    approved(withdrawal)
    with gateway(settings, Said.UNKNOWN, Said.NEVER_HEARD, NO) as bank:
        payouts.pay(withdrawal.pk)
        wait_over(withdrawal.number)
        payouts.pay(withdrawal.pk)
        assert (state(withdrawal.number), points_of(withdrawal)) == (State.PAYING, 98_000)
        bank().transfer(number=withdrawal.number, fen=1_000, payee=Payee(ACCOUNT, "王小明"))  # it arrives late
        doubt_over(withdrawal.number)
        payouts.pay(withdrawal.pk)
    assert (state(withdrawal.number), points_of(withdrawal)) == (State.SETTLED, 98_000)
    assert list(breaches()) == []


def test_after_the_doubt_a_no_brings_the_points_back(settings, withdrawal):
    approved(withdrawal)
    with gateway(settings, Said.UNKNOWN, NO, NO):
        payouts.pay(withdrawal.pk)
        wait_over(withdrawal.number)
        payouts.pay(withdrawal.pk)
        withdrawal.refresh_from_db()
        assert (withdrawal.state, withdrawal.last_answer) == (State.PAYING, "PAYEE_NOT_EXIST")
        assert withdrawal.due_at == withdrawal.unsure_until > timezone.now() + timedelta(minutes=10)
        doubt_over(withdrawal.number)
        payouts.pay(withdrawal.pk)
    assert (state(withdrawal.number), points_of(withdrawal)) == (State.RETURNED, 100_000)
    assert list(breaches()) == []


def test_pauses_grow_while_nobody_knows(settings, withdrawal):
    """Our own account is empty, say: the person waits, and operators see why."""
    approved(withdrawal)
    empty = Result(Said.UNKNOWN, reason="PAYER_BALANCE_NOT_ENOUGH")
    pauses = []
    with gateway(settings, *([empty] * 8)):
        for _ in range(8):
            wait_over(withdrawal.number)
            before = timezone.now()
            payouts.pay(withdrawal.pk)
            withdrawal.refresh_from_db()
            pauses.append(round((withdrawal.due_at - before).total_seconds() / 30))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert (withdrawal.last_answer, withdrawal.tries) == ("PAYER_BALANCE_NOT_ENOUGH", 8)


def test_a_worker_that_dies_while_it_pays_leaves_it_to_the_next(settings, withdrawal):
    approved(withdrawal)
    with gateway(settings, "paid, dies") as bank:
        with pytest.raises(SystemExit):
            payouts.pay(withdrawal.pk)
        assert state(withdrawal.number) == State.PAYING
        wait_over(withdrawal.number)
        payouts.pay(withdrawal.pk)
    assert [what for what, _ in bank.asked] == ["transfer", "query"]
    assert list(bank.paid) == [withdrawal.number]
    assert state(withdrawal.number) == State.SETTLED


def test_a_late_answer_of_an_earlier_turn_counts_only_if_it_is_yes(settings, withdrawal):
    """Two workers, of which the first was slower than its pause."""
    approved(withdrawal)
    slow = payouts._take(withdrawal.pk)
    wait_over(withdrawal.number)
    quick = payouts._take(withdrawal.pk)
    payouts._note(slow, NO, transferred=True)
    assert state(withdrawal.number) == State.PAYING
    payouts._note(slow, Result(Said.PAID, number="ali-1"), transferred=True)
    payouts._note(quick, Result(Said.PAID, number="ali-1"), transferred=False)
    payouts._note(quick, NO, transferred=True)
    assert (state(withdrawal.number), points_of(withdrawal)) == (State.SETTLED, 98_000)
    assert list(breaches()) == []


def test_the_ledger_itself_lets_nobody_both_pay_and_return(withdrawal):
    from heihei_site.realtime.publish import telling

    with telling():
        withdrawals.settle(withdrawals.hold(withdrawal.pk), gateway_number="1")
    with pytest.raises(KeyReused), telling():
        withdrawals.give_back(withdrawals.hold(withdrawal.pk), reason="x")
    assert points_of(withdrawal) == 98_000


def test_the_twin_pays_a_number_once(settings, tmp_path, withdrawal):
    from heihei_site.providers import outbox, registry

    settings.VAR_DIR = tmp_path
    approved(withdrawal)
    payouts.pay(withdrawal.pk)
    again = registry.payouts().transfer(number=withdrawal.number, fen=1_000, payee=Payee(ACCOUNT, "王小明"))
    assert again == registry.payouts().query(withdrawal.number) == Result(Said.PAID, number=f"dev-{withdrawal.number}")
    (line,) = outbox.lines("payouts")
    assert (line["number"], line["fen"], line["account"], line["paid"]) == (withdrawal.number, 1_000, ACCOUNT, True)


def test_what_the_books_and_the_rows_say_is_compared(withdrawal):
    Withdrawal.objects.filter(pk=withdrawal.pk).update(state=State.SETTLED, closed_at=timezone.now())
    assert [breach.promise for breach in breaches()] == [
        "frozen points are those of open withdrawals",
        "a withdrawal is closed in the ledger as it is in its row",
        "every withdrawal that is to be paid was approved by another, and every paid one has the gateway's number",
    ]
    Withdrawal.objects.all().delete()
    assert [breach.promise for breach in breaches()] == [
        "frozen points are those of open withdrawals",
        "every frozen, paid and returned withdrawal has its row",
    ]


# --- The console --------------------------------------------------------------------------------------------------


def console(user):
    client = Client()
    client.force_login(user)
    return client


def act(client, action, *rows, **said):
    values = {"action": action, "_selected_action": [row.pk for row in rows], **said}
    return client.post(LIST, values, follow=True).content.decode()


def helper(*rights):
    user = User.objects.create_user("helper", "", "x", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    return user


def test_the_queue_shows_what_is_asked_for_with_stars(withdrawal):
    large = of(20_000)
    page = console(operator()).get(f"{LIST}?state__exact=0").content.decode()
    for text in ("¥10.00", "¥200.00", "0 / 1", "0 / 2", "138****1111", "王**", large.number):
        assert text in page
    assert ACCOUNT not in page
    one = console(User.objects.get(username="op")).get(f"{LIST}{large.pk}/change/").content.decode()
    assert "138****1111" in one
    assert f"/admin/payment/alipayaccount/{large.owner_id}/change/" in one


def test_the_queue_begins_with_what_waits_the_oldest_first_and_says_for_how_long(withdrawal):
    young, done = of(1_001), of(1_002)
    decisions.reject(operator=operator("other"), withdrawal_id=done.pk, reason="x")
    Withdrawal.objects.filter(pk=withdrawal.pk).update(created_at=timezone.now() - timedelta(hours=30))
    page = console(operator())

    def shown(**said):
        return [row.pk for row in page.get(LIST, said).context["cl"].result_list]

    assert shown() == [withdrawal.pk, young.pk]
    assert "1 日" in page.get(LIST).content.decode().replace("\xa0", " ")
    assert shown(state__exact="4") == [done.pk]
    assert shown(state__exact="all") == shown(state__exact="nonsense") == [done.pk, young.pk, withdrawal.pk]
    assert shown(q=done.number) == [done.pk]
    assert shown(q=done.number, state__exact="0") == []


def test_all_of_a_view_is_what_the_view_shows(withdrawal):
    """Not what was decided before, which the list does not show."""
    other = of(1_001)
    approved(other)
    said = {"select_across": "1", "answered": "yes", "reason": "x"}
    assert "已退回 1 笔" in act(console(operator("other")), "reject", withdrawal, **said)
    assert (state(withdrawal.number), state(other.number)) == (State.RETURNED, State.APPROVED)


def test_operators_approve_and_reject_in_the_queue(settings, tmp_path, withdrawal):
    settings.VAR_DIR = tmp_path
    other, page = of(1_500), console(operator())
    assert "已同意 1 笔" in act(page, "approve", withdrawal)
    assert "已经处理过" in act(page, "approve", withdrawal)
    assert "退回原因" in act(page, "reject", other)
    assert state(other.number) == State.REQUESTED
    assert "已退回 1 笔" in act(page, "reject", other, answered="yes", reason="资料不符")
    assert state(other.number) == State.RETURNED
    assert state(withdrawal.number) == State.SETTLED  # jobs run at once here


def test_who_may_only_look_decides_nothing(withdrawal):
    page = console(helper("view_withdrawal"))
    assert withdrawal.number in page.get(LIST).content.decode()
    act(page, "approve", withdrawal)
    act(page, "reject", withdrawal, answered="yes", reason="x")
    assert page.post(f"{LIST}{withdrawal.pk}/change/", {"state": 1}).status_code == 403
    assert page.post(f"{LIST}{withdrawal.pk}/delete/", {"post": "yes"}).status_code == 403
    assert state(withdrawal.number) == State.REQUESTED
    assert Decision.objects.count() == 0


def test_operators_see_the_limits(settings):
    settings.WITHDRAWAL_DAY = 123_400
    page, address = console(operator()), reverse("admin:payment_withdrawal_show_limits")
    text = page.get(address).content.decode()
    assert "1,234.00 元" in text
    assert "WITHDRAWAL_DAY" in text
    assert "RECHARGE_CAP_NEW" in text
    assert f'href="{address}"' in page.get(LIST).content.decode()


def test_the_gateway_here_pays_each_number_once():
    """The tests' own: what it cannot do, the code under test must not ask of it."""
    bank = Gateway()
    Gateway.answers, Gateway.asked, Gateway.paid, Gateway.orders = [], [], {}, {}
    payee = Payee(ACCOUNT, "王小明")
    assert bank.query("1").said == Said.NEVER_HEARD
    assert bank.transfer(number="1", fen=1, payee=payee) == bank.transfer(number="1", fen=1, payee=payee)
    assert bank.query("1").said == Said.PAID
    assert len(bank.paid) == 1


def test_one_that_no_key_opens_waits_and_holds_up_no_other(settings, withdrawal, monkeypatch):
    sealed = approved(withdrawal)
    monkeypatch.setattr(payouts, "AT_ONCE", 1)
    with gateway(settings) as asked:
        keys, settings.SEAL_KEYS = settings.SEAL_KEYS, ["another key of thirty-two characters"]
        other = approved(of(1_500), User.objects.get(username="op"))
        tasks.pay_withdrawals()
        assert state(sealed.number) == State.APPROVED
        sealed.refresh_from_db()
        assert sealed.last_answer == "WrongKey" and sealed.due_at > timezone.now()
        tasks.pay_withdrawals()
        assert list(asked.paid) == [other.number]
        settings.SEAL_KEYS = keys
        wait_over(sealed.number)
        tasks.pay_withdrawals()
        assert state(sealed.number) == State.SETTLED


def test_the_queue_can_be_worked_on_though_no_key_opens_one_of_it(settings, client, withdrawal):
    settings.SEAL_KEYS = ["another key of thirty-two characters"]
    client.force_login(operator())
    page = client.get(LIST)
    assert page.status_code == 200
    assert withdrawal.number in page.content.decode() and "无法解密" in page.content.decode()
    assert client.get(f"{LIST}{withdrawal.pk}/change/").status_code == 200
    assert client.get("/admin/payment/alipayaccount/").status_code == 200
    assert client.get(f"/admin/payment/alipayaccount/{withdrawal.owner_id}/change/").status_code == 200
    said = {"action": "open_details", "_selected_action": [withdrawal.owner_id], "answered": "yes", "reason": "x"}
    assert "无法解密" in client.post("/admin/payment/alipayaccount/", said, follow=True).content.decode()
    assert list(statements.alipay_accounts(withdrawal.owner_id)) == []


def test_the_doubt_is_measured_by_the_databases_clock(settings, withdrawal, monkeypatch):
    approved(withdrawal)
    with gateway(settings, Said.UNKNOWN, Result(Said.NEVER_HEARD), NO):
        tasks.pay_withdrawals()
        wait_over(withdrawal.number)
        ahead = timezone.now() + timedelta(hours=1)
        monkeypatch.setattr(timezone, "now", lambda: ahead)
        tasks.pay_withdrawals()
        assert state(withdrawal.number) == State.PAYING
