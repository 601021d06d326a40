"""What has to be put right before Django sees a request, as an ASGI wrapper around it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote_from_bytes

from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Edge:
    """Raw UTF-8 in a query string is percent-encoded; a body stops growing at the cap.

    Django would keep any body whole, on disk, before a view could refuse it. The rest of a body that is too long is
    read and forgotten, so that the phone gets its answer instead of a broken pipe; the parsers see one byte over the
    cap and refuse.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        query: bytes = scope.get("query_string", b"")
        if not query.isascii():
            scope["query_string"] = quote_from_bytes(query, safe="=&%+,;:/?@!$'()*~").encode()
        await self.app(scope, capped(receive, settings.API_BODY_BYTES + 1), send)


FORGOTTEN_BYTES = 64 * 1024 * 1024  # read past the cap and dropped; who sends more is hung up on


def capped(receive: Receive, limit: int) -> Receive:
    left = limit

    async def receive_capped() -> dict[str, Any]:
        nonlocal left
        message = await receive()
        while message["type"] == "http.request" and left > -FORGOTTEN_BYTES:
            body = message.get("body", b"")
            chunk = body[: max(left, 0)]
            left -= len(body)
            if chunk or not message.get("more_body"):
                return {**message, "body": chunk}
            message = await receive()
        return message if message["type"] != "http.request" else {"type": "http.disconnect"}

    return receive_capped
