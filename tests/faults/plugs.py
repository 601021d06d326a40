"""Pulling them: processes of an instance that die, and how long it takes until all is well again."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from heihei_site.system.tasks import CANARY
from tests.processes import wait_until
from tests.venue import Venue

RECOVERY = 20  # seconds until /health is 200 again


def kill(venue: Venue, role: str, signum: signal.Signals = signal.SIGKILL) -> float:
    """Seconds until another process has the role and /health is 200."""
    former, began = venue.instance.process(role), time.monotonic()
    venue.instance.kill(role, signum)
    wait_until(lambda: venue.instance.process(role) not in (None, former), RECOVERY, f"{role} runs again")
    wait_until(venue.instance.healthy, RECOVERY, f"/health is 200 after {role} was killed")
    return time.monotonic() - began


def last_job(venue: Venue) -> float:
    return float(venue.run(f"from django.core.cache import cache; print(cache.get({CANARY!r}, 0))"))


@contextmanager
def dead(venue: Venue, *roles: str) -> Iterator[None]:
    """Killed, and the supervisor, put to sleep, does not start them again."""
    venue.instance.supervisor.send_signal(signal.SIGSTOP)
    try:
        for role in roles:
            venue.instance.kill(role)
        wait_until(lambda: not any(map(venue.instance.process, roles)), 20, f"{roles} are gone")
        yield
    finally:
        venue.instance.supervisor.send_signal(signal.SIGCONT)
    wait_until(venue.instance.healthy, RECOVERY, f"/health is 200 with {roles} again")
