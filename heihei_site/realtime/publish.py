"""The only way out to the sockets. Everything here happens when the transaction commits, else never."""

from functools import partial
from typing import Any

from django.db import transaction

from heihei_site.realtime import bus
from heihei_site.realtime.events import Event, Kind, element
from heihei_site.realtime.groups import Room


def publish(event: Event, to: Room) -> None:
    """Tell everyone in the room. The values are those of this moment. A dead bus loses the message and
    says so in the log; the caller never notices."""
    if getattr(event, "room_id", None) != to.id:
        raise ValueError(f"{type(event).__name__} carries another room than the one it is published to")
    message: dict[str, Any] = {"do": "deliver", "room": to.id, "element": element(event)}
    if event.kind is Kind.STATE:
        message |= {"state": event.action or event.msg_type, "version": getattr(event, "version")}  # noqa: B009
    _on_commit(message)


def enter_room(user_id: int, room_id: int) -> None:
    """The person's sockets get what the room gets from now on."""
    _on_commit({"do": "enter", "user": user_id, "room": room_id})


def leave_room(user_id: int, room_id: int) -> None:
    _on_commit({"do": "leave", "user": user_id, "room": room_id})


def close_room(room_id: int) -> None:
    """Nobody gets anything from this room after what was published before."""
    _on_commit({"do": "close", "room": room_id})


def end_sessions(session_ids: list[int]) -> None:
    """Every socket of these sessions is closed with 4401."""
    if session_ids:
        _on_commit({"do": "end", "sessions": session_ids})


def _on_commit(message: bus.Message) -> None:
    transaction.on_commit(partial(bus.send, message), robust=True)
