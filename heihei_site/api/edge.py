"""How a request gets from the ASGI server to Django, and an answer back (docs/adr/0006-threads.md)."""

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import quote_from_bytes

import structlog
from django.conf import settings
from django.urls import get_resolver

from heihei_site.api import bodies

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
WsgiApp = Callable[..., Iterable[bytes]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes, "Chunks | None"]

FORGOTTEN_BYTES = 64 * 1024 * 1024  # of a body, read past the cap and dropped; who sends more is hung up on
PATIENCE = 1.5  # seconds after which a phone that hangs up has done so because nothing came (they wait 2)
PIECE_BYTES = 256 * 1024  # of an answer, or of a body on its way to disk, in memory at once

log = structlog.get_logger(__name__)


class Read(Enum):
    """What came of reading a body."""

    WHOLE = 1
    ENDLESS = 2  # and nobody listens any longer: it is answered, and the connection ends
    GONE = 3  # the phone hung up


class Edge:
    """Runs Django, which is synchronous here, in a fixed number of threads.

    Each thread keeps its database connection, so there are never more than API_THREADS of them a process; calls beyond
    wait in line, and leave it when their phone has given up. A body is read before its call gets a thread: a slow phone
    holds nothing but its bytes, and those of a long body (`bodies.py`) are on disk. An answer in many pieces is taken
    from its thread as the phone reads it. Raw UTF-8 in a query string is percent-encoded on the way.
    """

    def __init__(self, app: WsgiApp) -> None:
        self.app = app
        self.threads = ThreadPoolExecutor(settings.API_THREADS, thread_name_prefix="api")
        get_resolver().url_patterns  # noqa: B018  (now, and not with the first call, endpoints declare their bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with TemporaryFile() if bodies.declared(scope["path"]) else BytesIO() as body:
            read = await read_body(receive, bodies.cap(scope["path"]), body)
            if read is Read.GONE:
                return
            context = contextvars.copy_context()
            in_line = self.threads.submit(context.run, self.answer, scope, body)
            answer = await (in_time(in_line, receive) if read is Read.WHOLE else asyncio.wrap_future(in_line))
            if answer is None:
                log.warning("call_given_up", path=scope["path"])
                return
            status, headers, content, rest = answer
            if read is Read.ENDLESS:
                headers.append((b"connection", b"close"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            try:
                while rest is not None:
                    await send({"type": "http.response.body", "body": content, "more_body": True})
                    content, rest = await self._run(context.run, next_piece, rest)
            finally:
                if rest is not None:  # nobody wants the rest any more
                    await self._run(context.run, rest.end)
            await send({"type": "http.response.body", "body": content})

    async def _run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work, *arguments)

    def answer(self, scope: Scope, body: IO[bytes]) -> Answer:
        """Django's answer, or its first piece and the rest."""
        environ = environ_of(scope, body)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = self.app(environ, lambda status, headers, *_: started.append((status, headers)))
        content, rest = next_piece(Chunks(chunks))
        status, headers = started[-1]
        wire_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return int(status[:3]), wire_headers, content, rest


async def in_time(answer: Future[Answer], receive: Receive) -> Answer | None:
    """None where the phone hung up after PATIENCE while its call still waited in line: it asks again (D9), and a server
    that is behind with its work would never catch up if it worked for those who are gone."""
    waiting: asyncio.Future[Any] = asyncio.wrap_future(answer)
    if not (await asyncio.wait({waiting}, timeout=PATIENCE))[0]:
        hung_up: asyncio.Future[Any] = asyncio.ensure_future(receive())  # the body is read: only the end comes next
        await asyncio.wait({waiting, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        hung_up.cancel()
        if not waiting.done() and answer.cancel():
            return None
    await waiting
    return answer.result()


class Chunks:
    """What Django answers, as it comes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.iterator = iter(chunks)
        self.end: Callable[[], None] = getattr(chunks, "close", lambda: None)  # Django ends the request there


def next_piece(chunks: Chunks) -> tuple[bytes, Chunks | None]:
    """Up to about PIECE_BYTES, and None where that was all."""
    piece = bytearray()
    try:
        for chunk in chunks.iterator:
            piece += chunk
            if len(piece) >= PIECE_BYTES:
                return bytes(piece), chunks
    except BaseException:
        chunks.end()
        raise
    chunks.end()
    return bytes(piece), None


def environ_of(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
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
        "wsgi.input": body,
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
    length = body.seek(0, 2)
    body.seek(0)
    return environ | {"CONTENT_LENGTH": str(length)}


async def read_body(receive: Receive, cap: int, body: IO[bytes]) -> Read:
    """Writes it there; of one that is longer, one byte more than the cap, for which whoever reads it refuses it.

    The rest of a long body is read and forgotten, so that the phone gets its answer instead of a broken pipe, up to
    what anybody should listen to.
    """
    waiting = bytearray()
    seen = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return Read.GONE
        chunk = message.get("body", b"")
        waiting += chunk[: max(cap + 1 - seen, 0)]
        seen += len(chunk)
        complete, endless = not message.get("more_body"), seen > cap + FORGOTTEN_BYTES
        if complete or endless or len(waiting) >= PIECE_BYTES:
            await _write(body, waiting)
            waiting = bytearray()
        if complete or endless:
            return Read.WHOLE if complete else Read.ENDLESS


async def _write(body: IO[bytes], piece: bytearray) -> None:
    """A disk may make us wait, memory does not."""
    if isinstance(body, BytesIO):
        body.write(piece)
    else:
        await asyncio.to_thread(body.write, piece)
