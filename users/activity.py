"""The one place that knows what a person is doing now. The apps above register what they can tell; cards, lists and
calls ask here, one query per registered kind however many people."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Activity:
    """`kind` is the wire's userStatus type: 5 broadcasting, 6 in a call. `jump` leads there where others may follow."""

    kind: int
    jump: str = ""


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
