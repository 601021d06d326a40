"""Who is connected, to any process, a beacon (2 s) ago. A lease: each hub renews its own at every beacon, and one that
dies is forgotten LEASE_SECONDS later. Soft state in Redis; while that is away, everyone counts as absent."""

import time
from collections.abc import Collection
from functools import cache
from typing import cast

import redis
import redis.asyncio
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)

HUBS = "heihei:presence:hubs"  # names of hubs, by when they are forgotten (Unix seconds)
HUB_SECONDS = 60
LEASE_SECONDS = 10
TIMEOUT = 0.5  # seconds


def _people_of(hub: str) -> str:
    return f"heihei:presence:{hub}"


@cache
def _asker(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 1),
        decode_responses=True,
    )


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


def how_many() -> int:
    """People who have a socket; whoever has two with different processes counts twice. Raises RedisError."""
    client = _asker(settings.REDIS_URL)
    asking = client.pipeline(transaction=False)
    for hub in cast(list[str], client.zrange(HUBS, 0, -1)):
        asking.scard(_people_of(hub))
    return sum(asking.execute())


class Lease:
    """One hub's side: a few commands every beacon, however many sockets come and go meanwhile."""

    def __init__(self, hub: str) -> None:
        self._hub = hub
        self._key = _people_of(hub)
        self._told: set[int] | None = None  # who is known to be in the set; None where that is unknown
        self._redis = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=redis.asyncio.retry.Retry(NoBackoff(), 1),
        )

    async def renew(self, everyone: Collection[int]) -> None:
        """These people are here for LEASE_SECONDS more, and nobody else; also where Redis has forgotten them."""
        here, now = set(everyone), time.time()
        told, self._told = self._told, None
        if not await self._redis.expire(self._key, LEASE_SECONDS):
            told = None
        asking = self._redis.pipeline(transaction=False)
        asking.zremrangebyscore(HUBS, "-inf", now)
        asking.zadd(HUBS, {self._hub: now + HUB_SECONDS})
        if told is None:
            asking.delete(self._key)
            told = set()
        if came := here - told:
            asking.sadd(self._key, *came)
        if gone := told - here:
            asking.srem(self._key, *gone)
        asking.expire(self._key, LEASE_SECONDS)
        await asking.execute()
        self._told = here
