"""Whom a message is for."""

from dataclasses import dataclass
from typing import Any, Protocol


class Keyed(Protocol):
    @property
    def pk(self) -> Any: ...


@dataclass(frozen=True)
class Room:
    id: int


def room(live_or_id: Keyed | int) -> Room:
    """Everyone in a live or a chat."""
    return Room(live_or_id if isinstance(live_or_id, int) else int(live_or_id.pk))
