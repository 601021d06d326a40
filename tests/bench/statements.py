"""`python -m tests.bench statements`: does a page of somebody's statement take longer where they have more behind them?

One person with a purse of so many entries, among as many of others. The first page, one from the middle and the last
one; the floor is the SQL alone: the page's own statement, sent by psycopg2 over one connection.
"""

from dataclasses import dataclass
from typing import Any

from tests.bench import growing, report
from tests.bench.phones import drive
from tests.processes import Instance

SIZES = (10_000, 100_000, 1_000_000)
PAGE = 20

_FILL = """
WITH posted AS (
    INSERT INTO payment_transfer (key, reason, fingerprint)
    SELECT 'gift:1:live:7:' || 101 + n %% 20 || ':1:bench-' || n, 'gift', '' FROM generate_series(%(low)s, %(high)s) n
    RETURNING id
)
INSERT INTO payment_entry (transfer_id, account_id, currency, amount, balance_after)
SELECT id, leg.account, 'gold', leg.amount, CASE WHEN leg.amount > 0 THEN id END
FROM posted CROSS JOIN LATERAL (
    VALUES (CASE WHEN id %% 2 = 0 THEN %(mine)s ELSE %(other)s END, 1), (%(house)s, -1)
) AS leg (account, amount)
"""


@dataclass
class Row:
    entries: int
    page: str
    milliseconds: float
    p95: float
    floor: float


def main() -> None:
    parser = growing.options("statements", __doc__, most=SIZES[-1], of="entries")
    given = parser.parse_args()
    sizes = [size for size in SIZES if size <= given.most]
    report.run("statements", given, lambda running: measure_all(running, given.seconds, sizes))


def measure_all(running: Instance, seconds: float, sizes: list[int]) -> str:
    from payment.models import Account
    from tests import factories

    user, other = factories.person(gold=1), factories.person(gold=1)
    token, rows = factories.token(user), []
    ours = {"mine": user.accounts.get().pk, "other": other.accounts.get().pk}
    house = Account.objects.filter(owner=None).values_list("pk", flat=True)[0]
    for low, size in growing.steps(sizes):
        fill({**ours, "house": house, "low": low * 2 + 1, "high": size * 2})
        for page, before in positions(ours["mine"]).items():
            rows.append(measure(running, size, page, user.pk, token, before, seconds))
    return table(rows)


def fill(said: dict[str, Any]) -> None:
    growing.execute(_FILL, said)
    growing.vacuum(("payment_entry", "payment_transfer"))


def positions(account: int) -> dict[str, int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM payment_entry WHERE account_id = %s", [account])
        first, last = cursor.fetchone()
    return {"first": 0, "middle": (first + last) // 2, "last": first + 4 * PAGE}


def measure(running: Instance, size: int, page: str, user_id: int, token: str, before: int, seconds: float) -> Row:
    said: dict[str, object] = {"token": token, "before": before, "limit": PAGE}
    figures = drive(running.port, lambda _: ("payment/statement", said), phones=1, seconds=seconds)
    return Row(size, page, figures.median, figures.p95, floor(user_id, before))


def floor(user_id: int, before: int) -> float:
    from django.db import connection

    from payment.statements import _PAGE, BEFORE_ALL

    said = {"before": before or BEFORE_ALL, "rows": PAGE + 1, "owner": user_id, "currencies": ["gold", "point", "debt"]}
    with connection.cursor() as cursor:
        statement = cursor.mogrify(_PAGE, said).decode()
    return growing.floor([statement])


def table(rows: list[Row]) -> str:
    heads = ["Entries of the person, page", "Median ms", "95 % ms", "The SQL alone, ms", "Ratio"]
    return report.table(
        heads,
        (
            [
                f"{row.entries:,}, {row.page}",
                f"{row.milliseconds:.1f}",
                f"{row.p95:.1f}",
                f"{row.floor:.2f}",
                f"{row.milliseconds / row.floor:.0f}",
            ]
            for row in rows
        ),
    )


if __name__ == "__main__":
    main()
