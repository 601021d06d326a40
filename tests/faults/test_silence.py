"""A socket on which nothing happens stays; one whose other end is gone without a word does not."""

import time

import pytest

from tests.faults.deaf import deaf_phone, on_the_line, stuff
from tests.processes import wait_until

STUFFED = (0, 40, 60, 80, 100, 120, 160)  # messages of 2 KB: nothing, little, more than the kernel takes
hasty_pings = ("--ws-ping-interval", "1", "--ws-ping-timeout", "1")


@pytest.mark.parametrize(
    ("pings", "seconds"), [(hasty_pings, 6), pytest.param((), 600, marks=pytest.mark.soak)], ids=["short", "10 minutes"]
)
def test_an_idle_socket_stays_and_is_awake(venue, crowd_of, pings, seconds):
    with venue.instance.another_web(*pings) as web, crowd_of(3, lambda n: [web.port]) as crowd:
        time.sleep(seconds)
        one, other, _ = crowd.people
        crowd.run(one.write(other.id))
        crowd.settle(at_least=1)
        assert [(person.connects, person.closes) for person in crowd.people] == [(1, [])] * 3


@pytest.mark.parametrize(
    ("pings", "seconds"), [(hasty_pings, 6), pytest.param((), 45, marks=pytest.mark.soak)], ids=["short", "45 s"]
)
def test_a_half_open_one_is_gone(venue, pings, seconds):
    """It takes nothing and answers no ping, whatever was on its way to it."""
    with venue.instance.another_web(*pings) as web:
        guests = venue.people(len(STUFFED))
        frozen = [deaf_phone(web.port, token) for _, token in guests]
        assert all(on_the_line(web.port, phone) for phone in frozen)
        for (user_id, _), many in zip(guests, STUFFED, strict=True):
            stuff(venue, user_id, many)
        wait_until(lambda: not any(on_the_line(web.port, phone) for phone in frozen), seconds, "the web let go of them")
        for phone in frozen:
            phone.drop()
