"""What a client may send over its socket: elements that an app above has registered for, by their `msgType`."""

from collections.abc import Callable
from typing import Any

from heihei_site.api.errors import InvalidParameter

Element = dict[str, Any]
Handle = Callable[[int, Element], None]

_registered: dict[str, Handle] = {}


def register(msg_type: str, handle: Handle) -> None:
    """`handle(user_id, element)` runs in a database thread; of one socket, one after the other, in order. It raises a
    `Refusal` for what cannot be. The same type again replaces it."""
    _registered[msg_type] = handle


def handle(user_id: int, element: Any) -> None:
    if not isinstance(element, dict) or not isinstance(element.get("msg"), dict):
        raise InvalidParameter
    handler = _registered.get(str(element.get("msgType")))
    if handler is None:
        raise InvalidParameter
    handler(user_id, element)
