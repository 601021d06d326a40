"""How often others heard, answered, liked and paid for what a person has said. Who keeps what people say registers."""

from collections.abc import Callable
from typing import TypedDict


class Countings(TypedDict):
    view_count: int
    reply_count: int
    like_count: int
    gift_count: int


Count = Callable[[int], Countings]
_counters: dict[str, Count] = {}


def register(name: str, count: Count) -> None:
    _counters[name] = count


def of(person: int) -> Countings:
    """All together: one query for each that counts."""
    found: Countings = {"view_count": 0, "reply_count": 0, "like_count": 0, "gift_count": 0}
    for count in _counters.values():
        more = count(person)
        found["view_count"] += more["view_count"]
        found["reply_count"] += more["reply_count"]
        found["like_count"] += more["like_count"]
        found["gift_count"] += more["gift_count"]
    return found
