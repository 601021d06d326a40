"""Who belongs to an audience. The apps above register how to look people up; asked batch by batch (mass.py)."""

from collections.abc import Callable

PeopleAfter = Callable[[int, int, int], list[int]]

_registered: dict[str, PeopleAfter] = {}


def register(name: str, people_after: PeopleAfter) -> None:
    """`people_after(source_id, user_id, limit)` gives the next `limit` people of the audience with ids above `user_id`,
    in ascending order. The same name again replaces it."""
    _registered[name] = people_after


def names() -> list[str]:
    return list(_registered)


def people_after(name: str, source_id: int, user_id: int, limit: int) -> list[int]:
    return _registered[name](source_id, user_id, limit)
