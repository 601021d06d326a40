"""The bus: one channel-layer group that every hub has joined (docs/adr/0005-bus.md).

A message is what one transaction had to tell: a list of acts, done in order. The `do` of an act is tell, state, enter,
leave, close or end (publish.py), newest or beacon (hub.py).
"""

import asyncio
import time
from functools import cache
from typing import Any, cast

import redis
import redis.asyncio
import structlog
from channels.layers import channel_layers, get_channel_layer
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from heihei_site.realtime import metrics

log = structlog.get_logger(__name__)

Act = dict[str, Any]
Message = dict[str, Any]  # {"acts": [Act], "at": when it was published, Unix seconds}

GROUP = "hubs"
PUBLISH_TIMEOUT = 0.5  # seconds a publisher waits for a bus that does not answer
MUTE_SECONDS = 1.0  # and how long it then does not even try
CLOSE_TIMEOUT = 2.0  # seconds

_mute_until = 0.0


def message_of(acts: list[Act], at: float | None = None) -> Message:
    return {"acts": acts, "at": time.time() if at is None else at}


def wire_form(message: Message) -> tuple[str, bytes]:
    """The Redis channel of the group and the bytes of a message: what the layer's own `group_send` writes."""
    layer = get_channel_layer()
    prefix = channel_layers.configs["default"]["CONFIG"]["prefix"]
    return f"{prefix}__group__{GROUP}", cast(bytes, layer.serialize(message))


@cache
def _publisher(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=PUBLISH_TIMEOUT,
        socket_connect_timeout=PUBLISH_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


def send(acts: list[Act], at: float | None = None) -> None:
    """Ring every hub, from a view or a worker. Never raises, never slow: a dead bus loses the message."""
    global _mute_until
    if time.monotonic() < _mute_until:
        _lost(acts, "does not answer")
        return
    try:
        client, form = _publisher(settings.REDIS_URL), wire_form(message_of(acts, at))
        try:
            client.publish(*form)
        except redis.ConnectionError:  # most likely a connection from before a restart
            client.publish(*form)
    except redis.TimeoutError:
        _mute_until = time.monotonic() + MUTE_SECONDS
        _lost(acts, "time-out")
    except redis.RedisError as error:
        _lost(acts, type(error).__name__)


def _lost(acts: list[Act], reason: str) -> None:
    metrics.lost_publishes.inc()
    log.warning("bus_lost_message", do=[act["do"] for act in acts], reason=reason)


class Line:
    """One event loop's connection to the bus. It hears through the channel layer and speaks over a connection
    of its own that never reconnects silently: when the bus was away for a moment, `say` fails once."""

    def __init__(self) -> None:
        self._layer = get_channel_layer()
        self._channel = ""
        self._voice = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            single_connection_client=True,
            socket_timeout=PUBLISH_TIMEOUT,
            socket_connect_timeout=PUBLISH_TIMEOUT,
            retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
        )

    async def open(self) -> None:
        self._channel = await self._layer.new_channel()
        await self._layer.group_add(GROUP, self._channel)

    async def hear(self) -> Message:
        """The next message. Returns without a pause while any is waiting."""
        return cast(Message, await self._layer.receive(self._channel))

    async def say(self, *acts: Act) -> None:
        try:
            await self._voice.publish(*wire_form(message_of(list(acts))))
        except KeyError:  # redis-py, where the connection was closed meanwhile
            raise redis.ConnectionError("hung up") from None

    async def close(self) -> None:
        """Hang up even where the other end is gone. Cancel what waits in `hear` after this: before, it would
        unsubscribe politely and wait for the answer."""
        for hang_up in (self._layer.flush, self._voice.aclose):
            try:
                await asyncio.wait_for(hang_up(), CLOSE_TIMEOUT)
            except (redis.RedisError, OSError, TimeoutError):
                log.warning("bus_not_closed_cleanly")
