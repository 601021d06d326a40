"""What sections about growing tables share: so many rows, the same calls, more rows, the same calls again.

The floor of a call is its SQL alone: the same statements, sent by psycopg2 over one connection, rows fetched and left.
"""

import argparse
import re
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench import report
from tests.bench.phones import Call, drive
from tests.processes import Instance

_SCAN = r"(?:\w+ Scan(?: Backward)? using \w+|Seq Scan) on (?:{tables})\b|Bitmap Index Scan on \w+"
_PEOPLE = """
INSERT INTO users_user (id, password, is_superuser, display_name, gender, description, cover_url, address, latlng,
    region, kind, push_enable, experience, points_earned, gold_given, follower_count, following_count, live_count,
    rename_count, email, is_staff, is_active)
SELECT %(first)s + n, '', false, {name}, 'Female', '', '', '', '', '', {kind}, true, 0, 0, 0, {followers},
    {following}, 0, 0, '', false, true
FROM generate_series(%(low)s, %(high)s - 1) AS n
"""


@dataclass
class Row:
    """One call at one size."""

    size: int
    name: str
    milliseconds: float
    p95: float
    queries: int
    floor: float


def options(section: str, doc: str | None, *, most: int, of: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"make bench ARGS={section}", description=doc)
    parser.add_argument("--seconds", type=float, default=3, help="per measurement")
    parser.add_argument("--most", type=int, default=most, help=of)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    return parser


def steps(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """How many rows there are, and how many there are to be."""
    return zip((0, *sizes), sizes, strict=False)


def add_people(
    first: int,
    low: int,
    high: int,
    *,
    name: str = "'p' || n",
    kind: str = "'Normal'",
    followers: str = "0",
    following: str = "0",
) -> None:
    """From id `first + low` up to below `first + high`; the others are SQL, with `n` for the person's number."""
    statement = _PEOPLE.format(name=name, kind=kind, followers=followers, following=following)
    execute(statement, {"first": first, "low": low, "high": high})


def execute(statement: str, given: dict[str, Any] | list[Any] | None = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, given)


def vacuum(tables: Iterable[str]) -> None:
    """What autovacuum would have done by then."""
    execute(f"VACUUM ANALYZE {', '.join(tables)}")


def asked(call: tuple[str, dict[str, Any]]) -> list[str]:
    """The statements of one call."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    path, params = call
    with CaptureQueriesContext(connection) as captured:
        answer: dict[str, Any] = Client(headers={"host": "127.0.0.1"}).get(f"/api/{path}", params).json()
    assert answer["errorcode"] == 0, answer
    return [query["sql"] for query in captured.captured_queries]


def floor(statements: Sequence[str]) -> float:
    """Milliseconds that they take alone, one after the other: the median of many times."""
    from django.db import connection

    connection.ensure_connection()
    taken = []
    with connection.connection.cursor() as cursor:  # psycopg2's own
        for _ in range(100):
            began = time.perf_counter()
            for statement in statements:
                cursor.execute(statement)
                if cursor.description:
                    cursor.fetchall()
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def scans(statements: Iterable[str], tables: Iterable[str]) -> list[str]:
    """How the statements read rows of these tables."""
    from django.db import connection

    found, scan = [], re.compile(_SCAN.format(tables="|".join(tables)))
    with connection.cursor() as cursor:
        for statement in statements:
            if statement.lstrip().startswith(("SELECT", "WITH")):
                cursor.execute(f"EXPLAIN {statement}".replace("%", "%%"), [])
                found += scan.findall("\n".join(line for (line,) in cursor.fetchall()))
    return found


def measure(running: Instance, size: int, name: str, call: Call, seconds: float) -> tuple[Row, list[str]]:
    """One phone; and the statements of the call."""
    statements = asked(call(1))
    figures = drive(running.port, call, phones=1, seconds=seconds)
    return Row(size, name, figures.median, figures.p95, len(statements), floor(statements)), statements


def table(rows: Iterable[Row], sizes: Iterable[int], of: str) -> str:
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    heads = ["Median ms (95 %), floor", *(f"{size:,} {of}" for size in sizes), "Queries", "Last to first"]
    return report.table(heads, (_line(name, found) for name, found in by_name.items()))


def _line(name: str, found: Sequence[Row]) -> list[str]:
    return [
        name,
        *(f"{row.milliseconds:.2f} ({row.p95:.2f}), {row.floor:.2f}" for row in found),
        " ".join(sorted({str(row.queries) for row in found})),
        f"{found[-1].milliseconds / found[0].milliseconds:.2f}",
    ]
