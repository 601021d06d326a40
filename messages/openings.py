"""What two people could talk about who write to each other for the first time (D45). The app above that keeps a pool of
topics registers it."""

from collections.abc import Callable

_registered: list[Callable[[], str]] = []


def register(pick: Callable[[], str]) -> None:
    """`pick` gives one of the pool, "" where that is empty. There is one; registering again replaces it."""
    _registered[:] = [pick]


def pick() -> str:
    return next((each() for each in _registered), "")
