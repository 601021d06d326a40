"""Many phones at once, as real threads with a connection each."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from heihei_site.api.errors import NotEnoughGold
from payment import ledger
from payment.catalogue import seed_gifts
from payment.ledger import Leg, gold, house, post
from payment.models import Account, Currency, Gift, Transfer
from payment.services.gifts import Combo, give
from tests.payment.conftest import give_gold, person  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 16


def at_once(deeds: Iterable[Callable[[], Any]]) -> list[Any]:
    """What each deed answered, or the exception it ended with."""

    def run(deed):
        try:
            return deed()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(run, deeds))


def kinds(outcomes):
    return Counter(type(outcome).__name__ for outcome in outcomes)


def sent(sender, receiver, gift, count):
    return lambda: give(
        sender_id=sender,
        receiver_id=receiver,
        place="live:7",
        gift=gift,
        combo=Combo("0cc175b9", count),
        repeat_key="",
    )


@pytest.fixture
def lollipop():
    seed_gifts()
    return Gift.objects.get(pk=102)


def test_of_200_gifts_with_gold_for_50_exactly_50_are_given(person, lollipop):  # noqa: F811
    fan, anchor = person(gold=50), person()
    outcomes = at_once(sent(fan, anchor, lollipop, count) for count in range(1, 201))
    assert kinds(outcomes) == {"GiftGiven": 50, "NotEnoughGold": 150}
    assert ledger.balances(fan) == (0, 0)
    assert ledger.balances(anchor) == (0, 50)
    given = [outcome for outcome in outcomes if not isinstance(outcome, NotEnoughGold)]
    assert sorted(gift.gold_left for gift in given) == list(range(50))
    call_command("reconcile")


def test_one_gift_sent_20_times_at_once_is_charged_once(person, lollipop):  # noqa: F811
    fan, anchor = person(gold=50), person()
    outcomes = at_once([sent(fan, anchor, lollipop, 1)] * 20)
    assert Counter(gift.fresh for gift in outcomes) == {True: 1, False: 19}
    assert {gift.gold_left for gift in outcomes} == {49}
    assert ledger.balances(fan) == (49, 0)
    assert ledger.balances(anchor) == (0, 1)
    call_command("reconcile")


def test_people_who_pay_each_other_never_block_each_other(person):  # noqa: F811
    one, other = person(gold=100), person(gold=100)

    def paid(payer, payee, number):
        legs = [Leg(gold(payer), -1), Leg(gold(payee), 1)]
        return lambda: post(key=f"{payer}:{number}", reason="test", legs=legs)

    deeds = [paid(*pair, number) for number in range(100) for pair in ((one, other), (other, one))]
    assert kinds(at_once(deeds)) == {"Posted": 200}
    assert (ledger.balances(one).gold, ledger.balances(other).gold) == (100, 100)
    call_command("reconcile")


def test_first_purses_are_made_once_whoever_comes_first(person):  # noqa: F811
    people = [person() for _ in range(6)]
    pairs = [(a, b) for a in people for b in people if a != b]

    def given(a, b, number):
        till = house(f"till {number % 3}", Currency.GOLD)
        legs = [Leg(gold(a), 1), Leg(gold(b), 1), Leg(till, -2)]
        return lambda: post(key=f"{a}:{b}", reason="test", legs=legs[::-1] if number % 2 else legs)

    outcomes = at_once([given(a, b, number) for number, (a, b) in enumerate(pairs)])
    assert kinds(outcomes) == {"Posted": 30}
    assert Account.objects.filter(owner__isnull=False).count() == 6
    assert Account.objects.filter(owner=None).count() == 3
    call_command("reconcile")


def test_one_key_raced_with_other_purses_has_one_winner(person):  # noqa: F811
    people = [person(gold=10) for _ in range(20)]

    def bought(who):
        legs = [Leg(gold(who), -1), Leg(house("shop", Currency.GOLD), 1)]
        return lambda: post(key="the last one", reason="test", legs=legs)

    outcomes = at_once([bought(who) for who in people])
    assert kinds(outcomes) == {"Posted": 1, "KeyReused": 19}
    assert sum(ledger.balances(who).gold for who in people) == 199
    call_command("reconcile")


def test_a_key_between_house_accounts_alone_is_raced_by_the_constraint():
    legs = [Leg(house("a", Currency.GOLD), -1), Leg(house("b", Currency.GOLD), 1)]
    outcomes = at_once([lambda: post(key="k", reason="test", legs=legs)] * 20)
    assert Counter(posted.fresh for posted in outcomes) == {True: 1, False: 19}
    assert Transfer.objects.count() == 1


def test_reconcile_holds_while_gifts_go_on_and_sees_a_hand_in_the_till(person, lollipop):  # noqa: F811
    fan, anchor = person(gold=300), person()

    def reconciled():
        call_command("reconcile")

    deeds = [sent(fan, anchor, lollipop, count) if count % 10 else reconciled for count in range(1, 101)]
    assert kinds(at_once(deeds)) == {"GiftGiven": 90, "NoneType": 10}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE payment_account SET balance = balance + 1 WHERE owner_id = %s", [anchor])
    with pytest.raises(CommandError, match="NOT sound"):
        call_command("reconcile")
    give_gold(anchor, 5)
    with pytest.raises(CommandError, match="NOT sound"):
        call_command("reconcile")
