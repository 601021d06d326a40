"""What a client may send over its socket: elements that an app above has registered for, by their `msgType`."""

from collections.abc import Callable
from typing import Any

from heihei_site.api.errors import InvalidParameter
from heihei_site.realtime.events import Event

Element = dict[str, Any]
Handle = Callable[[int, Element], Event | None]

_registered: dict[str, Handle] = {}


def register(msg_type: str, handle: Handle) -> None:
    """`handle(user_id, element)` runs in a database thread; of one socket, one after the other, in order. What it gives
    back is told to that socket alone; it raises a `Refusal` for what cannot be. The same type again replaces it."""
    _registered[msg_type] = handle


def handle(user_id: int, element: Any) -> Event | None:
    if not isinstance(element, dict) or not isinstance(element.get("msg"), dict):
        raise InvalidParameter
    handler = _registered.get(str(element.get("msgType")))
    if handler is None:
        raise InvalidParameter
    return handler(user_id, element)
