"""Who listens to a room from outside, with a link and without an account: `/ws/guest?…`.

A guest hears what the app that has the room shows to everybody, and says nothing. What they miss they have missed.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs

import django.db
import structlog
from django.conf import settings

from heihei_site.realtime import doorkeeper, hub
from heihei_site.realtime.consumers import HELD_UP_SECONDS, PIPE, AsgiPipe, Receive, Scope, Send, turn_away
from heihei_site.realtime.database import ask
from heihei_site.realtime.outlet import ENDED, TOO_MANY, TRY_AGAIN, Outlet, Pipe
from heihei_site.realtime.sessions import Connection
from heihei_site.realtime.turnstile import Turnstile

log = structlog.get_logger(__name__)

NOBODY = Connection(user_id=0, session_id=0, number=0)
turnstile = Turnstile(at_once=200, a_second=10)  # of one address, behind which may be many people
_here: Counter[str] = Counter()  # guests of this process by address


async def channel(scope: Scope, receive: Receive, send: Send) -> None:
    """4401 without a good link; 1008 for who says something, and where too many come from one address."""
    await receive()
    address = (scope.get("client") or ("",))[0]
    query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    try:
        if not turnstile.admits(address) or _here.total() >= settings.GUEST_SOCKETS:
            await asyncio.sleep(HELD_UP_SECONDS)
            await turn_away(send, TRY_AGAIN)
        elif _here[address] >= settings.GUEST_SOCKETS_AN_ADDRESS:
            await turn_away(send, TOO_MANY)
        else:
            with _counted(address):
                if (room_id := await ask(doorkeeper.room_of, query)) is None:
                    await turn_away(send, ENDED)
                else:
                    await _serve(room_id, scope, receive, send)
    except django.db.Error as error:
        log.warning("guest_without_database", reason=type(error).__name__)
        with suppress(OSError):
            await turn_away(send, TRY_AGAIN)
    except OSError:
        pass  # gone before we could answer


@contextmanager
def _counted(address: str) -> Iterator[None]:
    """From before anything is waited for: those who come at once are not each the last one."""
    _here[address] += 1
    try:
        yield
    finally:
        _here[address] -= 1
        if not _here[address]:
            del _here[address]


async def _serve(room_id: int, scope: Scope, receive: Receive, send: Send) -> None:
    here = hub.current()
    offered = scope.get("extensions", {}).get(PIPE)
    pipe: Pipe = offered if offered is not None else AsgiPipe(send)
    outlet = Outlet(pipe, NOBODY)
    try:
        await here.admit(outlet, room_id)
        await send({"type": "websocket.accept"})
        outlet.open()
        while (await receive())["type"] != "websocket.disconnect":
            outlet.close(TOO_MANY)  # guests listen
    finally:
        here.dismiss(outlet)
        if isinstance(pipe, AsgiPipe):
            await pipe.ended()
