"""What a person owes: an account of its own, which gold that comes in pays first (D35)."""

import pytest
from django.db import transaction

from heihei_site.api.errors import NotEnoughGold
from payment import ledger
from payment.ledger import Leg, gold, house, post
from payment.models import Account, Currency
from payment.reconciliation import breaches
from tests.payment.conftest import give_gold

pytestmark = pytest.mark.django_db


def take_back(person, amount, key="refund"):
    legs = [Leg(gold(person), -amount), Leg(house("refunds", Currency.GOLD), amount)]
    return post(key=key, reason="test", legs=legs, may_owe=True)


def test_what_is_there_is_taken_and_the_rest_is_owed(person):
    someone = person(gold=100)
    posted = take_back(someone, 600)
    assert posted.fresh and posted.balance_after(gold(someone)) == 0
    assert (ledger.balances(someone).gold, ledger.debt(someone)) == (0, 500)
    assert list(breaches()) == []


def test_nothing_is_owed_where_the_gold_is_there(person):
    someone = person(gold=600)
    take_back(someone, 600)
    assert (ledger.balances(someone).gold, ledger.debt(someone)) == (0, 0)
    assert not Account.objects.filter(currency=Currency.DEBT).exists()


def test_new_gold_pays_the_debt_first(person):
    someone = person(gold=100)
    take_back(someone, 600)
    give_gold(someone, 380, "first")
    assert (ledger.balances(someone).gold, ledger.debt(someone)) == (0, 120)
    give_gold(someone, 380, "second")
    assert (ledger.balances(someone).gold, ledger.debt(someone)) == (260, 0)
    give_gold(someone, 1, "third")
    assert (ledger.balances(someone).gold, ledger.debt(someone)) == (261, 0)
    assert list(breaches()) == []


def test_debts_add_up(person):
    someone = person(gold=1)
    take_back(someone, 60, "one")
    take_back(someone, 60, "other")
    assert (ledger.balances(someone).gold, ledger.debt(someone)) == (0, 119)
    assert list(breaches()) == []


def test_the_same_key_owes_once_and_pays_once(person):
    someone = person(gold=100)
    first, second = take_back(someone, 600), take_back(someone, 600)
    assert (first.fresh, second.fresh) == (True, False)
    assert second.balances_after == first.balances_after == {gold(someone): 0}
    give_gold(someone, 200, "later")
    with pytest.raises(ledger.KeyReused), transaction.atomic():
        take_back(someone, 599)
    assert ledger.debt(someone) == 300


def test_who_may_not_owe_is_refused_as_ever(person):
    someone = person(gold=100)
    with pytest.raises(NotEnoughGold), transaction.atomic():
        legs = [Leg(gold(someone), -101), Leg(house("gifts", Currency.GOLD), 101)]
        post(key="gift", reason="gift", legs=legs)
    assert ledger.debt(someone) == 0


def test_who_holds_gold_while_owing_is_found(person):
    someone = person()
    take_back(someone, 5)
    Account.objects.filter(owner=someone, currency=Currency.GOLD).update(balance=7)
    assert {"nobody holds gold while owing some"} <= {breach.promise for breach in breaches()}
