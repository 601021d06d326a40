"""Asking a vendor while a phone waits: the phone gives up after two seconds (D9), so everything is over before that."""

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from threading import BoundedSemaphore
from typing import Any

import httpx
import orjson
import structlog
from django.conf import settings

from heihei_site.api.errors import IdentityUnreachable

MOST_WAITING = 24
LONGEST_ANSWER = 64 * 1024  # bytes
# Apart from the threads of the API: a vendor that hangs keeps these busy, and phones are told after the time-out.
_threads = ThreadPoolExecutor(16, thread_name_prefix="identity")
# Calls that wait for vendors at once: fewer than the API has threads, so that a vendor that hangs leaves it some.
_waiting = BoundedSemaphore(MOST_WAITING)

log = structlog.get_logger(__name__)


@cache
def _client() -> httpx.Client:
    """One for all threads: connections to the vendors stay open."""
    return httpx.Client()


def ask(*requests: httpx.Request) -> list[dict[str, Any]]:
    """The JSON objects that the requests are answered with, all asked at once. IdentityUnreachable where one is not, or
    where too many wait already."""
    if not _waiting.acquire(blocking=False):
        log.warning("identity_unreachable", vendor=requests[0].url.host, reason="too many wait")
        raise IdentityUnreachable
    try:
        return _ask(requests)
    finally:
        _waiting.release()


def _ask(requests: tuple[httpx.Request, ...]) -> list[dict[str, Any]]:
    end = time.monotonic() + settings.IDENTITY_TIMEOUT
    asked = [_threads.submit(_answer, request, end) for request in requests]
    wait(asked, timeout=settings.IDENTITY_TIMEOUT)
    return [_result(each, request) for each, request in zip(asked, requests, strict=True)]


def _result(asked: "Future[dict[str, Any]]", request: httpx.Request) -> dict[str, Any]:
    asked.cancel()
    try:
        return asked.result(timeout=0)
    except Exception as error:  # CancelledError and TimeoutError too: late is as bad as never
        log.warning("identity_unreachable", vendor=request.url.host, reason=type(error).__name__)
        raise IdentityUnreachable from None


def _answer(request: httpx.Request, end: float) -> dict[str, Any]:
    """Vendors refuse with 4xx and say why as JSON."""
    request.extensions["timeout"] = httpx.Timeout(max(end - time.monotonic(), 0.01)).as_dict()
    body = bytearray()
    answer = _client().send(request, stream=True)
    try:
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > LONGEST_ANSWER or time.monotonic() > end:
                raise httpx.ReadTimeout("too much or too late")
    finally:
        answer.close()
    if answer.status_code >= 500:
        raise httpx.HTTPError(f"{answer.status_code}")
    said = orjson.loads(bytes(body))
    if not isinstance(said, dict):
        raise ValueError("no object")
    return said
