"""Rate limits, declared at the endpoint, counted exactly in Redis by the `limits` library."""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from limits import RateLimitItem, parse
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError, TimeoutError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from heihei_site.api.callers import Caller
from heihei_site.api.errors import Refusal, TooManyRequests

TIMEOUT = 0.5  # seconds a call waits for a Redis that does not answer
MUTE_SECONDS = 2.0  # and how long it is then not asked

_mute_until = 0.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limit:
    """A rate limit of an endpoint, such as Limit("100/10 seconds"): past it the answer is 429.

    `by` says whose: "person" (the address for who is not signed in) or "address". `refuses` is the refusal. Endpoints
    whose limits name the same deed are `counted_with` each other.
    """

    rate: str
    by: str = "person"
    refuses: type[Refusal] = TooManyRequests
    counted_with: str = ""


@cache
def _limiter() -> MovingWindowRateLimiter:
    storage = storage_from_string(settings.RATE_LIMITS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
    assert isinstance(storage, Storage)
    return MovingWindowRateLimiter(storage)


@cache
def _rate(text: str) -> RateLimitItem:
    return parse(text)


def allowed(rate: str, *whose: str) -> bool:
    """Counts one more for `whose` and says whether it is within the rate. Without Redis everything is; one that does
    not answer costs a call in MUTE_SECONDS its time-out and no others (D9)."""
    global _mute_until
    if time.monotonic() < _mute_until:
        return True
    try:
        return _limiter().hit(_rate(rate), *whose)
    except RedisError as error:
        if isinstance(error, TimeoutError):
            _mute_until = time.monotonic() + MUTE_SECONDS
        log.warning("rate_limits_unreachable", reason=type(error).__name__)
        return True


def used_up(rate: str, *whose: str) -> bool:
    """Whether `allowed` would say no; counts nothing. Without Redis it never is."""
    try:
        return not _limiter().test(_rate(rate), *whose)
    except RedisError as error:
        log.warning("rate_limits_unreachable", reason=type(error).__name__)
        return False


class DeclaredLimits(BaseThrottle):
    """Applies the limits that the endpoint declares."""

    def allow_request(self, request: Request, view: Any) -> bool:
        endpoint = getattr(view, "endpoint", None)  # schema and docs are views of drf-spectacular
        limits: tuple[Limit, ...] = endpoint.limits if endpoint else ()
        for limit in limits:
            deed = limit.counted_with or view.endpoint.path
            if not allowed(limit.rate, deed, limit.by, self._whose(request, limit)):
                raise limit.refuses
        return True

    @staticmethod
    def _whose(request: Request, limit: Limit) -> str:
        caller = Caller(request)
        if limit.by == "address" or caller.anyone is None:
            return caller.address
        return str(caller.anyone.pk)
