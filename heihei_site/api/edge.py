"""How a request gets from the ASGI server to Django, and an answer back (docs/adr/0006-threads.md)."""

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import quote_from_bytes

from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
WsgiApp = Callable[..., Iterable[bytes]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]

FORGOTTEN_BYTES = 64 * 1024 * 1024  # of a body, read past the cap and dropped; who sends more is hung up on


class Edge:
    """Runs Django, which is synchronous here, in a fixed number of threads.

    Each thread keeps its database connection, so there are never more than API_THREADS of them a process; calls beyond
    wait in line. A body is read before its call gets a thread: a slow phone holds nothing but its bytes. Raw UTF-8 in a
    query string is percent-encoded on the way.
    """

    def __init__(self, app: WsgiApp) -> None:
        self.app = app
        self.threads = ThreadPoolExecutor(settings.API_THREADS, thread_name_prefix="api")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, settings.API_BODY_BYTES)
        if body is None:
            return
        context = contextvars.copy_context()
        running = asyncio.get_running_loop().run_in_executor(self.threads, context.run, self.answer, scope, body)
        status, headers, content = await running
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def answer(self, scope: Scope, body: bytes) -> Answer:
        """Django's whole answer: none of ours is too long to hold."""
        environ = environ_of(scope, body)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = self.app(environ, lambda status, headers, *_: started.append((status, headers)))
        try:
            content = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()  # Django ends the request here
        status, headers = started[-1]
        wire_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return int(status[:3]), wire_headers, content


def environ_of(scope: Scope, body: bytes) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333): text is bytes read as latin-1."""
    server, client = scope.get("server") or ("localhost", 80), scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": quote_from_bytes(scope.get("query_string", b""), safe="=&%+,;:/?@!$'()*~"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope.get("headers", ()):
        if b"_" in raw_name:
            continue  # WSGI could not tell `X_Forwarded_For`, which no proxy sets or removes, from the real one
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ | {"CONTENT_LENGTH": str(len(body))}


async def read_body(receive: Receive, cap: int) -> bytes | None:
    """The body; of one that is longer, one byte more than the cap, for which the parsers refuse it.

    The rest of a long body is read and forgotten, so that the phone gets its answer instead of a broken pipe. None
    where the phone hung up, or sent more than anybody should listen to.
    """
    body = bytearray()
    seen = 0
    while seen <= cap + FORGOTTEN_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        body += chunk[: cap + 1 - len(body)]
        seen += len(chunk)
        if not message.get("more_body"):
            return bytes(body)
    return None
