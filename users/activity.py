"""The one place that knows what a person is doing now, and where. The apps above register what they can tell; cards,
lists and calls ask here, one query per registered kind however many people."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Activity:
    """`kind` is the wire's userStatus type: 5 broadcasting, 6 in a call. `jump` leads there where others may follow,
    `room_id` says where it is."""

    kind: int
    jump: str = ""
    room_id: int = 0


Tell = Callable[[list[int]], dict[int, Activity]]
_tellers: dict[str, Tell] = {}


def register(name: str, tell: Tell) -> None:
    _tellers[name] = tell


def of(people: Iterable[int]) -> dict[int, Activity]:
    """What each of the people is doing; who does nothing is absent. The first registered kind wins."""
    asked = list(people)
    doing: dict[int, Activity] = {}
    for tell in _tellers.values():
        for person, activity in tell(asked).items():
            doing.setdefault(person, activity)
    return doing


@dataclass(frozen=True)
class Place:
    """A live that somebody is in, as its owner or in its audience. A hidden one is nobody's business but operators'."""

    live_id: int
    hidden: bool = False


Find = Callable[[int], Place | None]
_finders: dict[str, Find] = {}


def register_places(name: str, find: Find) -> None:
    _finders[name] = find


def place_of(person: int) -> Place | None:
    return next((place for find in _finders.values() if (place := find(person))), None)
