"""Whatever people, gateways and operators do in whatever order, nobody gains or loses a coin (I2–I4).

`make soak` has the long form; HEIHEI_SOAK_SECONDS says how long, ten minutes where it does not.
"""

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from tests.payment.money import Money

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
SHORT = settings(
    max_examples=5,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=QUIET,
    database=InMemoryExampleDatabase(),
    print_blob=True,
)


@pytest.fixture(autouse=True)
def no_limits(settings):
    settings.RECHARGE_CAP = settings.RECHARGE_CAP_NEW = 10**9
    settings.FORGERIES_AN_ADDRESS = "1000000/minute"


@pytest.mark.django_db
def test_nothing_anybody_does_makes_or_loses_a_coin():
    run_state_machine_as_test(Money, settings=SHORT)


@pytest.mark.soak
@pytest.mark.django_db
def test_nor_does_it_in_the_long_run():
    """Fresh seeds until the time is over; hypothesis prints what reproduces a failure."""
    end = time.monotonic() + float(os.environ.get("HEIHEI_SOAK_SECONDS", "600"))
    long = settings(SHORT, max_examples=20, stateful_step_count=60, phases=[Phase.generate, Phase.shrink])
    while time.monotonic() < end:
        run_state_machine_as_test(Money, settings=long)
