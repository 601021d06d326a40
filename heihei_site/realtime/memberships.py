"""Which rooms a person is in. The apps that have rooms register how to look it up; asked whenever a socket
connects and after the bus was lost, so that nothing but the database has to remember it."""

from collections.abc import Callable

RoomsOf = Callable[[int], list[int]]

_registered: dict[str, RoomsOf] = {}


def register(name: str, rooms_of: RoomsOf) -> None:
    """`rooms_of(user_id)` gives the ids of the rooms the person is in. The same name again replaces it."""
    _registered[name] = rooms_of


def rooms_of(user_id: int) -> set[int]:
    return {room for lookup in _registered.values() for room in lookup(user_id)}
