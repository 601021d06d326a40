"""Points for gold (D37)."""

import pytest

from heihei_site.api.models import Repeat
from payment import ledger
from payment.exchange_catalogue import seed_p2g_packages
from payment.exchange_models import Exchange, P2gPackage
from payment.models import Transfer
from payment.reconciliation import breaches
from tests import factories
from tests.answers import ok, refused
from tests.payment.cash import earner

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def packages():
    seed_p2g_packages()


def exchanged():
    return Transfer.objects.filter(reason="exchange").count()


def test_the_list_is_in_the_operators_order_without_what_is_retired(api):
    P2gPackage.objects.filter(pk=2).update(active=False)
    P2gPackage.objects.filter(pk=3).update(order=0)
    packages = ok(api(factories.person()).get("payment/list-p2g-package"))["packages"]
    assert [each["id"] for each in packages] == [3, 1, 4, 5]
    assert packages[1] == {"id": 1, "desc": "100黑票兑换70钻石", "point": 100, "gold": 70}


def test_packages_that_operators_changed_survive_a_seed():
    P2gPackage.objects.filter(pk=1).update(gold=75)
    P2gPackage.objects.filter(pk=5).update(active=False)
    seed_p2g_packages()
    assert list(P2gPackage.objects.order_by("pk").values_list("gold", "active"))[::4] == [(75, True), (7_000, False)]


def test_points_become_gold(api):
    user = earner(points=150, account="")
    answer = ok(api(user).post("payment/p2g", packageId=1))
    assert (answer["point"], answer["gold"]) == (50, 70)
    assert ledger.balances(user.pk) == (70, 50)
    done = Exchange.objects.get(number=answer["order"])
    assert (done.owner_id, done.point, done.gold, done.point_after) == (user.pk, 100, 70, 50)
    assert list(breaches()) == []


def test_a_phone_that_asks_again_is_told_the_same_and_charged_once(api):
    """B44, D26: it retries what was not answered within two seconds."""
    user = earner(points=1000, account="")
    phone = api(user)
    first, again = ok(phone.post("payment/p2g", packageId=1)), ok(phone.post("payment/p2g", packageId=1))
    assert again == first
    assert ledger.balances(user.pk) == (70, 900)


def test_a_retry_gets_its_answer_though_operators_changed_the_package(api):
    user = earner(points=1000, account="")
    phone = api(user)
    first = ok(phone.post("payment/p2g", packageId=1))
    P2gPackage.objects.filter(pk=1).update(active=False, gold=80)
    assert ok(phone.post("payment/p2g", packageId=1)) == first
    assert ledger.balances(user.pk) == (70, 900)
    refused(api(earner(account="")).post("payment/p2g", packageId=1), 726, "无效的套餐")


def test_the_same_again_later_is_another_exchange(api):
    user = earner(points=1000, account="")
    phone = api(user)
    first = ok(phone.post("payment/p2g", packageId=1))["order"]
    Repeat.objects.all().delete()  # as the sweep does with what is too old to be repeated
    assert ok(phone.post("payment/p2g", packageId=1))["order"] != first
    assert ledger.balances(user.pk) == (140, 800)


def test_who_has_too_few_points_keeps_them(api):
    user = earner(points=99, account="")
    refused(api(user).post("payment/p2g", packageId=1), 741, "积分不足")
    assert ledger.balances(user.pk) == (0, 99)
    assert exchanged() == Exchange.objects.count() == Repeat.objects.count() == 0


@pytest.mark.parametrize("package", [9_999, 0, 2**53 - 1])
def test_a_package_that_is_none_is_refused(api, package):
    refused(api(earner(account="")).post("payment/p2g", packageId=package), 726, "无效的套餐")
    assert exchanged() == 0


@pytest.mark.parametrize("package", ["abc", "1e3", "-1", "1" + "0" * 20, ""])
def test_an_odd_package_is_a_wrong_parameter(api, package):
    refused(api(earner(account="")).post("payment/p2g", packageId=package), 700, "参数错误")
    assert exchanged() == 0
