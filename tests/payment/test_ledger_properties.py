"""Whatever is posted in whatever order, the ledger agrees with a few lines of arithmetic."""

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heihei_site.api.errors import NotEnoughGold, NotEnoughPoints
from payment import ledger
from payment.ledger import KeyReused, Leg, Purse, house, post
from payment.models import Currency, Entry
from payment.reconciliation import breaches

PEOPLE = 3
SPENT = [Currency.GOLD, Currency.POINT]
purses = st.tuples(st.integers(0, PEOPLE - 1), st.sampled_from(SPENT))
deeds = st.tuples(
    st.integers(0, 5),  # which key
    purses,
    st.one_of(st.none(), st.integers(0, PEOPLE - 1)),  # to another person, or to the house
    st.integers(-30, 30).filter(bool),
)


class Arithmetic:
    def __init__(self):
        self.balances = dict.fromkeys(((p, c) for p in range(PEOPLE) for c in SPENT), 0)
        self.done = {}

    def post(self, key, payer, payee, amount):
        legs = [(payer, -amount)] + ([((payee, payer[1]), amount)] if payee is not None else [])
        if key in self.done:
            known, after = self.done[key]
            return ("again", after) if known == sorted(legs) else "key reused"
        after = {purse: self.balances[purse] + moved for purse, moved in legs}
        if min(after.values()) < 0:
            return "not enough"
        self.balances |= after
        self.done[key] = sorted(legs), after
        return "posted", after


def post_for_real(people, key, payer, payee, amount):
    currency = payer[1]
    taker = house("shop", currency) if payee is None else Purse(people[payee], currency)
    try:
        with transaction.atomic():
            legs = [Leg(Purse(people[payer[0]], currency), -amount), Leg(taker, amount)]
            posted = post(key=f"key {key}", reason="test", legs=legs)
    except (NotEnoughGold, NotEnoughPoints):
        return "not enough"
    except KeyReused:
        return "key reused"
    after = {(people.index(p.owner_id), p.currency): left for p, left in posted.balances_after.items()}
    return ("posted" if posted.fresh else "again"), after


@pytest.mark.django_db
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(deeds, max_size=25))
def test_random_transfers_keep_every_promise(steps):
    with transaction.atomic():
        people = [get_user_model()._default_manager.create().pk for _ in range(PEOPLE)]
        expected = Arithmetic()
        for step in steps:
            _, payer, payee, _ = step
            if payee == payer[0]:
                continue
            assert post_for_real(people, *step) == expected.post(*step)
        for number, pk in enumerate(people):
            assert ledger.balances(pk) == tuple(expected.balances[number, currency] for currency in SPENT)
        assert list(breaches()) == []
        assert not Entry.objects.filter(balance_after__lt=0).exists()
        transaction.set_rollback(True)
