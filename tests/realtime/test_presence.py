"""Who is connected, to any process."""

import asyncio
import time

import pytest

from heihei_site.realtime import hub, presence
from heihei_site.realtime.presence import present
from tests.realtime.conftest import wait_until


@pytest.fixture(autouse=True)
def quick_beacons(monkeypatch, plain_redis):
    """And nobody here from the test before."""
    plain_redis.flushall()
    monkeypatch.setattr(hub, "BEACON_SECONDS", 0.2)


@pytest.fixture
def quick_lease(monkeypatch):
    monkeypatch.setattr(presence, "LEASE_SECONDS", 1)


def dial(server, people, token, user_id, **options):
    people.sign_in(token, user_id, **options)
    return server.phone(token)


def test_nobody_is_here_until_they_connect_nor_after_they_have_gone(server, people):
    assert present([1, 2]) == set()
    phone = dial(server, people, "a", 1)
    wait_until(lambda: present([1, 2]) == {1})
    assert present([2]) == set()
    assert present([]) == set()
    phone.drop()
    wait_until(lambda: present([1, 2]) == set())


def test_people_of_every_process_are_here(server, other_server, people):
    dial(server, people, "a", 1)
    dial(other_server, people, "b", 2)
    wait_until(lambda: present([1, 2, 3]) == {1, 2})


def test_who_has_two_phones_is_here_until_both_have_gone(server, other_server, people):
    phones = [
        dial(server, people, "a", 1),
        dial(server, people, "b", 1, session_id=11),
        dial(other_server, people, "c", 1, session_id=12),
    ]
    wait_until(lambda: present([1]) == {1})
    for phone in phones[:2]:
        phone.drop()
    time.sleep(1)
    assert present([1]) == {1}
    phones[2].drop()
    wait_until(lambda: present([1]) == set())


def test_who_stays_is_here_for_longer_than_a_lease(server, people, quick_lease):
    dial(server, people, "a", 1)
    wait_until(lambda: present([1]) == {1})
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert present([1]) == {1}
        time.sleep(0.05)


def test_the_people_of_a_process_that_died_are_gone_with_its_lease(server, people, quick_lease, plain_redis):
    async def dies() -> None:
        await presence.Lease("killed").renew([1, 2])

    dial(server, people, "b", 2)
    wait_until(lambda: present([2]) == {2})
    asyncio.run(dies())
    assert present([1, 2]) == {1, 2}
    wait_until(lambda: present([1, 2]) == {2})


def test_a_redis_that_has_forgotten_everything_knows_within_a_few_beacons(server, people, plain_redis):
    dial(server, people, "a", 1)
    dial(server, people, "b", 2)
    wait_until(lambda: present([1, 2]) == {1, 2})
    plain_redis.flushall()
    dial(server, people, "c", 3)  # whoever comes first hides nobody
    wait_until(lambda: present([1, 2, 3]) == {1, 2, 3})


def test_without_redis_nobody_is_here_and_the_answer_is_quick(server, people, valkey):
    dial(server, people, "a", 1)
    wait_until(lambda: present([1]) == {1})
    valkey.kill()
    try:
        start = time.monotonic()
        assert present([1]) == set()
        assert time.monotonic() - start < 1
    finally:
        valkey.start()
    wait_until(lambda: present([1]) == {1})


def test_a_redis_that_hangs_costs_two_time_outs(valkey):
    present([1])
    valkey.freeze()
    try:
        start = time.monotonic()
        assert present([1]) == set()
        assert time.monotonic() - start < 2 * presence.TIMEOUT + 2
    finally:
        valkey.thaw()
