"""Who is connected just now, to any process. A lease: each hub renews its own every beacon, and a hub that dies is
forgotten LEASE_SECONDS later. Soft state in Redis; while that is away, everyone counts as absent."""

import time
from collections.abc import Awaitable, Collection
from functools import cache
from typing import cast

import redis
import redis.asyncio
import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

HUBS = "heihei:presence:hubs"  # names of hubs, by when they are forgotten (Unix seconds)
HUB_SECONDS = 60
LEASE_SECONDS = 10
TIMEOUT = 0.5  # seconds


def _people_of(hub: str) -> str:
    return f"heihei:presence:{hub}"


@cache
def _asker(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, decode_responses=True)


def present(user_ids: Collection[int]) -> set[int]:
    """Those of the people who have a socket that gets messages."""
    people = list(user_ids)
    if not people:
        return set()
    client = _asker(settings.REDIS_URL)
    try:
        asking = client.pipeline(transaction=False)
        for hub in cast(list[str], client.zrange(HUBS, 0, -1)):
            asking.smismember(_people_of(hub), people)
        answers = asking.execute()
    except redis.RedisError as error:
        log.warning("presence_unknown", reason=type(error).__name__)
        return set()
    return {person for answer in answers for person, here in zip(people, answer, strict=True) if here}


class Lease:
    """One hub's side."""

    def __init__(self, hub: str) -> None:
        self._hub = hub
        self._key = _people_of(hub)
        self._redis = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
        )

    async def begin(self, people: Collection[int]) -> None:
        """They are here."""
        asking = self._redis.pipeline(transaction=False)
        now = time.time()
        asking.zremrangebyscore(HUBS, "-inf", now)
        asking.zadd(HUBS, {self._hub: now + HUB_SECONDS})
        asking.sadd(self._key, *people)
        asking.expire(self._key, LEASE_SECONDS)
        await asking.execute()

    async def renew(self, everyone: Collection[int]) -> None:
        """All who are here stay so for LEASE_SECONDS more, also where Redis has forgotten them."""
        if everyone and not await self._redis.expire(self._key, LEASE_SECONDS):
            await self.begin(everyone)
        elif everyone:
            await self._redis.zadd(HUBS, {self._hub: time.time() + HUB_SECONDS})

    async def end(self, user_id: int) -> None:
        await cast(Awaitable[int], self._redis.srem(self._key, user_id))
