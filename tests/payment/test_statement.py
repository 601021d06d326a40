"""What each movement of somebody's money was about (payment/statement)."""

import pytest
from django.db import connection
from django.utils import timezone

from payment import ledger, statements
from payment.exchange_catalogue import seed_p2g_packages
from payment.models import Currency, Entry, Gift
from payment.order_models import Refund
from payment.packages import seed_packages
from payment.services import decisions, orders
from payment.services.gifts import Combo, give
from payment.services.purchases import pay_for
from payment.withdrawal_models import Withdrawal
from tests import factories
from tests.answers import ok, refused
from tests.payment.cash import ACCOUNT, earner, operator

pytestmark = pytest.mark.django_db
RECHARGES = ledger.house("recharges", Currency.GOLD)


def lines(phone, **params):
    return ok(phone.get("payment/statement", **params))["lines"]


def given(sender, receiver, gift=102, count=1):
    give(
        sender_id=sender.pk, receiver_id=receiver.pk, place="live:7", gift=Gift.objects.get(pk=gift),
        combo=Combo("u", count), repeat_key="",
    )  # fmt: skip


def test_each_line_names_what_it_was_about(api, gifts):
    seed_p2g_packages()
    user, fan = earner(points=10_000), factories.person(gold=500)
    phone = api(user)
    given(fan, user, gift=112)
    order = ok(phone.post("payment/p2g", packageId=1))["order"]
    given(user, fan)
    pay_for(user_id=user.pk, receiver_id=None, gold=10, reason="rename", key="r")
    pay_for(user_id=user.pk, receiver_id=fan.pk, gold=1, reason="bullet", key="b")
    number = ok(phone.post("payment/pay-req", alipaycode=ACCOUNT, payamount=1_000))["order"]
    decisions.reject(operator=operator(), withdrawal_id=Withdrawal.objects.get().pk, reason="x")
    shown = [(line["currency"], line["amount"], line["balance"], line["kind"], line["title"]) for line in lines(phone)]
    assert shown == [
        ("point", 2_000, 9_952, "withdrawal_returned", "提现退回"),
        ("point", -2_000, 7_952, "withdrawal", "提现"),
        ("gold", -1, 58, "bullet", "发弹幕"),
        ("gold", -10, 59, "rename", "修改昵称"),
        ("gold", -1, 69, "gift", "送出棒棒糖"),
        ("gold", 70, 70, "exchange", "黑票兑换钻石"),
        ("point", -100, 9_952, "exchange", "黑票兑换钻石"),
        ("point", 52, 10_052, "gift", "收到蛋糕"),
        ("point", 10_000, 10_000, "grant", "系统赠送"),
    ]
    first, second, *_, gift, exchanged, _, received, _ = lines(phone)
    assert (first["order"], first["status"], second["order"]) == (number, Withdrawal.State.RETURNED, number)
    assert (gift["giftId"], received["giftId"]) == (102, 112)
    assert exchanged["order"] == order
    assert "order" not in gift


def test_pages_follow_each_other_without_gap_or_repeat(api):
    user = factories.person()
    for number in range(23):
        factories.give_gold(user, number + 1)
    phone, seen, before = api(user), [], 0
    while True:
        page = ok(phone.get("payment/statement", before=before, limit=10))
        seen.append([line["amount"] for line in page["lines"]])
        before = page["before"]
        if not page["hasMore"]:
            break
        factories.give_gold(user, 99)  # what happens meanwhile moves nothing on the pages to come
    assert seen == [list(range(23, 13, -1)), list(range(13, 3, -1)), [3, 2, 1]]


def test_one_currency_alone(api):
    user = earner(points=5, account="", gold=7)
    phone = api(user)
    assert [line["currency"] for line in lines(phone)] == ["point", "gold"]
    assert [line["amount"] for line in lines(phone, currency="gold")] == [7]
    assert [line["amount"] for line in lines(phone, currency="point")] == [5]
    refused(phone.get("payment/statement", currency="dollar"), 700, "参数错误")


def test_nobody_sees_anothers(api):
    earner(points=5, gold=5)
    assert lines(api(factories.person())) == []


def test_an_unknown_kind_of_movement_is_shown_all_the_same(api):
    user = factories.person(gold=5)
    legs = [ledger.Leg(ledger.gold(user.pk), -1), ledger.Leg(ledger.house("somewhere", Currency.GOLD), 1)]
    ledger.post(key="odd", reason="new thing", legs=legs)
    assert [(line["amount"], line["title"]) for line in lines(api(user))] == [(-1, "其他"), (5, "系统赠送")]


@pytest.mark.parametrize("page", ["first", "last"])
def test_a_page_reads_no_more_than_it_shows(page):
    """By the index of each purse, from the position on: neither a sort of all nor a walk through others' lines, though
    these are all newer."""
    user = factories.person(gold=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM payment_account WHERE owner_id IS NULL LIMIT 1")
        (house,) = cursor.fetchone()
        account = user.accounts.get().pk
        cursor.execute(
            """WITH t AS (INSERT INTO payment_transfer (key, reason, fingerprint)
                          SELECT 'bulk:' || n, 'grant', '' FROM generate_series(1, 20000) n RETURNING id)
               INSERT INTO payment_entry (transfer_id, account_id, currency, amount, balance_after)
               SELECT id, %s, 'gold', 1, 1 FROM t UNION ALL SELECT id, %s, 'gold', -1, NULL FROM t""",
            [account, house],
        )
        cursor.execute("ANALYZE payment_entry, payment_transfer, payment_account")
        thirtieth = Entry.objects.filter(account__owner=user).order_by("pk")[30]
        before = thirtieth.pk if page == "last" else statements.BEFORE_ALL
        said = {"before": before, "rows": 21, "owner": user.pk, "currencies": ["gold", "point"]}
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statements._PAGE}", said)
        (plan,) = cursor.fetchone()
    assert max(read(plan[0]["Plan"], "payment_entry")) == 21


def read(node, table):
    """Rows that each scan of the table touched."""
    if node.get("Relation Name") == table:
        yield node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
    for child in node.get("Plans", []):
        yield from read(child, table)


def test_an_order_its_refund_and_what_is_owed_are_named(api, gifts):
    """Of a gold that was spent before it was taken back; the next gold pays it first."""
    seed_packages()
    buyer, friend = factories.person(), factories.person()
    order, _ = orders.create(buyer=buyer, package_id=201, channel="wechat", now=timezone.now())
    legs = [ledger.Leg(ledger.gold(buyer.pk), order.gold), ledger.Leg(RECHARGES, -order.gold)]
    ledger.post(key=f"recharge:{order.number}", reason="recharge", legs=legs)
    given(buyer, friend, gift=112)
    refund = Refund.objects.create(order=order, gold=order.gold, reason="x", by=operator(), next_try_at=None)
    back = [ledger.Leg(account, -amount) for account, amount in legs]
    ledger.post(key=f"refund:{refund.number}", reason="refund", legs=back, may_owe=True)
    shown = [(line["currency"], line["amount"], line["title"], line.get("order")) for line in lines(api(buyer))]
    assert sorted(shown[:2]) == [
        ("debt", 52, "充值退款", order.number),
        ("gold", -8, "充值退款", order.number),
    ]
    assert shown[2:] == [("gold", -52, "送出蛋糕", None), ("gold", 60, "充值", order.number)]
