"""The kinds of room a text can be said in. The apps above register theirs; `send-msg` finds the right one here."""

from typing import ClassVar, Protocol

from heihei_site.api.errors import RoomInvalid
from users.models import User
from users.services import words


class RoomKind(Protocol):
    name: ClassVar[str]  # live, chat

    def say(self, *, sender: User, room_id: int, text: str) -> bool:
        """Says it to everybody in the room; False where there is no such room of this kind."""

    def is_open(self, room_id: int) -> bool:
        """Whether there is something going on in it, or about to."""

    def start(self, room_id: int) -> None:
        """What was about to go on goes on; nothing where it does. InvalidParameter where it cannot."""

    def close(self, room_id: int) -> None:
        """Ends what goes on in it; nothing where that is over."""


_kinds: list[RoomKind] = []


def register(kind: RoomKind) -> None:
    _kinds.append(kind)


def find_open(room_id: int) -> RoomKind | None:
    """The kind of this room; None where nothing goes on in it."""
    return next((kind for kind in _kinds if kind.is_open(room_id)), None)


def say(*, sender: User, room_id: int, text: str) -> None:
    """With the blocked words masked, for its sender too. Raises RoomInvalid where no kind of room knows the id, and
    what that kind refuses with."""
    said = words.masked(text)
    if not any(kind.say(sender=sender, room_id=room_id, text=said) for kind in _kinds):
        raise RoomInvalid
