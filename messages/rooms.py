"""The kinds of room a text can be said in. The apps above register theirs; `send-msg` finds the right one here."""

from typing import Protocol

from heihei_site.api.errors import RoomInvalid
from users.models import User
from users.services import words


class RoomKind(Protocol):
    def say(self, *, sender: User, room_id: int, text: str) -> bool:
        """Says it to everybody in the room; False where there is no such room of this kind."""


_kinds: list[RoomKind] = []


def register(kind: RoomKind) -> None:
    _kinds.append(kind)


def say(*, sender: User, room_id: int, text: str) -> None:
    """With the blocked words masked, for its sender too. Raises RoomInvalid where no kind of room knows the id, and
    what that kind refuses with."""
    said = words.masked(text)
    if not any(kind.say(sender=sender, room_id=room_id, text=said) for kind in _kinds):
        raise RoomInvalid
