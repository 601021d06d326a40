"""Each figure of the dashboard, against the rows it counts: from the first moment of an hour, before its last."""

from datetime import UTC, datetime, timedelta

import pytest

from heihei_site.console import board
from payment.withdrawal_models import Withdrawal
from tests import factories
from tests.console import numbers
from users.models import Session, User

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
MOMENT = timedelta(microseconds=1)

MADE = {
    "users.new": (numbers.newcomer, 1),
    "live.opened": (numbers.went_on_air, 1),
    "chat.called": (numbers.called, 1),
    "messages.written": (numbers.wrote, 1),
    "payment.gifts": (lambda at: numbers.paid("gift", 30, at), 1),
    "payment.gold_in_gifts": (lambda at: numbers.paid("gift", 30, at), 30),
    "payment.gold_spent": (lambda at: numbers.paid("bullet", 7, at), 7),
    "payment.gold_bought": (lambda at: numbers.recharged(600, 60, at), 60),
    "payment.fen_taken": (lambda at: numbers.recharged(600, 60, at), 600),
    "payment.fen_paid_out": (lambda at: numbers.withdrawn(1500, at), 1500),
    "users.active": (lambda at: numbers.seen(factories.person(), at), 1),
}


def test_every_figure_is_looked_at_here():
    assert set(MADE) == {figure.name for figure in board.figures()}


@pytest.mark.parametrize("name", MADE)
def test_an_hour_has_its_first_moment_and_not_the_next_hours(name):
    make, worth = MADE[name]
    for at in (NINE - MOMENT, NINE, NINE + timedelta(minutes=59), TEN):
        make(at)
    assert numbers.counted(name, NINE, TEN) == 2 * worth
    assert numbers.counted(name, TEN, TEN + timedelta(hours=1)) == worth
    assert numbers.counted(name, TEN + timedelta(hours=1), TEN + timedelta(hours=2)) == 0


def test_who_signs_in_twice_is_one_active_person(settings):
    settings.SINGLE_DEVICE_SIGN_IN = False
    user = factories.person()
    numbers.seen(user, NINE)
    numbers.seen(user, NINE + timedelta(minutes=5))
    assert Session.objects.count() == 2
    assert numbers.counted("users.active", NINE, TEN) == 1


def test_staff_are_no_new_people():
    User.objects.create(username="op", is_staff=True, date_joined=NINE)
    assert numbers.counted("users.new", NINE, TEN) == 0


def test_a_live_that_never_went_on_air_was_not_opened():
    numbers.went_on_air(None)
    assert numbers.counted("live.opened", NINE, TEN) == 0


def test_gold_is_spent_for_gifts_bullets_and_names_and_not_by_what_else_moves_it():
    for reason, gold in (("gift", 1), ("bullet", 10), ("rename", 100), ("refund", 1000), ("recharge", 10_000)):
        numbers.paid(reason, gold, NINE)
    assert numbers.counted("payment.gold_spent", NINE, TEN) == 111
    assert numbers.counted("payment.gold_in_gifts", NINE, TEN) == 1


def test_money_counts_when_it_has_come_and_when_it_has_gone():
    numbers.recharged(600, 60, None)
    numbers.withdrawn(1500, None, Withdrawal.State.PAYING)
    numbers.withdrawn(1500, NINE, Withdrawal.State.RETURNED)
    for name in ("payment.fen_taken", "payment.gold_bought", "payment.fen_paid_out"):
        assert numbers.counted(name, NINE, TEN) == 0
