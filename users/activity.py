"""The one place that knows what a person is doing now, and where. The apps above register what they can tell; cards,
lists and calls ask here, one query per registered kind however many people."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

BROADCASTING = 5  # the wire's userStatus types
IN_CALL = 6


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
    second: int = 0  # of the replay that will be made of it


Find = Callable[[int], Place | None]
_finders: dict[str, Find] = {}


def register_places(name: str, find: Find) -> None:
    _finders[name] = find


def place_of(person: int) -> Place | None:
    return next((place for find in _finders.values() if (place := find(person))), None)


@dataclass(frozen=True)
class Scene:
    """A live as operators find it again: its page in the console, and its replay, "" where there is none."""

    title: str
    state: str
    page: str
    replay: str = ""


Show = Callable[[int], Scene | None]
_shows: dict[str, Show] = {}


def register_scenes(name: str, show: Show) -> None:
    _shows[name] = show


def scene_of(live_id: int) -> Scene | None:
    return next((scene for show in _shows.values() if (scene := show(live_id))), None)


@dataclass(frozen=True)
class Button:
    """The microphone button on a card that is looked at in a live (`confStatus`): what pressing it does, and for how
    many seconds, 0 where nobody knows."""

    ASK: ClassVar = 1
    WAIT: ClassVar = 2  # nothing: somebody has been asked, or somebody else is at the microphone
    HANG_UP: ClassVar = 3
    ANSWER: ClassVar = 4

    kind: int
    seconds: int = 0


Offer = Callable[[int, int, int], Button | None]  # the live's id, who looks, at whom
_offers: dict[str, Offer] = {}


def register_buttons(name: str, offer: Offer) -> None:
    _offers[name] = offer


def button_in(live_id: int, viewer: int, person: int) -> Button | None:
    return next((button for offer in _offers.values() if (button := offer(live_id, viewer, person))), None)
