"""Orders against transfers, refunds, and the gateways' own books: what is wrong is found, by the command, the page and
the monitor."""

import zipfile
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from heihei_site.providers.gateways import alipay as alipay_module
from heihei_site.providers.gateways import wechat as wechat_module
from heihei_site.providers.gateways.base import BillLine, GatewayFault, RefundRefused
from payment import audit, ledger
from payment.exchange_models import P2gPackage
from payment.order_models import Bill, Notification, Order, Refund
from payment.reconciliation import breaches
from payment.services import bills, refunds
from payment.tasks import settle_orders
from tests import factories
from tests.payment.gateways import alipay, begin, pay, send, wechat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("packages")]


@pytest.fixture
def buyer():
    return factories.person()


@pytest.fixture
def phone(api, buyer):
    return api(buyer)


def broken():
    return {breach.promise: breach.detail for breach in breaches()}


class TestPromises:
    def test_paid_without_gold_and_gold_without_being_paid(self, phone):
        order, other = begin(phone), begin(phone)
        pay(other)
        Order.objects.filter(pk=order.pk).update(state="paid")
        Order.objects.filter(pk=other.pk).update(state="closed")
        found = [
            b.detail for b in breaches() if b.promise == "every paid order was credited once and in full, and no other"
        ]
        assert found == [
            f"order {order.number} of 60 gold is paid, credited 0",
            f"order {other.number} of 60 gold is closed, credited 60",
        ]

    def test_credited_with_another_amount(self, phone):
        order = begin(phone)
        pay(order)
        Order.objects.update(gold=61)
        assert f"order {order.number} of 61 gold is paid, credited 60" in broken().values()

    def test_a_recharge_of_no_order(self, buyer):
        purse, till = ledger.gold(buyer.pk), ledger.house("recharges", ledger.Currency.GOLD)
        ledger.post(key="recharge:1", reason="recharge", legs=[ledger.Leg(purse, 5), ledger.Leg(till, -5)])
        assert broken() == {"every recharge is an order's": "transfer recharge:1 has none"}

    def test_a_refund_that_took_nothing_back(self, phone):
        order = begin(phone)
        pay(order)
        Order.objects.update(state="refunded")
        Refund.objects.create(order=order, state="succeeded", gold=60)
        assert set(broken()) == {"every refund took its gold back, and gave it again where it came to nothing"}

    def test_refunded_without_a_refund(self, phone):
        pay(begin(phone))
        Order.objects.update(state="refunded")
        assert "an order is refunded exactly where its refund succeeded" in broken()

    def test_a_notification_that_nobody_settles(self, phone, monkeypatch):
        from payment.services import notifications

        monkeypatch.setattr(notifications, "settle_soon", lambda kept: None)
        pay(begin(phone))
        assert broken() == {}
        Notification.objects.update(received_at=timezone.now() - timedelta(minutes=11))
        assert "what a gateway told us is settled within ten minutes" in broken()


class TestBills:
    @pytest.fixture(autouse=True)
    def yesterday(self, monkeypatch):
        """What was paid today is in the bill of today, which is over for the purpose of these tests."""
        self.day = timezone.localdate()

    @pytest.mark.parametrize("channel", ["alipay", "wechat"])
    def test_a_day_that_agrees(self, phone, channel):
        pay(begin(phone, channel))
        begin(phone, channel)
        bill = bills.fetch(channel=bills.Channel(channel), day=self.day)
        assert [line.fen for line in bill.lines.filter(order_number__in=Order.objects.values("number"))] == [600]

    def of(self, channel, *lines):
        bill = Bill.objects.create(channel=channel, day=self.day)
        for order, fen in lines:
            bill.lines.create(order_number=order, gateway_number="1", fen=fen)

    def test_paid_at_the_gateway_and_not_here(self, phone):
        order = begin(phone)
        self.of("alipay", (order.number, 600), ("1" * 24, 100))
        found = [b.detail for b in breaches() if b.promise.startswith("every payment in a gateway's bill")]
        assert found == [
            f"alipay {self.day}: 600 fen for order {order.number}, which is created of 600",
            f"alipay {self.day}: 100 fen for order {'1' * 24}, which is none",
        ]

    def test_paid_here_and_not_at_the_gateway(self, phone):
        order = begin(phone, "wechat")
        pay(order)
        self.of("wechat")
        assert broken() == {
            "every order paid on a billed day is in the bill": (
                f"wechat {self.day}: order {order.number} of 600 fen is not"
            )
        }

    def test_paid_back_in_the_gateways_console_without_a_word(self, phone):
        order = begin(phone)
        pay(order)
        self.of("alipay", (order.number, 600), (order.number, -600))
        assert set(broken()) == {"every refund in a gateway's bill is ours"}

    def test_a_payment_we_never_heard_of_is_asked_about_at_once(self, phone, buyer):
        order = begin(phone)
        alipay().book.pay(order.number, 600)
        bills.fetch(bills.Channel.ALIPAY, self.day)
        settle_orders()
        assert ledger.balances(buyer.pk).gold == 60

    def test_each_day_is_fetched_once_and_what_was_not_to_be_had_is_asked_for_again(self, monkeypatch):
        monkeypatch.setattr(wechat(), "bill", lambda day: (_ for _ in ()).throw(GatewayFault("status 500")))
        assert len(bills.fetch_missing()) == bills.DAYS
        monkeypatch.undo()
        assert {bill.channel for bill in bills.fetch_missing()} == {"wechat"}
        assert bills.fetch_missing() == []

    @pytest.mark.parametrize(
        "said", ["商户订单号\r\n2026A\r\n", "微信订单号,商户订单号,交易状态,订单金额\r\n`1,`2,`SUCCESS,`?\r\n"]
    )
    def test_a_bill_that_cannot_be_read_holds_up_no_other(self, monkeypatch, said):
        monkeypatch.setattr(wechat(), "bill", lambda day: list(wechat_module.lines_of_bill(said.encode())))
        assert [bill.channel for bill in bills.fetch_missing()] == ["alipay"] * bills.DAYS

    def test_nor_does_alipays(self):
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            text = "支付宝交易号,商户订单号,业务类型,订单金额（元）\r\n1,2,交易,?\r\n"
            archive.writestr("bill.csv", text.encode("gbk"))
        with pytest.raises(GatewayFault):
            list(alipay_module.lines_of_bill(packed.getvalue()))

    def test_wechats_csv(self):
        head = "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,订单金额,退款金额"
        text = (
            f"\ufeff{head}\r\n"
            "`2026-11-28 10:00:00,`wx1,`190,`42001,`2026A,`SUCCESS,`6.00,`0.00\r\n"
            "`2026-11-28 11:00:00,`wx1,`190,`42002,`2026B,`REFUND,`0.00,`38.01\r\n"
            "总交易单数,应结订单总金额\r\n`2,`6.00\r\n"
        )
        assert list(wechat_module.lines_of_bill(text.encode())) == [
            BillLine("2026A", "42001", 600),
            BillLine("2026B", "42002", -3801),
        ]
        with pytest.raises(GatewayFault):
            list(wechat_module.lines_of_bill(b"<html>"))

    def test_alipays_zip_of_csvs(self):
        text = (
            "#支付宝业务明细查询\r\n#账号：[2088]\r\n"
            "支付宝交易号,商户订单号,业务类型,商品名称,订单金额（元）\r\n"
            "20261,2026A\t,交易,黑黑钻石,6.00\r\n20262,2026B\t,退款,黑黑钻石,-38.01\r\n#-----明细列表结束-----\r\n"
        )
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("2088_业务明细(汇总).csv".encode("gbk").decode("cp437"), "sums".encode("gbk"))
            archive.writestr("2088_业务明细.csv".encode("gbk").decode("cp437"), text.encode("gbk"))
        assert list(alipay_module.lines_of_bill(packed.getvalue())) == [
            BillLine("2026A", "20261", 600),
            BillLine("2026B", "20262", -3801),
        ]
        with pytest.raises(GatewayFault):
            list(alipay_module.lines_of_bill(b"no archive"))


class TestOperatorsRefunds:
    @pytest.fixture
    def operator(self):
        return factories.person(username="op", is_staff=True, is_superuser=True)

    def paid(self, phone, channel="wechat"):
        order = begin(phone, channel, 1)
        pay(order)
        order.refresh_from_db()
        return order

    @pytest.mark.parametrize("channel", ["alipay", "wechat"])
    def test_the_gold_goes_first_then_the_money(self, phone, buyer, operator, channel):
        order = self.paid(phone, channel)
        refund = refunds.begin(order, by=operator, reason="点错了")
        order.refresh_from_db()
        assert (order.state, refund.state, ledger.balances(buyer.pk).gold) == ("paid", "requested", 0)
        settle_orders()
        order.refresh_from_db()
        refund.refresh_from_db()
        assert (order.state, refund.state) == ("refunded", "succeeded")
        book = {"alipay": alipay, "wechat": wechat}[channel]().book
        assert [(number, fen) for number, fen, _ in book.payment(order.number).refunds] == [(refund.number, 3800)]
        assert broken() == {}

    def test_asked_again_it_is_the_same_refund(self, phone, buyer, operator):
        order = self.paid(phone)
        refund = refunds.begin(order, by=operator, reason="a")
        with pytest.raises(refunds.NotRefundable):
            refunds.begin(order, by=operator, reason="b")
        for _ in range(2):
            refunds.ask(refund.pk)
        assert len(wechat().book.payment(order.number).refunds) == 1
        assert (ledger.balances(buyer.pk).gold, ledger.debt(buyer.pk)) == (0, 0)
        assert broken() == {}

    def test_where_the_gateway_will_not_the_gold_is_given_again(self, phone, buyer, operator, monkeypatch):
        order = self.paid(phone)
        refund = refunds.begin(order, by=operator, reason="a")

        def refuse(**what):
            raise RefundRefused("USER_ACCOUNT_ABNORMAL")

        monkeypatch.setattr(wechat(), "refund", refuse)
        for _ in range(2):
            refunds.ask(refund.pk)
        order.refresh_from_db()
        refund.refresh_from_db()
        assert (order.state, refund.state, refund.refused) == ("paid", "failed", "USER_ACCOUNT_ABNORMAL")
        assert ledger.balances(buyer.pk).gold == 380
        assert broken() == {}

    def test_a_no_that_comes_after_the_money_is_back_changes_nothing(self, phone, buyer, operator, monkeypatch):
        """Paid back in the console as well: else the buyer had the money and the gold."""
        order = self.paid(phone)
        refund = refunds.begin(order, by=operator, reason="a")
        back = {
            "mchid": wechat().account.merchant_id,
            "out_trade_no": order.number,
            "refund_status": "SUCCESS",
            "amount": {"total": 3800, "refund": 3800},
        }

        def refuse(**what):
            send("wechat", wechat().signed(back, event="REFUND.SUCCESS", kind="refund"))
            raise RefundRefused("INVALID_REQUEST")

        monkeypatch.setattr(wechat(), "refund", refuse)
        refunds.ask(refund.pk)
        order.refresh_from_db()
        refund.refresh_from_db()
        assert (order.state, refund.state) == ("refunded", "succeeded")
        assert (ledger.balances(buyer.pk).gold, ledger.debt(buyer.pk)) == (0, 0)
        assert broken() == {}

    def test_money_that_is_back_while_our_own_refund_is_given_up_takes_the_gold(
        self, phone, buyer, operator, monkeypatch
    ):
        order = self.paid(phone)
        refund = refunds.begin(order, by=operator, reason="a")
        succeed = refunds._succeed

        def given_up_meanwhile(ours):
            refunds._undo(refund, Refund.State.REQUESTED, Refund.State.FAILED, refused="INVALID_REQUEST")
            return succeed(ours)

        monkeypatch.setattr(refunds, "_succeed", given_up_meanwhile)
        wechat().book.refund(order.number, "console", 3800)
        back = {
            "mchid": wechat().account.merchant_id,
            "out_trade_no": order.number,
            "refund_status": "SUCCESS",
            "amount": {"total": 3800, "refund": 3800},
        }
        assert send("wechat", wechat().signed(back, event="REFUND.SUCCESS", kind="refund")).status_code == 200
        order.refresh_from_db()
        assert (order.state, ledger.balances(buyer.pk).gold) == ("refunded", 0)
        assert broken() == {}

    def test_where_nobody_knows_it_is_asked_for_again_under_the_same_number(self, phone, operator, monkeypatch):
        order = self.paid(phone)
        refund = refunds.begin(order, by=operator, reason="a")
        asked = []

        def hang(**what):
            asked.append(what["refund"])
            raise GatewayFault("ReadTimeout")

        monkeypatch.setattr(wechat(), "refund", hang)
        settle_orders()
        settle_orders()
        assert asked == [refund.number]  # within its lease by one worker only
        monkeypatch.undo()
        Refund.objects.update(next_try_at=timezone.now())
        settle_orders()
        order.refresh_from_db()
        assert order.state == "refunded"

    @pytest.mark.parametrize("channel", ["alipay", "iap"])
    def test_what_is_not_paid_or_the_stores_is_not_refunded(self, phone, operator, channel, buyer):
        order = begin(phone, channel)
        with pytest.raises(refunds.NotRefundable):
            refunds.begin(order, by=operator, reason="a")
        assert not Refund.objects.exists()
        assert (ledger.balances(buyer.pk).gold, ledger.debt(buyer.pk)) == (0, 0)


class TestConsole:
    @pytest.fixture
    def operator(self, client):
        self.who = factories.person(username="op", is_staff=True, is_superuser=True)
        client.force_login(self.who)
        return client

    def act(self, client, order, **more):
        said = {"action": "refund", "_selected_action": [order.pk], **more}
        return client.post("/admin/payment/order/", said, follow=True)

    def test_an_operator_pays_back_with_a_reason(self, operator, phone, buyer):
        order = begin(phone, "wechat")
        pay(order)
        assert "退款原因" in self.act(operator, order).content.decode()
        assert "已发起 1 笔退款" in self.act(operator, order, answered="yes", reason="误购").content.decode()
        refund = Refund.objects.get()
        assert (refund.order, refund.by, refund.reason) == (order, self.who, "误购")
        assert "0 笔退款，1 笔不能退款" in self.act(operator, order, answered="yes", reason="x").content.decode()

    def test_orders_are_found_by_number_person_and_the_gateways_number_by_index(self, operator, phone, api, buyer):
        order, other, of_another = begin(phone, "wechat"), begin(phone), begin(api(factories.person()))
        pay(order)
        order.refresh_from_db()

        def found(said):
            return set(operator.get("/admin/payment/order/", {"q": said}).context["cl"].queryset)

        for said in (order.number, f" {order.number} ", order.gateway_number):
            assert found(said) == {order}
        assert found(buyer.pk) == {order, other}
        assert found("") == {order, other, of_another}
        assert found("99999999999999999999") == found("%") == found(order.number[:-1]) == set()
        connection.cursor().execute("SET LOCAL enable_seqscan = off")
        rows = operator.get("/admin/payment/order/", {"q": order.number}).context["cl"].queryset
        assert "Seq Scan" not in rows.order_by().select_related(None).explain()

    def test_packages_show_what_a_yuan_and_a_hundred_points_buy(self, operator):
        assert "10.0" in operator.get("/admin/payment/package/").content.decode()
        P2gPackage.objects.create(desc="两折", point=1_000, gold=205)
        assert "20.5" in operator.get("/admin/payment/p2gpackage/", {"q": "两折"}).content.decode()

    def test_the_page_of_promises_is_for_who_may_see_transfers(self, client):
        client.force_login(factories.person(username="helper", is_staff=True))
        assert client.get("/admin/payment/transfer/reconciliation/", follow=True).status_code == 403

    def test_without_the_permission_nobody_does(self, client, phone, buyer):
        from django.contrib.auth.models import Permission

        viewer = factories.person(username="viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_order"))
        client.force_login(viewer)
        order = begin(phone, "wechat")
        pay(order)
        assert client.get("/admin/payment/order/").status_code == 200
        self.act(client, order, answered="yes", reason="误购")
        assert not Refund.objects.exists()
        viewer.user_permissions.add(Permission.objects.get(codename="refund_order"))
        self.act(client, order, answered="yes", reason="误购")
        assert Refund.objects.get().by == viewer

    @pytest.mark.parametrize("model", ["order", "notification", "refund", "bill"])
    def test_nothing_of_it_can_be_touched(self, operator, phone, model):
        order = begin(phone, "wechat")
        pay(order)
        refunds.begin(order, by=self.who, reason="a")
        bills.fetch(bills.Channel.WECHAT, timezone.localdate())
        (address,) = [f"/admin/payment/{model}/"]
        row = {"order": Order, "notification": Notification, "refund": Refund, "bill": Bill}[model].objects.first()
        assert operator.get(address).status_code == 200
        assert operator.get(f"{address}{row.pk}/change/").status_code == 200
        assert operator.get(f"{address}add/").status_code == 403
        assert operator.post(f"{address}{row.pk}/change/", {"state": "paid"}).status_code == 403
        assert operator.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_packages_are_changed_and_retired_but_not_removed(self, operator):
        assert "¥38.00" in operator.get("/admin/payment/package/").content.decode()
        assert operator.post("/admin/payment/package/101/delete/", {"post": "yes"}).status_code == 403

    def test_the_page_of_promises_says_what_is_wrong(self, operator, phone):
        address = "/admin/payment/transfer/reconciliation/"
        assert "账目无误" in operator.get(address, follow=True).content.decode()
        order = begin(phone)
        Order.objects.update(state="paid")
        page = operator.get(address, follow=True).content.decode()
        assert "账目有误" in page and f"order {order.number} of 60 gold is paid, credited 0" in page


class TestMonitor:
    def test_it_says_whether_all_is_well_and_names_no_order(self, phone):
        answer = Client().get("/health/audit")
        assert (answer.status_code, answer.json()["ok"], answer.json()["broken"]) == (200, True, {})
        begin(phone)
        Order.objects.update(state="paid")
        assert Client().get("/health/audit").status_code == 200  # no older than a minute
        cache.delete(audit._TURN)
        answer = Client().get("/health/audit")
        assert (answer.status_code, answer.json()["ok"]) == (503, False)
        assert answer.json()["broken"] == {"every paid order was credited once and in full, and no other": 1}

    def test_the_command_fails(self, phone, capsys):
        call_command("reconcile", "--fetch")
        assert "Fetched the bill alipay" in capsys.readouterr().out
        begin(phone)
        Order.objects.update(state="paid")
        with pytest.raises(CommandError, match="NOT sound"):
            call_command("reconcile")
        assert "credited 0" in capsys.readouterr().err
