"""Whom a message is for."""

from dataclasses import dataclass
from typing import Any, Protocol

from heihei_site.realtime.models import StreamKind


class Keyed(Protocol):
    @property
    def pk(self) -> Any: ...


@dataclass(frozen=True)
class Room:
    id: int
    kind = StreamKind.ROOM


@dataclass(frozen=True)
class Person:
    id: int
    kind = StreamKind.PERSON


@dataclass(frozen=True)
class Audience:
    """Many people, looked up only when they are told: those whom `audiences` knows by this name and source."""

    name: str
    source_id: int


def room(live_or_id: Keyed | int) -> Room:
    """Everyone in a live or a chat."""
    return Room(_id(live_or_id))


def person(user_or_id: Keyed | int) -> Person:
    """One person, on whatever phones they are signed in."""
    return Person(_id(user_or_id))


def _id(thing: Keyed | int) -> int:
    return thing if isinstance(thing, int) else int(thing.pk)
