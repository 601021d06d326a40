"""The gateway that says it ten times a second, both gateways at once, and everything on one purse: I2, I4."""

import pytest

from heihei_site.api.errors import NotEnoughGold
from payment import ledger
from payment.models import Transfer
from payment.order_models import Notification, Order, Refund
from payment.packages import seed_packages
from payment.reconciliation import breaches
from payment.services import refunds, settlement
from payment.services.purchases import pay_for
from tests import factories
from tests.payment.gateways import begin, notification, send, store, wechat
from tests.races.crowd import at_once, same_phone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def packages(db):
    seed_packages()


@pytest.fixture
def buyer():
    return factories.person()


def state(order):
    order.refresh_from_db()
    return order.state


@pytest.mark.parametrize("channel", ["alipay", "wechat"])
def test_ten_equal_notifications_in_a_second_are_gold_once_and_news_once(api, told, buyer, channel):
    order = begin(api(buyer), channel)
    notice = notification(order)
    told.clear()
    answers = at_once([lambda: send(channel, notice).status_code] * 10)
    assert answers == [200] * 10
    assert (state(order), ledger.balances(buyer.pk).gold) == ("paid", 60)
    assert Notification.objects.filter(verdict="accepted", settled_at__isnull=False).count() == 10
    assert len([message for message in told if message.get("action") == "order"]) == 1
    assert list(breaches()) == []


def test_both_gateways_say_that_they_were_paid_and_one_of_them_is_believed(api, buyer):
    order = begin(api(buyer), "alipay")
    notices = [("alipay", notification(order)), ("wechat", notification(order, "wechat"))]
    answers = at_once([lambda n=n: send(*n).status_code for n in notices * 4])
    assert sorted(answers) == [200] * 4 + [401] * 4
    assert ledger.balances(buyer.pk).gold == 60
    assert Notification.objects.filter(verdict="mismatched", reason="an order of another channel").count() == 4
    assert list(breaches()) == []


def test_closed_and_paid_at_once_is_paid_in_the_end(api, buyer):
    for _ in range(5):
        order = begin(api(buyer), "wechat")
        facts = wechat()._facts(wechat().book.begin(order.number, 600))
        closed = wechat().signed(facts | {"trade_state": "CLOSED"})
        paid = notification(order)
        at_once([lambda n=n: send("wechat", n) for n in (closed, paid, closed, paid)])
        assert state(order) == "paid"
    assert ledger.balances(buyer.pk).gold == 300
    assert list(breaches()) == []


def test_several_workers_settle_one_notification(api, buyer, monkeypatch):
    from payment.services import notifications

    order = begin(api(buyer))
    monkeypatch.setattr(notifications, "settle_soon", lambda kept: None)
    send("alipay", notification(order))
    (kept,) = settlement.waiting()
    at_once([lambda: settlement.settle(kept)] * 6)
    assert ledger.balances(buyer.pk).gold == 60
    assert Transfer.objects.filter(reason="recharge").count() == 1


def test_two_accounts_show_one_transaction_and_one_of_them_owns_it(api):
    for _ in range(4):
        people = [factories.person(), factories.person()]
        signed = store().purchase("productId_60")
        phones = [api(who) for who in people]
        orders = [begin(phone, "iap") for phone in phones]

        def show(phone, order):
            said = {"order": order.number, "status": 1, "data": signed}  # noqa: B023
            return lambda: same_phone(phone).post("payment/order-notify", **said)["errorcode"]

        deeds = [show(phone, order) for phone, order in zip(phones, orders, strict=True)]
        assert set(at_once(deeds * 3)) == {0, 727}
        assert sorted(ledger.balances(who.pk).gold for who in people) == [0, 60]
    assert list(breaches()) == []


def test_recharges_purchases_and_refunds_on_one_purse_at_once(api, buyer):
    operator = factories.person()
    phone = api(buyer)
    paid = [begin(phone, "wechat", 1) for _ in range(4)]
    for order in paid:
        send("wechat", notification(order))
    fresh = [notification(begin(phone, "wechat", 1)) for _ in range(4)]

    def spend(number):
        def deed():
            try:
                pay_for(user_id=buyer.pk, receiver_id=operator.pk, gold=100, reason="gift", key=f"race:{number}")
            except NotEnoughGold:
                return 0
            return 100

        return deed

    def pay_back(order):
        return lambda: refunds.begin(order, by=operator, reason="race").gold * 0

    def arrive(notice):
        return lambda: send("wechat", notice).status_code * 0

    deeds = []
    for number in range(4):
        deeds += [spend(number), pay_back(paid[number]), arrive(fresh[number]), spend(number + 10)]
    spent = sum(at_once(deeds))
    balances, owed = ledger.balances(buyer.pk), ledger.debt(buyer.pk)
    assert balances.gold - owed == 8 * 380 - 4 * 380 - spent
    assert 0 in (balances.gold, owed)
    assert ledger.balances(operator.pk).point == spent
    assert Refund.objects.count() == 4
    assert list(breaches()) == []


def test_the_store_says_several_times_at_once_that_it_has_paid_back(api, told, buyer):
    order, signed = begin(api(buyer), "iap"), store().purchase("productId_60")
    api(buyer).post("payment/order-notify", order=order.number, status=1, data=signed)
    told.clear()
    news = [store().news(deed, signed) for deed in ("REFUND", "REVOKE") * 3]
    assert at_once([lambda n=n: send("iap", n).status_code for n in news]) == [200] * 6
    assert (state(order), ledger.balances(buyer.pk).gold, ledger.debt(buyer.pk)) == ("refunded", 0, 0)
    assert [m["change"] for m in told if m.get("action") == "order"] == [-60]
    assert settlement.waiting() == []
    assert list(breaches()) == []


def test_one_refund_is_begun_by_two_operators_at_once(api, buyer):
    order = begin(api(buyer), "wechat", 1)
    send("wechat", notification(order))
    operators = [factories.person(), factories.person()]

    def deed(operator):
        def run():
            try:
                return refunds.begin(Order.objects.get(pk=order.pk), by=operator, reason="a").gold
            except refunds.NotRefundable:
                return 0

        return run

    assert sorted(at_once([deed(operator) for operator in operators])) == [0, 380]
    assert (ledger.balances(buyer.pk).gold, ledger.debt(buyer.pk)) == (0, 0)
    assert list(breaches()) == []


def test_two_phones_do_not_pass_below_the_cap_together(api, buyer, settings):
    settings.RECHARGE_CAP = 3 * 9800
    phone = api(buyer)
    said = {"packageId": 103, "channel": "alipay"}
    answers = at_once([lambda: same_phone(phone).post("payment/create-order", **said)["errorcode"]] * 8)
    assert sorted(answers) == [0] * 3 + [721] * 5
