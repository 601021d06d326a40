from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.faults.crowd import Card, Crowd
from tests.venue import Venue, open_venue

CrowdOf = Callable[..., "contextmanager[Crowd]"]


@pytest.fixture(scope="package")
def venue() -> Iterator[Venue]:
    with open_venue() as venue:
        yield venue


@pytest.fixture
def crowd_of(venue: Venue):
    """`with crowd_of(12) as crowd:` twelve new people, connected to the instance's web process, or to `places`."""

    @contextmanager
    def gather(count: int, places: Callable[[int], Sequence[int]] | None = None, away: int = 0) -> Iterator[Crowd]:
        cards = [Card(*one) for one in venue.people(count)]
        with Crowd(cards, places or (lambda n: [venue.instance.port]), away) as crowd:
            crowd.gather(60)
            yield crowd

    return gather


@pytest.fixture
def open_room(venue: Venue) -> Callable[[Crowd], None]:
    """The first of the crowd goes on air, and all join."""

    def open_for(crowd: Crowd) -> None:
        room = crowd.open_room()
        venue.keep_open(room)
        crowd.enter(room)
        venue.keep_inside(room)

    return open_for
