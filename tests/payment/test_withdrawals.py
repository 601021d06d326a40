"""Asking for money: what is refused, and what is frozen at once (D37, D42, interface.md 15)."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from heihei_site.api.models import Repeat
from payment import ledger
from payment.models import Transfer
from payment.reconciliation import breaches
from payment.withdrawal_models import Withdrawal
from tests import factories
from tests.answers import ok, refused
from tests.payment.cash import ACCOUNT, earner, give_points
from users.models import User

pytestmark = pytest.mark.django_db
State = Withdrawal.State


def ask(phone, fen, alipaycode=ACCOUNT):
    return phone.post("payment/pay-req", alipaycode=alipaycode, payamount=fen)


def nothing_moved(user, points):
    assert ledger.balances(user.pk).point == points
    assert Withdrawal.objects.count() == Repeat.objects.count() == 0
    assert not Transfer.objects.filter(reason="withdrawal").exists()


def test_cash_info_says_what_points_would_be_in_money(api):
    answer = ok(api(earner(points=12_345, account="")).get("payment/cash-info"))
    assert (answer["point"], answer["cash"]) == (12_345, 6_172)  # half a fen each, rounded down
    assert answer["rule"].startswith("提现规则：200黑票可提现1元；每次最少10元，每天最多500元；注册满7天")


def test_asking_freezes_the_points(api):
    user = earner(points=5_000)
    phone = api(user)
    answer = ok(ask(phone, 1_500))
    assert (answer["reqmsg"], answer["point"]) == ("提现申请已提交", 2_000)
    assert ok(phone.get("user/user-gold"))["user"]["point"] == 2_000
    assert ok(phone.get("payment/cash-info"))["cash"] == 1_000
    row = Withdrawal.objects.get(number=answer["order"])
    assert (row.owner_id, row.fen, row.point, row.state) == (user.pk, 1_500, 3_000, State.REQUESTED)
    assert (row.account.open(), row.name.open()) == (ACCOUNT, "王小明")
    assert list(breaches()) == []


def test_a_phone_that_asks_again_asks_once(api):
    user = earner(points=10_000)
    phone = api(user)
    first = ok(ask(phone, 1_000))
    assert ok(ask(phone, 1_000)) == first
    assert ledger.balances(user.pk).point == 8_000
    assert ok(ask(phone, 1_001))["order"] != first["order"]


def test_the_account_may_be_said_as_it_is_shown(api):
    """All that a phone knows of it after a new sign-in."""
    phone = api(earner(account="wang@example.com"))
    shown = ok(phone.get("payment/get-alipay-info"))["info"]["alipaycode"]
    ok(ask(phone, 1_000, shown))
    assert Withdrawal.objects.get().account.open() == "wang@example.com"


@pytest.mark.parametrize("said", ["li@example.com", "w***@example.co", "138****1111"])
def test_another_account_than_the_verified_one_is_refused(api, said):
    user = earner(points=5_000, account="wang@example.com")
    refused(ask(api(user), 1_000, said), 726, "无效的支付宝账号")
    nothing_moved(user, 5_000)


def test_without_a_verified_account_nothing_is_paid(api):
    user = earner(points=5_000, account="")
    refused(ask(api(user), 1_000), 726, "无效的支付宝账号")
    nothing_moved(user, 5_000)


@pytest.mark.parametrize("birthday", [None, date(2015, 5, 5)], ids=["who has told no birthday", "who is under age"])
def test_minors_are_refused_while_they_are_protected(api, settings, birthday):
    """D19"""
    user = earner(points=5_000, birthday=birthday)
    phone = api(user)
    refused(ask(phone, 1_000), 721, "用户账户异常")
    nothing_moved(user, 5_000)
    settings.MINOR_PROTECTION = False
    ok(ask(phone, 1_000))


def test_accounts_of_less_than_a_week_are_refused(api):
    user = earner(points=5_000, date_joined=timezone.now() - timedelta(days=6, hours=23))
    refused(ask(api(user), 1_000), 721, "注册时间太短，暂时不能提现")
    nothing_moved(user, 5_000)
    User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=7))
    ok(ask(api(user), 1_000))


def test_who_is_banned_is_nobody(api):
    user = earner(points=5_000)
    phone = api(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    refused(ask(phone, 1_000), 720, "token无效")
    nothing_moved(user, 5_000)


def test_more_than_there_is_is_refused(api):
    user = earner(points=2_001)
    refused(ask(api(user), 1_001), 740, "余额不足")
    nothing_moved(user, 2_001)
    ok(ask(api(user), 1_000))


def test_less_than_ten_yuan_is_refused(api):
    user = earner(points=5_000)
    refused(ask(api(user), 999), 700, "提现金额低于最低限额")
    nothing_moved(user, 5_000)


@pytest.mark.parametrize("fen", ["0", "-1000", "1e3", "10.5", "abc", "", str(2**31), "1" + "0" * 20])
def test_odd_amounts_are_wrong_parameters(api, fen):
    user = earner(points=5_000)
    refused(ask(api(user), fen), 700, "参数错误")
    nothing_moved(user, 5_000)


def test_a_day_has_a_limit_and_what_came_back_does_not_count(api):
    user = earner(points=400_000)
    phone = api(user)
    refused(ask(phone, 50_001), 700, "超过每日提现限额")
    nothing_moved(user, 400_000)
    first = ok(ask(phone, 30_000))["order"]
    ok(ask(phone, 20_000))
    refused(ask(phone, 1_000), 700, "超过每日提现限额")
    assert ledger.balances(user.pk).point == 300_000
    Withdrawal.objects.filter(number=first).update(state=State.RETURNED, closed_at=timezone.now())
    refused(ask(phone, 30_001), 700, "超过每日提现限额")
    ok(ask(phone, 30_000 - 1))


def test_yesterday_is_another_day(api):
    user = earner(points=400_000)
    phone = api(user)
    ok(ask(phone, 50_000))
    refused(ask(phone, 1_000), 700, "超过每日提现限额")
    Withdrawal.objects.update(
        created_at=timezone.localtime().replace(hour=0, minute=0, second=0) - timedelta(seconds=1)
    )
    ok(ask(phone, 1_000))


def test_statistic_and_user_gold_say_the_same(api):
    user = factories.person(gold=7, gold_given=11, points_earned=13)
    give_points(user, 5)
    phone = api(user)
    statistic = ok(phone.get("payment/statistic"))
    expected = {"gold": 7, "point": 5, "pointWorth": 25, "allOutlayGold": 11, "allEarnPoint": 13}
    assert {key: statistic[key] for key in expected} == expected
    assert ok(phone.get("user/user-gold"))["user"] == expected | {"userId": user.pk}
