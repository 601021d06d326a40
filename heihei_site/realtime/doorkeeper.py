"""Which room a link opens, and what of it a guest without an account sees. The app that has the rooms registers it."""

from collections.abc import Mapping
from typing import Protocol


class Doorkeeper(Protocol):
    def room_of(self, query: Mapping[str, str]) -> int | None:
        """The room that this query opens; None: none. Asks the database."""
        ...

    def shown(self, element: bytes) -> bytes | None:
        """What everybody may see of an element; None: nothing. On the delivery path: it asks nobody."""
        ...


_registered: list[Doorkeeper] = []


def register(doorkeeper: Doorkeeper) -> None:
    """There is one; registering again replaces it."""
    _registered[:] = [doorkeeper]


def room_of(query: Mapping[str, str]) -> int | None:
    return _registered[0].room_of(query)


def shown(element: bytes) -> bytes | None:
    return _registered[0].shown(element)
