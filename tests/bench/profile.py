"""Where the processor time of one kind of call goes: Django answers it here, under cProfile, without a server."""

import cProfile
import io
import pstats
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.bench import report
from tests.bench.phones import Call

CALLS, WARM_UP = 200, 20
ROOT = str(Path(__file__).resolve().parents[2])
# The first that fits a function's file; what Python and C do is charged to whoever called it.
PLACES = {
    "talking to PostgreSQL (psycopg2)": ("psycopg2",),
    "Django's database layer": ("/django/db/", "/heihei_site/postgres/"),
    "REST framework": ("/rest_framework/", "/drf_orjson"),
    "the log line": ("structlog", "/logging/", "/heihei_site/api/logs.py"),
    "Redis": ("/redis/", "/limits/", "/channels_redis/", "/realtime/bus.py"),
    "the rest of Django": ("/django/",),
    "our own code": (f"{ROOT}/heihei_site/", f"{ROOT}/live/", f"{ROOT}/users/", f"{ROOT}/payment/"),
}


def shares(call: Call) -> str:
    """A table of the parts of one call, in per cent of the whole."""
    from heihei_site.api.edge import Edge
    from heihei_site.asgi import http

    edge = Edge(http)

    def answer(number: int) -> None:
        _, _, content, _ = edge.answer(scope_of(*call(number)), io.BytesIO())
        assert content.startswith(b'{"errorcode":0'), content

    for number in range(WARM_UP):
        answer(CALLS + number)
    profiler = cProfile.Profile(time.thread_time)
    for number in range(CALLS):
        profiler.runcall(answer, number)
    spent: Counter[str] = Counter()
    for place, seconds in charged(pstats.Stats(profiler)):
        spent[place] += seconds
    whole = sum(spent.values())
    return report.table(["", "%"], ([place, f"{100 * part / whole:.0f}"] for place, part in spent.most_common()))


def scope_of(path: str, params: dict[str, object]) -> dict[str, Any]:
    """The request as an ASGI server hands it on."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": f"/api/{path}",
        "query_string": urlencode(params).encode(),
        "headers": [(b"host", b"127.0.0.1")],
    }


def charged(stats: pstats.Stats) -> Iterator[tuple[str, float]]:
    """Seconds by place."""
    rows = stats.stats  # type: ignore[attr-defined]
    for function, (_, _, own, _, callers) in rows.items():
        if place := place_of(function):
            yield place, own
        else:
            yield from ((owner(rows, caller), spent[2]) for caller, spent in callers.items())


def place_of(function: tuple[str, int, str]) -> str | None:
    file, _, name = function
    described = f"{file} {name}"
    return next((place for place, signs in PLACES.items() if any(sign in described for sign in signs)), None)


def owner(rows: dict, function: tuple[str, int, str], depth: int = 6) -> str:
    """Whoever, up the calls, has a place: by the caller that spent most in it."""
    if place := place_of(function):
        return place
    callers = rows[function][4] if function in rows else {}
    if not callers or not depth:
        return "the rest of Python"
    return owner(rows, max(callers, key=lambda caller: callers[caller][3]), depth - 1)
