"""Everybody's connection is cut at once, and everybody comes back at once."""

import resource
import time

import pytest

from tests.faults.crowd import Crowd
from tests.faults.plugs import dead
from tests.processes import wait_until
from tests.venue import Venue

SAY = """
from messages.services import im
from users.models import User
people = User.objects.in_bulk()
for author, reader, key in {lines}:
    im.send(sender=people[author], recipient_id=reader, kind="text", content={{"text": key}}, client_msg_id=key)
print("all said")
"""


@pytest.fixture(autouse=True, scope="module")
def many_files():
    """As many as this machine allows, for us; a server takes its own care."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def each_writes_to_the_next(venue: Venue, crowd: Crowd) -> None:
    """Behind the counter: nobody is connected just now."""
    ids = [person.id for person in crowd.people]
    pairs = zip(ids, ids[1:] + ids[:1], strict=True)
    lines = [crowd.book.say(author, f"u{reader}", frozenset({author, reader})) for author, reader in pairs]
    told = venue.run(SAY.format(lines=[(line.author, int(line.channel[1:]), line.key) for line in lines]))
    assert told.strip() == "all said"
    for line in lines:
        crowd.book.acknowledged(line.key)


@pytest.mark.parametrize(
    ("people", "seconds"), [(300, 20), pytest.param(2000, 60, marks=pytest.mark.soak)], ids=["short", "2000"]
)
def test_all_are_back_in_time_with_what_they_missed(venue, crowd_of, people, seconds):
    with crowd_of(people) as crowd:
        with crowd.book.fault(), dead(venue, "web"):
            each_writes_to_the_next(venue, crowd)
            assert not any(person.socket for person in crowd.people)
            began = time.monotonic()
        wait_until(lambda: not crowd.look(crowd.book.missing), began + seconds - time.monotonic(), "all have heard")
        crowd.settle(at_least=people, within=seconds)
        crowd.gather(seconds)
