"""`python -m tests.bench people`: do lists of people and search take longer where there are more people?

Everybody follows the star, one random other person, and is signed in. Names are Chinese (one surname in six is 王) or
`user` with a number.
"""

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench import report
from tests.bench.phones import Figures, drive, instance
from tests.processes import Instance

SIZES = (1_000, 100_000, 1_000_000)
FIRST = 1_000_000  # id; the star's
BLOCKS = 20  # by each caller, and as many of each caller
CALLERS = range(2 * BLOCKS + 1, SIZES[0])  # take turns, as each may search only so often
TABLES = ("users_user", "users_follow", "users_block", "users_session")

_NAMED = """
INSERT INTO users_user (id, password, is_superuser, display_name, gender, description, cover_url, address, latlng,
    region, kind, push_enable, experience, points_earned, gold_given, follower_count, following_count, live_count,
    rename_count, email, is_staff, is_active)
SELECT %(first)s + n, '', false, CASE WHEN n %% 3 = 0 THEN 'user' || n ELSE
        substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', 1 + floor(20 * random() ^ 2)::int, 1)
        || chr(19968 + floor(3000 * random() ^ 2)::int) || chr(19968 + floor(3000 * random() ^ 2)::int) END,
    'Female', '', '', '', '', '', CASE WHEN n %% 10 = 0 THEN 'Anchor' ELSE 'Normal' END, true, 0, 0, 0,
    CASE WHEN n = 0 THEN %(high)s ELSE 1 END, 2, 0, 0, '', false, true
FROM generate_series(%(low)s, %(high)s - 1) AS n
"""
_FOLLOWING = """
INSERT INTO users_follow (follower_id, followee_id, created_at)
SELECT %(first)s + n, %(first)s, now() FROM generate_series(greatest(1, %(low)s), %(high)s - 1) AS n
UNION
SELECT %(first)s + n, %(first)s + 1 + (n + 7919) %% (%(high)s - 1), now()
FROM generate_series(%(low)s, %(high)s - 1) AS n WHERE n <> 1 + (n + 7919) %% (%(high)s - 1)
ON CONFLICT DO NOTHING
"""
_SIGNED_IN = """
INSERT INTO users_session (user_id, digest, created_at, expires_at, active_at, client_version, model, platform, uuid,
    address, connection_no)
SELECT %(first)s + n, sha256(n::text::bytea), now(), now() + interval '30 days', now() - n * interval '1 second', '',
    '', '', '', '', 0
FROM generate_series(%(low)s, %(high)s - 1) AS n
"""
_BLOCKED = """
INSERT INTO users_block (user_id, target_id, created_at)
SELECT unnest(ARRAY[%(first)s + caller, %(first)s + %(many)s + n]), unnest(ARRAY[%(first)s + n, %(first)s + caller]),
    now()
FROM generate_series(1, %(many)s) AS n, generate_series(%(from)s, %(to)s) AS caller
"""

Params = dict[str, Any]


@dataclass
class Row:
    people: int
    call: str
    figures: Figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=people", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="per measurement")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="people")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    with instance() as running:
        text = measure_all(running, given.seconds, [size for size in SIZES if size <= given.most])
    print(text)
    if given.write:
        report.write("people", text)


def measure_all(running: Instance, seconds: float, sizes: list[int]) -> str:
    rows: list[Row] = []
    scans: dict[str, str] = {}  # at the last size
    for low, high in zip((0, *sizes), sizes, strict=False):
        add_many(low, high)
        if not low:
            block_some()
        for name, call in calls(high, some_names()).items():
            rows.append(Row(high, name, drive(running.port, in_turns(call), phones=1, seconds=seconds)))
            scans |= dict.fromkeys(plans(*in_turns(call)(1)), name) if high == sizes[-1] else {}
    if whole := {name: scan for scan, name in scans.items() if scan.startswith("Seq")}:
        raise SystemExit(f"Somebody reads everybody: {whole}")
    return f"{table(rows, sizes)}\n\nHow people are read at {sizes[-1]:,}: {'; '.join(sorted(scans))}."


def calls(people: int, names: list[str]) -> dict[str, Callable[[int], tuple[str, Params]]]:
    """What a phone may ask, by what it is called; each number is about somebody else."""

    def somebody(number: int) -> int:
        return FIRST + 1 + 2 * BLOCKS + number * 7919 % (people - 1 - 2 * BLOCKS)

    def searching(text: Callable[[int], str]) -> Callable[[int], tuple[str, Params]]:
        return lambda number: ("user/search", {"queryParameter": text(number)})

    return {
        "list-follower": lambda number: ("user/list-follower", {"userId": somebody(number)}),
        "list-follower, of the star": lambda number: ("user/list-follower", {"userId": FIRST, "limit": 20}),
        "list-following": lambda number: ("user/list-following", {"userId": somebody(number)}),
        "list-blocked-user": lambda number: ("user/list-blocked-user", {}),
        "list-user-byType": lambda number: ("user/list-user-byType", {"type": "Anchor"}),
        "list-active-user": lambda number: ("user/list-active-user", {}),
        "info, of another": lambda number: ("user/info", {"uid": somebody(number)}),
        "search, by heiNum": searching(lambda number: str(somebody(number) + 990_000)),
        "search, two characters": searching(lambda number: names[number % len(names)][1:]),
        "search, a whole name": searching(lambda number: names[number % len(names)]),
        "search, a surname": searching(lambda number: "王"),
        "search, what a third has": searching(lambda number: "user"),
        "search, nobody": searching(lambda number: "没有这个人"),
    }


def some_names() -> list[str]:
    """Chinese ones."""
    from users.models import User

    some = User.objects.filter(pk__gte=FIRST, pk__lt=FIRST + 900).exclude(display_name__startswith="user")
    return list(some.values_list("display_name", flat=True)[:500])


def in_turns(call: Callable[[int], tuple[str, Params]]) -> Callable[[int], tuple[str, Params]]:
    def asked(number: int) -> tuple[str, Params]:
        path, params = call(number)
        return path, {"token": str(CALLERS[number % len(CALLERS)])} | params

    return asked


def add_people(low: int, high: int) -> None:
    from django.db import connection

    from users.services import kinds

    numbers = {"low": low, "high": high, "first": FIRST}
    with connection.cursor() as cursor:
        for statement in (_NAMED, _FOLLOWING, _SIGNED_IN):
            cursor.execute(statement, numbers)
        cursor.execute("UPDATE users_user SET follower_count = %(high)s WHERE id = %(first)s", numbers)
        kinds.fold()
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")


def add_many(low: int, high: int) -> None:
    """The index on parts of names is made anew: that is quicker than adding to it, but none for a transaction."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX people_by_parts_of_name")
        add_people(low, high)
        cursor.execute("CREATE INDEX people_by_parts_of_name ON users_user USING gin (users_name_grams(display_name))")
        cursor.execute(f"VACUUM ANALYZE {', '.join(TABLES)}, users_kindchange")


def block_some() -> None:
    from django.db import connection

    from users.models import User

    given = {"first": FIRST, "many": BLOCKS, "from": CALLERS[0], "to": CALLERS[-1]}
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKED, given)
    User.objects.filter(pk__gte=FIRST + CALLERS[0], pk__lte=FIRST + CALLERS[-1]).update(blocked_count=BLOCKS)


def plans(path: str, params: Params) -> list[str]:
    """How each statement of one call reads people and what is between them."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer: Params = Client(headers={"host": "127.0.0.1"}).get(f"/api/{path}", params).json()
    assert answer["errorcode"] == 0, answer
    scans = []
    for query in captured.captured_queries:
        if query["sql"].lstrip().startswith(("SELECT", "WITH")):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {query['sql']}".replace("%", "%%"), [])
                plan = "\n".join(line for (line,) in cursor.fetchall())
            scans += re.findall(rf"(?:\w+ Scan(?: Backward)? using \w+|Seq Scan) on (?:{'|'.join(TABLES)})", plan)
            scans += re.findall(r"Bitmap Index Scan on \w+", plan)
    return scans


def table(rows: list[Row], sizes: list[int]) -> str:
    by_call: dict[str, list[Row]] = {}
    for row in rows:
        by_call.setdefault(row.call, []).append(row)
    heads = ["Median ms (95 %)", *(f"{size:,} people" for size in sizes), "Ratio"]
    return report.table(
        heads,
        (
            [
                call,
                *(f"{row.figures.median:.2f} ({row.figures.p95:.2f})" for row in found),
                f"{found[-1].figures.median / found[0].figures.median:.2f}",
            ]
            for call, found in by_call.items()
        ),
    )


if __name__ == "__main__":
    main()
