"""Buying gold, through the front door."""

import time
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from heihei_site.providers.gateways.base import GatewayFault
from payment import ledger
from payment.models import Transfer
from payment.order_models import Notification, Order, Package, Refund
from payment.packages import seed_packages
from payment.reconciliation import breaches
from payment.services import order_queries, orders, settlement
from payment.tasks import settle_orders
from tests import factories
from tests.payment.gateways import alipay, begin, notification, pay, said, send, store, wechat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("packages")]
ACCEPTED = {
    "alipay": (200, "success"),
    "wechat": (200, '{"code": "SUCCESS", "message": "成功"}'),
    "iap": (200, ""),
}


@pytest.fixture(autouse=True)
def nothing_is_left_wrong():
    yield
    assert list(breaches()) == []


@pytest.fixture
def buyer():
    return factories.person()


@pytest.fixture
def phone(api, buyer):
    return api(buyer)


class TestPackages:
    @pytest.mark.parametrize("channel", ["alipay", "wechat", "iap"])
    def test_each_channel_sells_its_own_three(self, phone, channel):
        packages = phone.get("payment/list-package", channel=channel)["packages"]
        assert [(p["gold"], p["payMoney"], p["originMoney"]) for p in packages] == [
            (60, 600, 600),
            (380, 3800, 3800),
            (980, 9800, 9800),
        ]
        assert {p["channel"] for p in packages} == {channel}
        assert packages[0].keys() == {"id", "channel", "productId", "desc", "gold", "payMoney", "originMoney"}

    def test_no_two_channels_share_an_id(self):
        assert len(set(Package.objects.values_list("pk", flat=True))) == 9

    @pytest.mark.parametrize("channel", ["paypal", "", "Alipay"])
    def test_an_unknown_channel_is_a_wrong_parameter(self, phone, channel):
        assert phone.get("payment/list-package", channel=channel)["errorcode"] == 700

    def test_seeding_again_changes_nothing_that_operators_changed(self):
        Package.objects.filter(pk=101).update(pay_money=1)
        seed_packages()
        assert Package.objects.count() == 9
        assert Package.objects.get(pk=101).pay_money == 1

    def test_what_is_retired_is_neither_listed_nor_sold(self, phone):
        Package.objects.filter(pk=101).update(active=False)
        assert [p["id"] for p in phone.get("payment/list-package", channel="alipay")["packages"]] == [102, 103]
        assert phone.post("payment/create-order", packageId=101, channel="alipay")["errorcode"] == 726


class TestBeginning:
    def test_for_alipay_the_data_is_the_signed_order_string(self, phone):
        """B49: an object in its place, and payment does not start."""
        answer = phone.post("payment/create-order", packageId=101, channel="alipay")
        assert (answer["errorcode"], answer["productId"]) == (0, "productId_60")
        fields = {name: values[0] for name, values in parse_qs(answer["data"], strict_parsing=True).items()}
        assert fields["app_id"] == alipay().account.app_id and fields["method"] == "alipay.trade.app.pay"
        assert fields["notify_url"] == "http://127.0.0.1:8000/api/payment/alipaycallback"
        assert f'"out_trade_no":"{answer["order"]}"' in fields["biz_content"]
        assert '"total_amount":"6.00"' in fields["biz_content"]
        assert fields["sign_type"] == "RSA2" and fields["sign"]

    def test_for_wechat_it_is_the_object_for_its_sdk_and_every_value_is_text(self, phone):
        """B49: a string in its place, or an empty value, and payment does not start."""
        data = phone.post("payment/create-order", packageId=201, channel="wechat")["data"]
        assert data.keys() == {"appid", "partnerid", "prepayid", "noncestr", "timestamp", "package", "sign"}
        assert all(isinstance(value, str) and value for value in data.values())
        assert data["package"] == "Sign=WXPay"

    def test_for_the_app_store_it_is_the_account_token(self, phone):
        answer = phone.post("payment/create-order", packageId=301, channel="iap")
        assert answer["data"] == str(Order.objects.get(number=answer["order"]).account_token)
        assert answer["productId"] == "productId_60"

    @pytest.mark.parametrize(("package", "channel"), [(101, "wechat"), (201, "alipay"), (301, "alipay"), (999, "iap")])
    def test_a_package_of_another_channel_is_refused(self, phone, package, channel):
        assert phone.post("payment/create-order", packageId=package, channel=channel)["errorcode"] == 726
        assert not Order.objects.exists()

    @pytest.mark.parametrize("package", ["abc", "-1", "1e2", "", str(10**20)])
    def test_an_odd_package_is_a_business_error(self, phone, package):
        assert phone.post("payment/create-order", packageId=package, channel="alipay")["errorcode"] in (700, 726)

    def test_a_minor_is_refused(self, api):
        minor = factories.person(birthday=timezone.localdate() - timedelta(days=17 * 365))
        assert api(minor).post("payment/create-order", packageId=101, channel="alipay")["errorcode"] == 721
        assert (
            api(factories.person(birthday=None)).post("payment/create-order", packageId=101, channel="alipay")[
                "errorcode"
            ]
            == 721
        )
        assert not Order.objects.exists()

    def test_a_gateway_that_does_not_answer_is_said_so(self, phone, monkeypatch):
        def silent(self, due):
            raise GatewayFault("ReadTimeout")

        monkeypatch.setattr(type(wechat()), "begin", silent)
        answer = phone.post("payment/create-order", packageId=201, channel="wechat")
        assert (answer["errorcode"], answer["errormsg"]) == (400, "支付暂时不可用，请稍后再试")

    def test_what_could_not_be_begun_uses_up_nothing_of_the_day(self, phone, settings, monkeypatch):
        settings.RECHARGE_CAP = 2 * 600
        with monkeypatch.context() as away:
            away.setattr(type(wechat()), "begin", lambda self, due: (_ for _ in ()).throw(GatewayFault("ReadTimeout")))
            for _ in range(3):
                assert phone.post("payment/create-order", packageId=201, channel="wechat")["errorcode"] == 400
        begin(phone, "wechat")

    def test_an_order_has_the_price_of_its_moment(self, phone, buyer):
        order = begin(phone)
        Package.objects.update(gold=1, pay_money=1)
        assert said(pay(order)) == ACCEPTED["alipay"]
        assert ledger.balances(buyer.pk).gold == 60


class TestCap:
    def test_five_thousand_yuan_a_day_and_no_more(self, phone, buyer, settings):
        settings.RECHARGE_CAP = 2 * 9800
        for _ in range(2):
            pay(begin(phone, place=2))
        answer = phone.post("payment/create-order", packageId=101, channel="alipay")
        assert (answer["errorcode"], answer["errormsg"]) == (721, "今日充值已达上限")
        assert Order.objects.filter(buyer=buyer).count() == 2

    def test_what_is_begun_counts_while_it_may_be_paid(self, phone, settings):
        settings.RECHARGE_CAP = 9800 + 600
        begin(phone, place=2)
        assert phone.post("payment/create-order", packageId=102, channel="alipay")["errorcode"] == 721
        Order.objects.update(state=Order.State.CLOSED)
        begin(phone, "wechat", 2)

    def test_what_the_phone_calls_failed_may_still_be_paid_and_counts(self, phone, settings):
        """Else the cap is as high as somebody says 'failed' often."""
        settings.RECHARGE_CAP = 9800 + 600
        order = begin(phone, place=2)
        phone.post("payment/order-notify", order=order.number, status=2, data="6001")
        assert phone.post("payment/create-order", packageId=102, channel="alipay")["errorcode"] == 721
        Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        begin(phone, "wechat", 2)

    def test_yesterdays_does_not(self, phone, settings):
        settings.RECHARGE_CAP = 9800
        pay(begin(phone, place=2))
        Order.objects.update(settled_at=timezone.now() - timedelta(days=1))
        begin(phone, place=2)

    def test_a_new_account_and_a_minor_have_caps_of_their_own(self, api, settings):
        settings.MINOR_PROTECTION = False
        settings.RECHARGE_CAP_NEW, settings.RECHARGE_CAP_MINOR = 3800, 600
        now = timezone.now()
        new = factories.person()
        old = factories.person(date_joined=now - timedelta(days=2))
        minor = factories.person(birthday=now.date(), date_joined=now - timedelta(days=2))
        assert [orders.cap_of(who, now) for who in (new, old, minor)] == [3800, 500_000, 600]
        assert api(minor).post("payment/create-order", packageId=102, channel="alipay")["errorcode"] == 721


class TestPaying:
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("channel", ["alipay", "wechat"])
    def test_the_gold_comes_when_the_gateway_says_so_and_the_buyer_is_told(self, phone, buyer, told, channel):
        """B50: the app never says that it has paid."""
        order = begin(phone, channel, 1)
        assert ledger.balances(buyer.pk).gold == 0
        assert said(pay(order)) == ACCEPTED[channel]
        assert ledger.balances(buyer.pk).gold == 380
        order.refresh_from_db()
        assert (order.state, bool(order.gateway_number), bool(order.paid_at)) == ("paid", True, True)
        (news,) = [message for message in told if message.get("action") == "order"]
        assert (news["person"], news["order"], news["state"]) == (buyer.pk, order.number, "paid")
        assert (news["change"], news["gold"]) == (380, 380)

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("channel", ["alipay", "wechat"])
    def test_it_comes_once_however_often_it_is_said(self, phone, buyer, told, channel):
        order = begin(phone, channel)
        first = notification(order)
        for _ in range(3):
            assert said(send(channel, first)) == ACCEPTED[channel]
        assert said(pay(order)) == ACCEPTED[channel]
        assert ledger.balances(buyer.pk).gold == 60
        assert len([message for message in told if message.get("action") == "order"]) == 1
        assert Transfer.objects.filter(reason="recharge").count() == 1

    def test_every_notification_is_kept_as_it_came(self, phone):
        order = begin(phone)
        notice = notification(order)
        send("alipay", notice)
        (kept,) = Notification.objects.all()
        assert (kept.body, kept.verdict, kept.source) == (notice.body.decode(), "accepted", "callback")
        assert (kept.order, kept.address, bool(kept.settled_at)) == (order, "127.0.0.1", True)

    def test_the_gateway_closes_an_order(self, phone, buyer):
        order = begin(phone)
        assert said(pay(order, status="closed")) == ACCEPTED["alipay"]
        order.refresh_from_db()
        assert order.state == "closed"
        assert ledger.balances(buyer.pk).gold == 0

    def test_paid_after_all_a_day_late(self, phone, buyer):
        order = begin(phone)
        pay(order, status="closed")
        Order.objects.update(expires_at=timezone.now() - timedelta(days=1))
        assert said(pay(order)) == ACCEPTED["alipay"]
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("paid", 60)

    def test_closed_after_it_was_paid_changes_nothing(self, phone, buyer):
        order = begin(phone, "wechat")
        pay(order)
        facts = wechat()._facts(wechat().book.payment(order.number)) | {"trade_state": "CLOSED"}
        assert said(send("wechat", wechat().signed(facts))) == ACCEPTED["wechat"]
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("paid", 60)

    def test_a_notification_whose_job_got_lost_is_settled_by_the_sweep(self, phone, buyer, monkeypatch):
        from payment.services import notifications

        order = begin(phone)
        monkeypatch.setattr(notifications, "settle_soon", lambda kept: None)
        pay(order)
        assert ledger.balances(buyer.pk).gold == 0
        settle_orders()
        assert ledger.balances(buyer.pk).gold == 60
        settle_orders()
        assert ledger.balances(buyer.pk).gold == 60


class TestAsking:
    def test_the_phones_word_is_only_a_hint(self, phone, buyer):
        order = begin(phone)
        assert phone.post("payment/order-notify", order=order.number, status=1, data="9000") == {
            "errorcode": 0,
            "errormsg": "success",
            "order": order.number,
        }
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("created", 0)

    @pytest.mark.parametrize("channel", ["alipay", "wechat"])
    def test_the_hint_makes_us_ask_the_gateway(self, phone, buyer, channel):
        order = begin(phone, channel)
        registry_book(channel).pay(order.number, order.pay_money)
        for _ in range(2):
            assert phone.post("payment/order-notify", order=order.number, status=1, data="")["errorcode"] == 0
        assert ledger.balances(buyer.pk).gold == 60
        (kept,) = Notification.objects.all()
        assert (kept.source, kept.verdict) == ("query", "accepted")

    def test_a_failure_it_reports_ends_the_order_until_it_is_paid_after_all(self, phone, buyer):
        order = begin(phone)
        phone.post("payment/order-notify", order=order.number, status=2, data="6001")
        order.refresh_from_db()
        assert order.state == "failed"
        pay(order)
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("paid", 60)

    def test_it_cannot_fail_what_is_paid(self, phone, buyer):
        order = begin(phone)
        pay(order)
        assert phone.post("payment/order-notify", order=order.number, status=2, data="")["errorcode"] == 0
        order.refresh_from_db()
        assert order.state == "paid"

    @pytest.mark.parametrize("number", ["1", "nothing", "9" * 60])
    def test_an_unknown_order_is_refused(self, phone, number):
        assert phone.post("payment/order-notify", order=number, status=1, data="x")["errorcode"] == 727

    def test_anothers_order_does_not_exist(self, phone, api):
        order = begin(phone)
        alipay().book.pay(order.number, order.pay_money)
        stranger = api(factories.person())
        assert stranger.post("payment/order-notify", order=order.number, status=2, data="")["errorcode"] == 727
        order.refresh_from_db()
        assert order.state == "created"


def registry_book(channel):
    return {"alipay": alipay, "wechat": wechat}[channel]().book


class TestStaleOrders:
    def due(self, **ago):
        Order.objects.update(next_query_at=timezone.now() - timedelta(seconds=1))
        if ago:
            Order.objects.update(expires_at=timezone.now() - timedelta(**ago))

    def test_one_that_was_paid_without_a_word_is_found(self, phone, buyer):
        order = begin(phone, "wechat")
        wechat().book.pay(order.number, order.pay_money)
        self.due()
        settle_orders()
        assert ledger.balances(buyer.pk).gold == 60

    def test_one_that_nobody_pays_is_left_until_its_time_is_over_then_closed_at_the_gateway_first(self, phone):
        order = begin(phone, "wechat")
        self.due()
        settle_orders()
        order.refresh_from_db()
        assert order.state == "created" and order.next_query_at > timezone.now()
        self.due(minutes=5)
        settle_orders()
        order.refresh_from_db()
        assert (order.state, order.next_query_at) == ("closed", None)
        assert wechat().book.payment(order.number).state == "closed"

    def test_one_that_the_gateway_never_heard_of_is_closed_too(self, phone):
        order = begin(phone, "alipay")
        self.due(minutes=5)
        settle_orders()
        order.refresh_from_db()
        assert order.state == "closed"

    def test_one_that_is_paid_in_that_very_moment_is_paid(self, phone, buyer, monkeypatch):
        order = begin(phone, "wechat")
        gateway = wechat()
        ask = gateway.query

        def query_and_pay(number):
            trade = ask(number)
            gateway.book.pay(number, 600)
            return trade

        monkeypatch.setattr(gateway, "query", query_and_pay)
        self.due(minutes=5)
        settle_orders()
        order.refresh_from_db()
        assert order.state == "created"
        monkeypatch.undo()
        self.due()
        settle_orders()
        assert ledger.balances(buyer.pk).gold == 60

    def test_a_gateway_that_does_not_answer_is_asked_again(self, phone, monkeypatch):
        order = begin(phone, "wechat")
        monkeypatch.setattr(wechat(), "query", lambda number: (_ for _ in ()).throw(GatewayFault("ReadTimeout")))
        self.due(minutes=5)
        settle_orders()
        order.refresh_from_db()
        assert order.state == "created" and order.next_query_at > timezone.now()

    def test_each_is_asked_about_by_one_worker_at_a_time_and_more_seldom_as_it_ages(self, phone):
        order = begin(phone)
        Order.objects.update(created_at=timezone.now() - timedelta(minutes=10))
        self.due()
        assert order_queries.take_due() == [order.pk]
        assert order_queries.take_due() == []
        order.refresh_from_db()
        assert timedelta(minutes=9) < order.next_query_at - timezone.now() < timedelta(minutes=11)

    @pytest.mark.parametrize(("said_of_it", "state"), [("CLOSED", "closed"), ("PAYERROR", "failed")])
    def test_wechat_names_no_amount_for_what_nobody_paid(self, phone, buyer, monkeypatch, said_of_it, state):
        """We closed it there and died before we wrote it down: the next question ends it here too."""
        order = begin(phone, "wechat")
        facts = wechat()._facts(wechat().book.payment(order.number)) | {"trade_state": said_of_it}
        del facts["amount"]
        monkeypatch.setattr(wechat(), "_ask", lambda client, deed, **what: (200, facts))
        self.due(minutes=5)
        settle_orders()
        order.refresh_from_db()
        assert (order.state, order.next_query_at, ledger.balances(buyer.pk).gold) == (state, None, 0)
        assert not Notification.objects.filter(verdict="mismatched").exists()

    def test_what_is_closed_here_and_there_is_not_asked_about_for_ever(self, phone):
        order = begin(phone, "wechat")
        pay(order, status="closed")
        phone.post("payment/order-notify", order=order.number, status=1, data="")
        self.due()
        settle_orders()
        order.refresh_from_db()
        assert (order.state, order.next_query_at) == ("closed", None)


class TestRefunds:
    @pytest.mark.django_db(transaction=True)
    def test_the_gateways_own_refund_takes_the_gold_back(self, phone, buyer, told):
        order = begin(phone, "alipay", 1)
        pay(order)
        alipay().book.refund(order.number, "console", 3800)
        assert said(pay(order)) == ACCEPTED["alipay"]
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold, ledger.debt(buyer.pk)) == ("refunded", 0, 0)
        assert [(m["state"], m["change"]) for m in told if m.get("action") == "order"] == [
            ("paid", 380),
            ("refunded", -380),
        ]

    def test_spent_gold_is_owed_and_new_gold_pays_it(self, phone, buyer, gifts, api):
        live = factories.live()
        factories.inside(live, buyer)
        order = begin(phone, "wechat", 1)
        pay(order)
        assert phone.get("live/buy-gift", liveId=live.pk, giftId=117, amount=1, gift_uuid="u")["gold"] == 81
        refund = {
            "mchid": wechat().account.merchant_id,
            "out_trade_no": order.number,
            "transaction_id": "4200000001",
            "refund_status": "SUCCESS",
            "amount": {"total": 3800, "refund": 3800},
        }
        for _ in range(2):
            notice = wechat().signed(refund, event="REFUND.SUCCESS", kind="refund")
            assert said(send("wechat", notice)) == ACCEPTED["wechat"]
        assert (ledger.balances(buyer.pk).gold, ledger.debt(buyer.pk)) == (0, 299)
        assert Refund.objects.get().gold == 380
        pay(begin(phone, "wechat", 1))
        assert (ledger.balances(buyer.pk).gold, ledger.debt(buyer.pk)) == (81, 0)

    def test_a_refund_in_part_is_left_to_operators(self, phone, buyer):
        order = begin(phone, "alipay", 1)
        pay(order)
        alipay().book.refund(order.number, "console", 100)
        assert said(pay(order)) == ACCEPTED["alipay"]
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("paid", 380)

    def test_what_was_paid_back_before_we_heard_of_it_is_never_credited(self, phone, buyer):
        order = begin(phone, "alipay")
        paid = notification(order)
        alipay().book.refund(order.number, "console", 600)
        pay(order)
        assert said(send("alipay", paid)) == ACCEPTED["alipay"]
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("refunded", 0)
        assert Refund.objects.get().gold == 0


class TestAppStore:
    def show(self, phone, order, *signed):
        return phone.post("payment/order-notify", order=order.number, status=1, data=" ".join(signed))["errorcode"]

    def test_a_signed_transaction_is_gold_once(self, phone, buyer):
        order = begin(phone, "iap", 1)
        signed = store().purchase("productId_380")
        for _ in range(3):
            assert self.show(phone, order, signed) == 0
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("paid", 380)

    def test_one_that_is_shown_at_every_start_is_written_down_once(self, phone):
        order, signed = begin(phone, "iap"), store().purchase("productId_60")
        for _ in range(3):
            assert self.show(phone, order, signed) == 0
        assert Notification.objects.get().settled_at is not None

    def test_a_purchase_of_several_transactions_is_gold_for_each(self, phone, buyer):
        order = begin(phone, "iap")
        signed = [store().purchase("productId_60"), store().purchase("productId_980", quantity=2)]
        assert phone.post("payment/order-notify", order=order.number, status=1, data=str(signed).replace("'", '"')) == {
            "errorcode": 0,
            "errormsg": "success",
            "order": order.number,
        }
        assert ledger.balances(buyer.pk).gold == 60 + 2 * 980
        assert sorted(Order.objects.values_list("gold", "state")) == [(60, "paid"), (1960, "paid")]

    def test_a_transaction_is_one_accounts_for_ever(self, phone, api, buyer):
        signed = store().purchase("productId_60")
        assert self.show(phone, begin(phone, "iap"), signed) == 0
        thief = factories.person()
        other = api(thief)
        assert self.show(other, begin(other, "iap"), signed) == 727
        assert (ledger.balances(buyer.pk).gold, ledger.balances(thief.pk).gold) == (60, 0)

    def test_one_with_a_token_is_the_tokens_owners(self, phone, api, buyer):
        order = begin(phone, "iap")
        signed = store().purchase("productId_60", appAccountToken=str(order.account_token))
        thief = factories.person()
        other = api(thief)
        assert self.show(other, begin(other, "iap"), signed) == 727
        assert self.show(phone, begin(phone, "iap"), signed) == 0
        assert (ledger.balances(buyer.pk).gold, ledger.balances(thief.pk).gold) == (60, 0)
        order.refresh_from_db()
        assert order.state == "paid"

    def test_one_with_a_token_of_nobody_is_refused(self, phone, buyer):
        signed = store().purchase("productId_60", appAccountToken="00000000-0000-4000-8000-000000000000")
        assert self.show(phone, begin(phone, "iap"), signed) == 727
        assert ledger.balances(buyer.pk).gold == 0

    def test_apples_server_alone_is_enough_where_the_app_gave_the_token(self, phone, buyer):
        order = begin(phone, "iap", 2)
        notice = store().plays(order.product_id, str(order.account_token))
        for _ in range(2):
            assert said(send("iap", notice)) == ACCEPTED["iap"]
        assert ledger.balances(buyer.pk).gold == 980

    @pytest.mark.parametrize("deed", ["REFUND", "REVOKE"])
    def test_a_refund_or_revocation_takes_the_gold_back_once_and_a_reversal_gives_it_again(self, phone, buyer, deed):
        order = begin(phone, "iap", 1)
        signed = store().purchase("productId_380", transactionId="1000000000000001")
        self.show(phone, order, signed)
        factories.give_gold(buyer, 5)
        back = store().purchase("productId_380", transactionId="1000000000000001", revocationDate=1700000000000)
        for _ in range(2):
            assert said(send("iap", store().news(deed, back))) == ACCEPTED["iap"]
        assert (ledger.balances(buyer.pk).gold, ledger.debt(buyer.pk)) == (5, 0)
        assert self.show(phone, order, signed) == 0  # the old signed transaction is no gold any more
        assert ledger.balances(buyer.pk).gold == 5
        for _ in range(2):
            assert said(send("iap", store().news("REFUND_REVERSED", signed))) == ACCEPTED["iap"]
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("paid", 385)

    def test_what_was_refunded_before_it_was_shown_is_never_credited(self, phone, buyer):
        signed = store().purchase("productId_60", transactionId="1000000000000002")
        assert said(send("iap", store().news("REFUND", signed))) == ACCEPTED["iap"]
        order = begin(phone, "iap")
        self.show(phone, order, signed)
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("refunded", 0)

    def test_a_refund_that_is_settled_after_its_reversal_takes_nothing(self, phone, buyer, monkeypatch):
        from payment.services import notifications

        order = begin(phone, "iap")
        signed = store().purchase("productId_60")
        self.show(phone, order, signed)
        monkeypatch.setattr(notifications, "settle_soon", lambda kept: None)
        for deed in ("REFUND", "REFUND_REVERSED"):
            assert said(send("iap", store().news(deed, signed))) == ACCEPTED["iap"]
        for waiting in reversed(settlement.waiting()):
            settlement.settle(waiting)
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold, settlement.waiting()) == ("paid", 60, [])

    def hears(self, *news):
        for deed, signed, at in news:
            assert said(send("iap", store().news(deed, signed, signedDate=at * 1000))) == ACCEPTED["iap"]

    @pytest.mark.parametrize(
        ("heard", "gold"),
        [
            ([("REFUND", 1), ("REFUND_REVERSED", 2), ("REFUND", 1)], 60),
            ([("REFUND_REVERSED", 2), ("REFUND", 1)], 60),
            ([("REFUND", 1), ("REFUND_REVERSED", 2), ("REFUND", 3), ("REFUND_REVERSED", 2), ("REFUND", 1)], 0),
            ([("REFUND", 1), ("REFUND_REVERSED", 2), ("REFUND", 3), ("REFUND_REVERSED", 4), ("REFUND", 3)], 60),
        ],
        ids=["told again", "the other way round", "refunded for good", "given again for good"],
    )
    def test_of_a_refund_and_its_reversal_what_the_store_said_last_counts_whenever_it_is_heard(
        self, phone, buyer, heard, gold
    ):
        order, signed, now = begin(phone, "iap"), store().purchase("productId_60"), int(time.time())
        self.show(phone, order, signed)
        self.hears(*[(deed, signed, now + at) for deed, at in heard])
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("paid" if gold else "refunded", gold)
        assert settlement.waiting() == []

    def test_a_refund_told_again_does_not_keep_its_buyer_from_what_was_given_back_before_it_was_shown(
        self, phone, buyer
    ):
        signed, now = store().purchase("productId_60"), int(time.time())
        self.hears(("REFUND", signed, now), ("REFUND_REVERSED", signed, now + 1), ("REFUND", signed, now))
        order = begin(phone, "iap")
        self.show(phone, order, signed)
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("paid", 60)

    def test_what_was_heard_before_we_kept_when_it_was_signed_counts_as_of_when_it_came(self, phone, buyer):
        order, signed, now = begin(phone, "iap"), store().purchase("productId_60"), int(time.time())
        self.show(phone, order, signed)
        self.hears(("REFUND", signed, now - 60), ("REFUND_REVERSED", signed, now - 59))
        Notification.objects.update(signed_at=None)
        self.hears(("REFUND", signed, now - 60))
        assert ledger.balances(buyer.pk).gold == 60

    def test_a_refund_heard_of_while_the_phone_shows_its_purchase_takes_the_gold(self, phone, buyer, monkeypatch):
        from payment.services import notifications

        order, signed, keep = begin(phone, "iap"), store().purchase("productId_60"), notifications._keep

        def while_the_phone_shows_it(heard, **facts):
            if heard.source == "callback":
                assert self.show(phone, order, signed) == 0
                assert ledger.balances(buyer.pk).gold == 60
            return keep(heard, **facts)

        monkeypatch.setattr(notifications, "_keep", while_the_phone_shows_it)
        assert said(send("iap", store().news("REFUND", signed))) == ACCEPTED["iap"]
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("refunded", 0)

    def test_what_is_called_otherwise_by_now_is_still_what_was_ordered(self, phone, buyer):
        order = begin(phone, "iap")
        signed = store().purchase("productId_60", appAccountToken=str(order.account_token))
        Package.objects.filter(pk=301).update(product_id="renamed")
        assert self.show(phone, order, signed) == 0
        assert ledger.balances(buyer.pk).gold == 60
        assert said(send("iap", store().news("REFUND", signed))) == ACCEPTED["iap"]
        assert ledger.balances(buyer.pk).gold == 0

    def test_a_revoked_transaction_is_no_gold(self, phone, buyer):
        order = begin(phone, "iap")
        self.show(phone, order, store().purchase("productId_60", revocationDate=1700000000000))
        assert ledger.balances(buyer.pk).gold == 0

    @pytest.mark.parametrize("deed", ["TEST", "SUBSCRIBED", "NEW_ONE"])
    def test_other_news_is_answered_and_changes_nothing(self, deed):
        assert said(send("iap", store().news(deed))) == ACCEPTED["iap"]
        assert not Notification.objects.exists()

    def test_an_order_nobody_pays_is_closed(self, phone):
        order = begin(phone, "iap")
        past = timezone.now() - timedelta(hours=1)
        Order.objects.update(next_query_at=past, expires_at=past)
        settle_orders()
        order.refresh_from_db()
        assert order.state == "closed"
        self.show(phone, order, store().purchase("productId_60"))
        order.refresh_from_db()
        assert order.state == "paid"
