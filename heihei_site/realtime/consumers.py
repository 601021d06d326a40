"""The socket of a phone: `/ws/channel?token=…[&since=<seq>][&room=<liveId>:<roomSeq>]…` (D10, D12).

A plain ASGI application and not a Channels consumer: those take a channel of their own on the layer and pass
every message through a dispatch that waits for the database's threads. Ours goes straight to the server.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import django.db
import orjson
import structlog

from heihei_site.api.errors import Refusal, ServerFault
from heihei_site.realtime import hub, inbound, sessions
from heihei_site.realtime.database import ask
from heihei_site.realtime.events import Event, Refused, element
from heihei_site.realtime.frames import Frame, frames
from heihei_site.realtime.models import StreamKind
from heihei_site.realtime.outlet import ENDED, TRY_AGAIN, Outlet, Pipe
from heihei_site.realtime.storage import Key
from heihei_site.realtime.turnstile import Turnstile

log = structlog.get_logger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Scope = dict[str, Any]

PIPE = "heihei.pipe"  # the ASGI extension with which our own server offers its connection
RESUMED_ROOMS = 8
ELEMENTS = 1000  # of one client frame at most
ELEMENTS_AT_ONCE = 50  # of one client, handled in one go
ELEMENTS_A_SECOND = 500  # between one go and the next the client waits, so that nobody else does
CLOSE_SECONDS = 2.0
HELD_UP_SECONDS = 1.0  # whoever the turnstile does not admit
turnstile = Turnstile()


async def channel(scope: Scope, receive: Receive, send: Send) -> None:
    """Whoever is let in is in their rooms before the handshake is answered: what is said from then on arrives.
    Whoever is not is let in first all the same, since a close code cannot be sent before."""
    await receive()
    query = parse_qs(scope["query_string"].decode("latin-1"))
    token = query.get("token", [""])[-1]
    try:
        if token and not turnstile.admits(token):
            await asyncio.sleep(HELD_UP_SECONDS)  # a loop of connects gets no faster by being refused
            await turn_away(send, TRY_AGAIN)
            return
        connection = await ask(sessions.store().connect, token) if token else None
        if connection is None:
            await turn_away(send, ENDED)
        else:
            await _serve(connection, _wanted(connection.user_id, query), scope, receive, send)
    except django.db.Error as error:
        log.warning("socket_without_database", reason=type(error).__name__)
        with suppress(OSError):
            await turn_away(send, TRY_AGAIN)
    except OSError:
        pass  # the phone was gone before we could answer


def _wanted(user_id: int, query: dict[str, list[str]]) -> dict[Key, int]:
    """From where on the client wants what it missed. What cannot be read is not asked for."""
    wanted: dict[Key, int] = {}
    since = query.get("since", [""])[-1]
    if _is_number(since):
        wanted[StreamKind.PERSON.value, user_id] = int(since)
    for place in query.get("room", [])[:RESUMED_ROOMS]:
        room_id, _, seq = place.partition(":")
        if _is_number(room_id) and _is_number(seq):
            wanted[StreamKind.ROOM.value, int(room_id)] = int(seq)
    return wanted


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 17


async def turn_away(send: Send, code: int) -> None:
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code})


async def _serve(
    connection: sessions.Connection, wanted: dict[Key, int], scope: Scope, receive: Receive, send: Send
) -> None:
    here = hub.current()
    offered = scope.get("extensions", {}).get(PIPE)
    pipe: Pipe = offered if offered is not None else AsgiPipe(send)
    outlet = Outlet(pipe, connection)
    replay: asyncio.Task[None] | None = None
    try:
        await here.attach(outlet, resuming=wanted)
        await send({"type": "websocket.accept"})
        outlet.open()
        if wanted:
            replay = asyncio.create_task(here.resume(outlet, wanted))
        await _read(outlet, receive)
    finally:
        here.detach(outlet)
        if replay is not None:
            replay.cancel()
        if isinstance(pipe, AsgiPipe):
            await pipe.ended()


async def _read(outlet: Outlet, receive: Receive) -> None:
    """Until the client is gone. One frame after the other: what comes meanwhile waits in the client's own queue."""
    while (event := await receive())["type"] != "websocket.disconnect":
        if event.get("text"):
            elements = _elements(event["text"])
            for start in range(0, len(elements), ELEMENTS_AT_ONCE):
                some = elements[start : start + ELEMENTS_AT_ONCE]
                outlet.put([*frames(await ask(_take, outlet, some))])
                if not outlet.closed:
                    await asyncio.sleep((len(some) - 1) / ELEMENTS_A_SECOND)


def _take(outlet: Outlet, elements: list[Any]) -> list[bytes]:
    """Handles a client's elements, until we have closed the socket; gives back what it alone is told about them."""
    answers: list[bytes] = []
    for one in elements:
        if outlet.close_code:
            break
        if answer := _take_one(outlet.connection.user_id, one):
            answers.append(element(answer))
    return answers


def _take_one(user_id: int, one: Any) -> Event | None:
    try:
        return inbound.handle(user_id, one)
    except Refusal as refusal:
        return _refused(refusal, one)
    except Exception:
        log.exception("client_element_failed")
        return _refused(ServerFault(), one)


def _elements(frame: str) -> list[Any]:
    """None at all stands for what is not an array, or a longer one than any client sends; the answer to it is the same
    as to a strange element."""
    try:
        elements = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return [None]
    return elements if isinstance(elements, list) and len(elements) <= ELEMENTS else [None]


def _refused(refusal: Refusal, one: Any) -> Refused:
    message = one.get("msg") if isinstance(one, dict) else None
    key = message.get("clientMsgId", "") if isinstance(message, dict) else ""
    return Refused(errorcode=refusal.code, errormsg=refusal.said or refusal.text, client_msg_id=str(key)[:64])


class AsgiPipe:
    """Through an ASGI server's own `send`: daphne in development, and tests. A frame at a time; meanwhile the outlet
    is paused."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._writing: asyncio.Task[None] | None = None
        self._outlet: Outlet | None = None

    def open(self, outlet: Outlet) -> None:
        self._outlet = outlet
        outlet.resume()

    def write(self, frames: Sequence[Frame]) -> None:
        assert self._outlet is not None
        self._outlet.pause()
        self._writing = asyncio.create_task(self._write(self._outlet, frames))

    async def _write(self, outlet: Outlet, frames: Sequence[Frame]) -> None:
        try:
            for frame in frames:
                await self._send({"type": "websocket.send", "text": frame.text.decode()})
        except OSError:
            outlet.hang_up()
        else:
            outlet.resume()

    def close(self, code: int) -> None:
        if self._writing is not None:
            self._writing.cancel()
        self._writing = asyncio.create_task(self._close(code))

    async def _close(self, code: int) -> None:
        with suppress(OSError):
            await self._send({"type": "websocket.close", "code": code})

    async def ended(self) -> None:
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=CLOSE_SECONDS)


async def nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    """An unknown path: refuse the handshake."""
    await receive()
    await send({"type": "websocket.close"})
