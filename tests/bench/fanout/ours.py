"""Our hub, outlets and sockets with nothing behind them, for the benchmark only.

Sessions and rooms are what the token says, `<room>.<member>`; numbers are counted here instead of in the database. What
a member sends is published to the room as a service does after its commit: numbered, over the bus, back to the hub.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import django
import redis.asyncio

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heihei_site.settings")
django.setup()

from django.conf import settings  # noqa: E402  (Django has to be set up first)

from heihei_site.realtime import bus, memberships, routing, sessions, storage  # noqa: E402
from heihei_site.realtime.models import StreamKind  # noqa: E402
from heihei_site.realtime.sessions import Connection  # noqa: E402

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

FIRST_PERSON = 10001

room_of: dict[int, int] = {}
last_seqs: Counter[storage.Key] = Counter()


class Tokens:
    def connect(self, token: str) -> Connection:
        room, member = map(int, token.split("."))
        room_of[FIRST_PERSON + member] = room
        return Connection(user_id=FIRST_PERSON + member, session_id=member, number=1)

    def alive(self, session_ids: list[int]) -> set[int]:
        return set(session_ids)


sessions.register(Tokens())
memberships._registered.clear()
memberships.register("benchmark", lambda user_id: [room_of[user_id]])
storage.behind = lambda positions: {  # type: ignore[assignment]
    key: last_seqs[key] for key, position in positions.items() if last_seqs[key] > position
}


class Publisher:
    """What came while the last messages were on their way to the bus goes there together."""

    def __init__(self) -> None:
        self._client = redis.asyncio.Redis.from_url(settings.REDIS_URL)
        self._waiting: list[list[bus.Act]] = []
        self._sending: asyncio.Task[None] | None = None

    def publish(self, room: int, text: str) -> None:
        key = (StreamKind.ROOM.value, room)
        last_seqs[key] += 1
        element = b'{"msg":%b,"timeStamp":%d}' % (text.encode(), time.time())
        self._waiting.append(
            [{"do": "tell", "element": element, "needs": 0, "to": [[*key, last_seqs[key]]], "expires": None}]
        )
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            pipeline = self._client.pipeline(transaction=False)
            for acts in together:
                pipeline.publish(*bus.wire_form(bus.message_of(acts)))
            await pipeline.execute()


_publishers: list[Publisher] = []


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if not _publishers:
        _publishers.append(Publisher())
    token = parse_qs(scope["query_string"].decode())["token"][0]
    room = int(token.split(".")[0])

    async def receive_and_publish() -> dict[str, Any]:
        while (message := await receive())["type"] == "websocket.receive":
            _publishers[0].publish(room, message["text"])
        return message

    await routing.application(scope, receive_and_publish, send)
