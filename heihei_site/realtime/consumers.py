"""The socket of a phone: `/ws/channel?token=…` (D10).

A plain ASGI application and not a Channels consumer: those take a channel of their own on the layer and pass
every message through a dispatch that waits for the database's threads. Ours goes straight to the server.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import django.db
import structlog

from heihei_site.realtime import hub, sessions
from heihei_site.realtime.database import ask
from heihei_site.realtime.outlet import ENDED, TRY_AGAIN, Outlet, Send

log = structlog.get_logger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]


async def channel(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Whoever is let in is in their rooms before the handshake is answered: what is said from then on arrives.
    Whoever is not is let in first all the same, since a close code cannot be sent before."""
    await receive()
    token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
    try:
        connection = await ask(sessions.store().connect, token) if token else None
        if connection is None:
            await _turn_away(send, ENDED)
        else:
            await _serve(Outlet(send, connection), receive)
    except django.db.Error as error:
        log.warning("socket_without_database", reason=type(error).__name__)
        with suppress(OSError):
            await _turn_away(send, TRY_AGAIN)
    except OSError:
        pass  # the phone was gone before we could answer


async def _turn_away(send: Send, code: int) -> None:
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code})


async def _serve(outlet: Outlet, receive: Receive) -> None:
    here = hub.current()
    reader = asyncio.create_task(_read(outlet, receive))
    try:
        await here.attach(outlet)
        await outlet.open()
        await outlet.write()
    finally:
        reader.cancel()
        here.detach(outlet)


async def _read(outlet: Outlet, receive: Receive) -> None:
    """Nothing a client sends means anything, but that it is gone."""
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        outlet.hang_up()


async def nothing_here(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """An unknown path: refuse the handshake."""
    await receive()
    await send({"type": "websocket.close"})
