"""Whatever people, gateways, operators and workers do in whatever order, nobody gains or loses a coin, and nobody is
ever paid for points that came back (I2-I5).

The seed is printed; HEIHEI_SOAK_SEED gives it again. `make soak` has the long form: HEIHEI_SOAK_SECONDS says how long,
ten minutes where it does not.
"""

import os
import random
import time

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.payment.cash import GATEWAY
from tests.payment.money import Money

pytestmark = pytest.mark.django_db
SHORT = settings(
    max_examples=6,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    database=None,
    print_blob=True,
)


@pytest.fixture(autouse=True)
def scripted(settings):
    settings.PROVIDERS = {**settings.PROVIDERS, "payouts": GATEWAY}
    settings.RECHARGE_CAP = settings.RECHARGE_CAP_NEW = 10**9
    settings.CREDIT_GOLD_DAY = settings.CREDIT_POINT_DAY = 10**9
    settings.FORGERIES_AN_ADDRESS = "1000000/minute"


def play(how: settings) -> None:
    number = int(os.environ.get("HEIHEI_SOAK_SEED", random.SystemRandom().randrange(2**32)))
    print(f"HEIHEI_SOAK_SEED={number}")
    run_state_machine_as_test(seed(number)(type("Seeded", (Money,), {})), settings=how)


def test_nothing_anybody_does_makes_or_loses_a_coin():
    play(SHORT)


@pytest.mark.soak
def test_nor_does_it_in_the_long_run():
    """Fresh seeds until the time is over."""
    end = time.monotonic() + float(os.environ.get("HEIHEI_SOAK_SECONDS", "600"))
    long = settings(SHORT, max_examples=20, stateful_step_count=80, phases=[Phase.generate, Phase.shrink])
    while time.monotonic() < end:
        play(long)
