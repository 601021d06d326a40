"""`python -m tests.bench lists`: do get-live and list-live-by-recommend take longer where there are more lives?

A tenth of the lives is on air, the others are replays; one in a hundred is recommended.
"""

import argparse
import re
from dataclasses import dataclass
from typing import Any

from tests.bench import report
from tests.bench.phones import Call, Figures, drive, instance
from tests.processes import Instance

SIZES = (1_000, 100_000)
LIVES_AN_OWNER = 10  # one of them on air
BLOCKS = 20  # of the caller's
FIRST_OWNER, FIRST_LIVE = 1_000_000, 5_000_000

_PEOPLE = """
INSERT INTO users_user (id, password, is_superuser, display_name, gender, description, cover_url, address, latlng,
    region, kind, push_enable, experience, points_earned, gold_given, follower_count, following_count, live_count,
    rename_count, email, is_staff, is_active)
SELECT %(owner)s + n, '', false, 'p' || n, 'Female', '', '', '', '', '', 'Anchor', true, 0, 0, 0, 0, 0, 0, 0, '', false,
    true
FROM generate_series(%(low)s / %(each)s, %(high)s / %(each)s - 1) AS n
"""
_LIVES = """
INSERT INTO live_live (id, owner_id, title, status, paused, visible, recommended, stream, lookback_addr, device_type,
    address, started_at, ended_at, owner_deadline, seats, locked, occupied, presence_no, total_users, total_tickets,
    likes)
SELECT %(live)s + n, %(owner)s + n / %(each)s, 'live ' || n, CASE n %% %(each)s WHEN 0 THEN 1 ELSE 2 END, false, true,
    n %% 100 = 0, 's' || n, CASE n %% %(each)s WHEN 0 THEN '' ELSE 'lookback/' || n END, '', '',
    now() - n * interval '1 second', CASE n %% %(each)s WHEN 0 THEN NULL ELSE now() - n * interval '1 second' END,
    '2100-01-01', 100000, 0, 1, 0, 0, 0, 0
FROM generate_series(%(low)s, %(high)s - 1) AS n
"""


@dataclass
class Row:
    lives: int
    path: str
    figures: Figures
    plans: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=lists", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="per measurement")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    with instance() as running:
        text = measure_all(running, given.seconds)
    print(text)
    if given.write:
        report.write("lists", text)


def measure_all(running: Instance, seconds: float) -> str:
    from tests import factories

    caller = factories.person()
    token = factories.token(caller)
    rows: list[Row] = []
    for low, high in zip((0, *SIZES), SIZES, strict=False):
        add_lives(low, high)
        if not low:
            block(caller.pk)
        for path, call in calls(token, high).items():
            figures = drive(running.port, call, phones=1, seconds=seconds)
            rows.append(Row(high, path, figures, plans(path, call)))
    scans = sorted({scan for row in rows for scan in row.plans if row.lives == SIZES[-1]})
    return "\n\n".join([table(rows), f"How the lives are read at {SIZES[-1]:,}: {'; '.join(scans)}."])


def calls(token: str, lives: int) -> dict[str, Call]:
    """get-live asks for another replay each time: a running one is shown to who is inside."""
    return {
        "live/get-live": lambda n: ("live/get-live", {"token": token, "liveId": FIRST_LIVE + replay(n, lives)}),
        "live/list-live-by-recommend": lambda n: ("live/list-live-by-recommend", {"token": token}),
    }


def replay(number: int, lives: int) -> int:
    found = number * 7919 % lives
    return found if found % LIVES_AN_OWNER else found + 1


def add_lives(low: int, high: int) -> None:
    from django.db import connection

    numbers = {"low": low, "high": high, "each": LIVES_AN_OWNER, "owner": FIRST_OWNER, "live": FIRST_LIVE}
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, numbers)
        cursor.execute(_LIVES, numbers)
        cursor.execute("VACUUM ANALYZE live_live, users_user")


def block(caller: int) -> None:
    from users.models import Block

    Block.objects.bulk_create(Block(user_id=caller, target_id=FIRST_OWNER + number) for number in range(BLOCKS))


def plans(path: str, call: Call) -> list[str]:
    """How each statement of one call reads the lives. Reading all of them ends the benchmark."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    _, params = call(1)
    with CaptureQueriesContext(connection) as captured:
        answer: dict[str, Any] = Client(headers={"host": "127.0.0.1"}).get(f"/api/{path}", params).json()
    assert answer["errorcode"] == 0, answer
    scans = []
    for query in captured.captured_queries:
        if "live_live" in query["sql"]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {query['sql']}".replace("%", "%%"), [])
                plan = "\n".join(line for (line,) in cursor.fetchall())
            scans += re.findall(r"\w+ Scan using \w+ on live_live|\w+ Scan on live_live", plan)
    if any(scan.startswith("Seq") for scan in scans):
        raise SystemExit(f"{path} reads every live: {scans}")
    return scans


def table(rows: list[Row]) -> str:
    by_path: dict[str, list[Row]] = {}
    for row in rows:
        by_path.setdefault(row.path, []).append(row)
    heads = ["Median ms (95 %)", *(f"{size:,} lives" for size in SIZES), "Ratio"]
    return report.table(
        heads,
        (
            [
                path,
                *(f"{row.figures.median:.2f} ({row.figures.p95:.2f})" for row in found),
                f"{found[-1].figures.median / found[0].figures.median:.2f}",
            ]
            for path, found in by_path.items()
        ),
    )


if __name__ == "__main__":
    main()
