"""`python -m tests.bench lists`: do the lists of lives, and what ranks them, take longer where there are more lives?

A tenth of the lives is on air, two fifths never got a recording, the others are replays. The caller follows 180 people,
half of whom are on air, and blocks twenty; a newcomer follows nobody. Five lives are recommended. Every owner follows
five others and blocks one.
"""

import statistics
import time
from collections.abc import Callable

from tests.bench import growing, report
from tests.bench.phones import Call
from tests.processes import Instance

SIZES = (1_000, 10_000, 100_000)
LIVES_AN_OWNER = 5  # of every other owner one is on air
FOLLOWED = 180
BLOCKS = 20  # of the caller's
FIRST_OWNER, FIRST_LIVE = 1_000_000, 5_000_000
TABLES = ("live_live", "live_recenttickets", "users_user", "users_follow", "users_block")

_LIVES = """
INSERT INTO live_live (id, owner_id, title, status, paused, visible, recommended, stream, lookback_addr, device_type,
    address, started_at, ended_at, owner_deadline, seats, locked, occupied, presence_no, total_users, total_tickets,
    likes, score)
SELECT %(live)s + n, %(owner)s + n / %(each)s, 'live ' || n, CASE WHEN on_air THEN 1 ELSE 2 END, false, true,
    on_air AND n < 50, 's' || n, CASE WHEN on_air OR n %% %(each)s > 2 THEN '' ELSE 'lookback/' || n END, '', '',
    now() - n * interval '1 second', CASE WHEN on_air THEN NULL ELSE now() - n * interval '1 second' END,
    '2100-01-01', 100000, 0, CASE WHEN on_air THEN 1 + n %% 61 ELSE 0 END, 0, 0, n %% 997, 0, n / 10 %% 7
FROM generate_series(%(low)s, %(high)s - 1) AS n,
    LATERAL (SELECT n %% (2 * %(each)s) = 0 AS on_air) AS state
"""
_RELATIONS = """
INSERT INTO users_follow (follower_id, followee_id, created_at)
SELECT %(owner)s + n, %(owner)s + (n + step * 37) %% (%(high)s / %(each)s), now()
FROM generate_series(%(low)s / %(each)s, %(high)s / %(each)s - 1) AS n, generate_series(1, 5) AS step;
INSERT INTO users_block (user_id, target_id, created_at)
SELECT %(owner)s + n, %(owner)s + (n + 7) %% (%(high)s / %(each)s), now()
FROM generate_series(%(low)s / %(each)s, %(high)s / %(each)s - 1) AS n
"""
_FOLLOWS = """
INSERT INTO users_follow (follower_id, followee_id, created_at)
SELECT %(caller)s, %(owner)s + n, now() FROM generate_series(0, %(many)s - 1) AS n
"""
_GIFTS = "UPDATE live_live SET total_tickets = total_tickets + 10 WHERE status = 1 AND id %% 1000 = 0"


def main() -> None:
    parser = growing.options("lists", __doc__, most=SIZES[-1], of="lives")
    given = parser.parse_args()
    sizes = [size for size in SIZES if size <= given.most]
    report.run("lists", given, lambda running: measure_all(running, given.seconds, sizes))


def measure_all(running: Instance, seconds: float, sizes: list[int]) -> str:
    from tests import factories

    caller, newcomer = factories.person(), factories.person()
    tokens = factories.token(caller), factories.token(newcomer)
    rows: list[growing.Row] = []
    scans: set[str] = set()  # at the last size
    for low, high in growing.steps(sizes):
        add_lives(low, high)
        if not low:
            follow_and_block(caller.pk)
        growing.vacuum(TABLES)
        for name, call in calls(*tokens, high).items():
            row, statements = growing.measure(running, high, name, call, seconds)
            rows.append(row)
            scans |= set(plans(statements)) if high == sizes[-1] else set()
        rows += [ranking(high, name, before) for name, before in RANKING.items()]
    return f"{growing.table(rows, sizes, 'lives')}\n\nHow rows are read at {sizes[-1]:,}: {'; '.join(sorted(scans))}."


def calls(token: str, newcomer: str, lives: int) -> dict[str, Call]:
    """get-live asks for another replay each time: a running one is shown to who is inside."""
    feed, follow, user = (f"live/list-live-by-{name}" for name in ("recommend", "follow", "user"))
    return {
        "get-live": lambda n: ("live/get-live", {"token": token, "liveId": FIRST_LIVE + replay(n, lives)}),
        "list-live-by-recommend": lambda n: (feed, {"token": token}),
        "list-live-by-recommend, of who follows nobody": lambda n: (feed, {"token": newcomer}),
        "list-live-by-recommend, the third page": lambda n: (feed, {"token": token, "offset": 50, "limit": 50}),
        "list-live-by-follow": lambda n: (follow, {"token": token}),
        "list-live-by-user": lambda n: (user, {"token": token, "userId": FIRST_OWNER + owner(n, lives)}),
    }


def replay(number: int, lives: int) -> int:
    found = number * 7919 % lives
    return found if found % LIVES_AN_OWNER else found + 1


def owner(number: int, lives: int) -> int:
    """Nobody whom the caller blocks."""
    found = number * 7919 % (lives // LIVES_AN_OWNER)
    return found - BLOCKS if FOLLOWED <= found < FOLLOWED + BLOCKS else found


def add_lives(low: int, high: int) -> None:
    numbers = {"low": low, "high": high, "each": LIVES_AN_OWNER, "owner": FIRST_OWNER, "live": FIRST_LIVE}
    growing.add_people(FIRST_OWNER, low // LIVES_AN_OWNER, high // LIVES_AN_OWNER, kind="'Anchor'")
    growing.execute(_LIVES, numbers)
    growing.execute(_RELATIONS, numbers)
    growing.execute(f"ANALYZE {', '.join(TABLES)}")


def follow_and_block(caller: int) -> None:
    """Of the first two hundred: whom one blocks one does not follow."""
    from users.models import Block

    growing.execute(_FOLLOWS, {"caller": caller, "owner": FIRST_OWNER, "many": FOLLOWED})
    growing.execute(f"ANALYZE {', '.join(TABLES)}")
    blocked = range(FOLLOWED, FOLLOWED + BLOCKS)
    Block.objects.bulk_create(Block(user_id=caller, target_id=FIRST_OWNER + number) for number in blocked)


def nothing_happened() -> None:
    """Since the last run."""


def some_gave() -> None:
    """In a hundredth of the lives on air."""
    growing.execute(_GIFTS, {})


RANKING: dict[str, Callable[[], None]] = {
    "ranking, nothing happened": nothing_happened,
    "ranking, gifts in one of a hundred lives on air": some_gave,
}


def ranking(lives: int, name: str, before: Callable[[], None]) -> growing.Row:
    """One run of the job. The first one works out the scores of all, and is left out."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from live.services import feeds

    feeds.rank()
    taken = []
    for _ in range(9):
        before()
        began = time.perf_counter()
        feeds.rank()
        taken.append((time.perf_counter() - began) * 1000)
    before()
    with CaptureQueriesContext(connection) as captured:
        feeds.rank()
    before()
    statements = [query["sql"] for query in captured.captured_queries]
    began = time.perf_counter()
    with connection.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    alone = (time.perf_counter() - began) * 1000
    return growing.Row(lives, name, statistics.median(taken), max(taken), len(statements), alone)


def plans(statements: list[str]) -> list[str]:
    """How each statement reads its rows. Reading all of a table ends the benchmark."""
    scans = growing.scans(statements, TABLES)
    if whole := [scan for scan in scans if scan.startswith("Seq") and "recenttickets" not in scan]:
        raise SystemExit(f"A whole table is read: {whole}")
    return scans


if __name__ == "__main__":
    main()
