"""I10: one slow or hostile client costs bounded memory and delays nobody else."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import pytest

from heihei_site.supervisor import dies_with_its_parent
from tests.faults.attackers import ATTACKS
from tests.faults.deaf import deaf_phone, on_the_line, stuff
from tests.faults.mail import percentile
from tests.processes import ROOT, memory_of, wait_until
from tests.realtime.phone import Phone

TICK = 0.005  # seconds: what the machine's scheduler adds by itself
MEGABYTE = 1024 * 1024
GROWTH = 96 * MEGABYTE  # of a web process of 150, under all of them at once


@contextmanager
def attacking(port: int, tokens: dict[str, str]) -> Iterator[None]:
    attackers = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.attackers", str(port), json.dumps(tokens)],
        cwd=ROOT,
        preexec_fn=dies_with_its_parent(signal.SIGKILL),
    )
    try:
        yield
        assert attackers.poll() is None, "they lost heart"
    finally:
        attackers.kill()
        attackers.wait()


@contextmanager
def watching_memory(pid: int) -> Iterator[list[int]]:
    sizes = [memory_of(pid)]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            sizes.append(memory_of(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield sizes
    finally:
        done.set()
        watcher.join()


def delays(crowd, seconds: float) -> list[float]:
    """How long the lines of the next seconds take, from saying to hearing."""
    with crowd.talking(pause=0.3):
        time.sleep(seconds)
    crowd.settle(at_least=len(crowd.people) * 3)
    taken = crowd.look(crowd.book.delays)
    crowd.look(crowd.book.turn_the_page)
    return taken


def test_who_does_not_read_is_let_go_and_costs_what_the_queue_holds(venue, crowd_of):
    port = venue.instance.port
    with crowd_of(8) as crowd, watching_memory(venue.instance.process("web")) as sizes:
        guests = venue.people(5)
        phones = [deaf_phone(port, token) for _, token in guests]
        with crowd.talking():
            for user_id, _ in guests:
                stuff(venue, user_id, 300)
            wait_until(lambda: not any(on_the_line(port, phone) for phone in phones), 25, "they are off the line")
        crowd.settle(at_least=24)
        assert max(sizes) - sizes[0] < GROWTH
        for phone in phones:
            phone.drop()


def test_who_connects_and_connects_keeps_few_of_them(venue, crowd_of):
    """The newest one works, and the oldest of them have to go."""
    port = venue.instance.port
    with crowd_of(1) as crowd:
        [(reader, token)] = venue.people(1)
        phones = [Phone(port, f"/ws/channel?token={token}") for _ in range(15)]
        crowd.run(crowd.people[0].write(reader))
        assert phones[-1].numbered()["seq"] == 1
        assert [phone.close_code() for phone in phones[:7]] == [1008] * 7
        assert all(phone.hears_nothing(0.01) for phone in phones[7:-1])
        for phone in phones:
            phone.drop()


def test_all_kinds_of_attackers_at_once_cost_bounded_memory_and_no_message(venue, crowd_of):
    with crowd_of(12) as crowd, watching_memory(venue.instance.process("web")) as sizes:
        tokens = dict(zip(ATTACKS, [token for _, token in venue.people(len(ATTACKS))], strict=True))
        delays(crowd, 1)
        with attacking(venue.instance.port, tokens):
            delays(crowd, 6)
        assert max(sizes) - sizes[0] < GROWTH
        assert [person.connects for person in crowd.people] == [1] * 12


@pytest.mark.soak
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attacker_delays_nobody(venue, crowd_of, attack):
    """The 99th percentile of the others is within a fifth of what it is in peace; both in turn, and the middle of
    three, since other things happen on a machine too."""
    [(_, token)] = venue.people(1)
    peace, war = [], []
    with crowd_of(12) as crowd:
        delays(crowd, 3)
        for _ in range(3):
            peace.append(percentile(delays(crowd, 6), 0.99))
            with attacking(venue.instance.port, {attack: token}):
                war.append(percentile(delays(crowd, 6), 0.99))
    assert median(war) < 1.2 * median(peace) + TICK, (peace, war)
