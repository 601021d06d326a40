"""`python -m tests.bench people`: do lists of people and search take longer where there are more people?

Everybody follows the star, one random other person, and is signed in. Names are Chinese (one surname in six is 王) or
`user` with a number.
"""

from collections.abc import Callable
from typing import Any

from tests.bench import growing, report
from tests.processes import Instance

SIZES = (1_000, 100_000, 1_000_000)
FIRST = 1_000_000  # id; the star's
BLOCKS = 20  # by each caller, and as many of each caller
CALLERS = range(2 * BLOCKS + 1, SIZES[0])  # take turns, as each may search only so often
TABLES = ("users_user", "users_follow", "users_block", "users_session")

_NAME = """CASE WHEN n %% 3 = 0 THEN 'user' || n ELSE
    substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', 1 + floor(20 * random() ^ 2)::int, 1)
    || chr(19968 + floor(3000 * random() ^ 2)::int) || chr(19968 + floor(3000 * random() ^ 2)::int) END"""
_KIND = "CASE WHEN n %% 10 = 0 THEN 'Anchor' ELSE 'Normal' END"
_FOLLOWERS = "CASE WHEN n = 0 THEN %(high)s ELSE 1 END"
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


def main() -> None:
    parser = growing.options("people", __doc__, most=SIZES[-1], of="people")
    given = parser.parse_args()
    sizes = [size for size in SIZES if size <= given.most]
    report.run("people", given, lambda running: measure_all(running, given.seconds, sizes))


def measure_all(running: Instance, seconds: float, sizes: list[int]) -> str:
    rows: list[growing.Row] = []
    scans: dict[str, str] = {}  # at the last size
    for low, high in growing.steps(sizes):
        add_many(low, high)
        if not low:
            block_some()
        for name, call in calls(high, some_names()).items():
            row, statements = growing.measure(running, high, name, in_turns(call), seconds)
            rows.append(row)
            scans |= dict.fromkeys(growing.scans(statements, TABLES), name) if high == sizes[-1] else {}
    if whole := {name: scan for scan, name in scans.items() if scan.startswith("Seq")}:
        raise SystemExit(f"Somebody reads everybody: {whole}")
    table = growing.table(rows, sizes, "people")
    return f"{table}\n\nHow people are read at {sizes[-1]:,}: {'; '.join(sorted(scans))}."


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
    from users.services import kinds

    numbers = {"low": low, "high": high, "first": FIRST}
    growing.add_people(FIRST, low, high, name=_NAME, kind=_KIND, followers=_FOLLOWERS, following="2")
    growing.execute(_FOLLOWING, numbers)
    growing.execute(_SIGNED_IN, numbers)
    growing.execute("UPDATE users_user SET follower_count = %(high)s WHERE id = %(first)s", numbers)
    kinds.fold()
    growing.execute(f"ANALYZE {', '.join(TABLES)}")


def add_many(low: int, high: int) -> None:
    """The index on parts of names is made anew: that is quicker than adding to it, but none for a transaction."""
    growing.execute("DROP INDEX people_by_parts_of_name")
    add_people(low, high)
    growing.execute("CREATE INDEX people_by_parts_of_name ON users_user USING gin (users_name_grams(display_name))")
    growing.vacuum((*TABLES, "users_kindchange"))


def block_some() -> None:
    from users.models import User

    growing.execute(_BLOCKED, {"first": FIRST, "many": BLOCKS, "from": CALLERS[0], "to": CALLERS[-1]})
    User.objects.filter(pk__gte=FIRST + CALLERS[0], pk__lte=FIRST + CALLERS[-1]).update(blocked_count=BLOCKS)


if __name__ == "__main__":
    main()
