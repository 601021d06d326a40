"""Asking a media server or its vendor, and never waiting for longer than was said, whatever it does."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import httpx

from heihei_site.providers.streaming.base import Unanswered

LONGEST_ANSWER = 16 * 1024 * 1024  # bytes: a list of tens of thousands of streams
# Apart from the threads of the API: one that hangs keeps these busy.
_threads = ThreadPoolExecutor(16, thread_name_prefix="media")


@cache
def _client() -> httpx.Client:
    """One for all threads: connections stay open. Whatever proxy the environment names is not for these."""
    return httpx.Client(trust_env=False)


def ask(request: httpx.Request, *, within: float) -> tuple[int, bytes]:
    """The status and the body that it is answered with. Raises Unanswered after so many seconds at the latest."""
    asked = _threads.submit(_answer, request, time.monotonic() + within)
    try:
        return asked.result(within)
    except (TimeoutError, httpx.HTTPError) as error:
        asked.cancel()
        raise Unanswered(f"{request.url.host}: {type(error).__name__}") from None


def _answer(request: httpx.Request, end: float) -> tuple[int, bytes]:
    request.extensions["timeout"] = httpx.Timeout(max(end - time.monotonic(), 0.01)).as_dict()
    answer = _client().send(request, stream=True)
    try:
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > LONGEST_ANSWER or time.monotonic() > end:
                raise httpx.ReadTimeout("too much or too late")
        return answer.status_code, bytes(body)
    finally:
        answer.close()
