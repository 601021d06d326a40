"""How PostgreSQL counts where there is much, left to its own judgement: what the page asks and what the jobs ask reads
rows of the hour or rows that are open, by an index, and never a table that grows."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from heihei_site.console import board, counting
from users.models import User

pytestmark = pytest.mark.django_db
MANY = 100_000
SPREAD = 40 * 24 * 3600 / MANY  # seconds between one row and the next: forty days of them, the oldest first
MARK = 10_000_000  # before the ids of these rows
PLAIN = {"boolean": "false", "bytea": "''", "jsonb": "'{}'", "uuid": "gen_random_uuid()", "date": "now()"}
AT = f"now() - ({MANY} - n) * interval '{SPREAD} seconds'"

# The columns that matter; the others have whatever is valid. Nothing is open: queues are short where work is done.
FILLED: dict[str, dict[str, str]] = {
    "users_user": {"date_joined": AT},
    "users_session": {"user_id": f"{MARK} + n", "active_at": AT, "digest": "int8send(n)", "expires_at": AT},
    "users_report": {"reporter_id": f"{MARK} + n", "target_id": f"{MARK} + n", "handled": "true", "created_at": AT},
    "live_live": {"stream": "n", "status": "2", "started_at": AT, "ended_at": AT, "seats": "8"},
    "chat_chat": {"caller_id": "1", "callee_id": "2", "state": "5", "created_at": AT},
    "chat_side": {"chat_id": f"{MARK} + n", "user_id": "n", "busy": "false"},
    "inbox_instantmessage": {"msg_id": "n", "sender_id": "n", "recipient_id": "n + 1", "created_at": AT},
    "inbox_push": {"notice_id": "n", "device_id": "n", "outcome": "1", "created_at": AT, "due_at": AT},
    "realtime_message": {"kind": "1", "owner_id": "n % 1000", "seq": "n", "created_at": AT},
    "records_record": {"status": "1", "score": "n", "file_md5": "n", "created_at": AT},
    "payment_transfer": {"key": "n", "reason": "'gift'", "created_at": AT},
    "payment_entry": {"transfer_id": f"{MARK} + n", "account_id": "n % 1000", "currency": "'gold'", "amount": "1"},
    "payment_order": {"number": "n", "state": "'paid'", "channel": "'wechat'", "gateway_number": "n", "gold": "1",
                      "pay_money": "1", "settled_at": AT, "paid_at": AT},
    "payment_refund": {"order_id": "n", "number": "n", "state": "'succeeded'", "created_at": AT},
    "payment_withdrawal": {"number": "n", "state": "3", "fen": "1", "point": "1", "closed_at": AT, "created_at": AT},
}  # fmt: skip

Ask = Callable[[], object]


def fill(table: str, columns: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
            " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
            [table],
        )
        needed = {name: PLAIN.get(kind, "now()" if "timestamp" in kind else "'0'") for name, kind in cursor.fetchall()}
        has_id = "id" in {column.name for column in connection.introspection.get_table_description(cursor, table)}
        given = needed | columns | ({"id": f"{MARK} + n"} if has_id else {})
        names, values = ", ".join(f'"{name}"' for name in given), ", ".join(given.values())
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {MANY}) AS n")
        cursor.execute(f"ANALYZE {table}")


@pytest.fixture(scope="module")
def much(django_db_setup, django_db_blocker) -> Iterator[None]:
    """One for all tests of this module, and gone after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")  # neither triggers nor foreign keys
            for table, columns in FILLED.items():
                fill(table, columns)
            for index in ("messages_by_time", "transfers_by_time"):
                cursor.execute("SELECT brin_summarize_new_values(%s)", [index])  # as autovacuum would have
            cursor.execute("SET LOCAL session_replication_role = origin")
        yield
        transaction.set_rollback(True)


def scans(ask: Ask) -> list[str]:
    """How the large tables are read: `Seq Scan on live_live`, `Index Scan using lives_by_time`."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    statements = [each["sql"] for each in asked.captured_queries if each["sql"].startswith("SELECT")]
    found = []
    with connection.cursor() as cursor:
        for statement in statements:
            if "set_config" not in statement:
                cursor.execute(f"EXPLAIN {statement}".replace("%", "%%"), [])
                plan = "\n".join(line for (line,) in cursor.fetchall())
                found += re.findall(
                    r"(?:Seq Scan on \w+|\w+ (?:Only )?Scan (?:Backward )?using \w+|Index Scan on \w+)", plan
                )
    return found


def read_whole(found: list[str]) -> list[str]:
    return [scan for scan in found if scan in [f"Seq Scan on {table}" for table in FILLED]]


INDEXES = {
    "users.active": "newest_activity",
    "users.new": "people_by_time",
    "live.opened": "lives_by_time",
    "chat.called": "newest_calls",
    "messages.written": "messages_by_time",
    "payment.gifts": "transfers_by_time",
    "payment.gold_in_gifts": "transfers_by_time",
    "payment.gold_spent": "transfers_by_time",
    "payment.gold_bought": "orders_by_time",
    "payment.fen_taken": "orders_by_time",
    "payment.fen_paid_out": "withdrawals_by_time",
}


@pytest.mark.parametrize("figure", board.figures(), ids=lambda figure: figure.name)
def test_an_hour_of_each_figure_is_read_by_an_index_on_time(much, figure):
    running = counting.hour_of(timezone.now())
    found = scans(lambda: figure.count(running - counting.HOUR, running))
    assert read_whole(found) == []
    assert [scan for scan in found if INDEXES[figure.name] in scan], found


def test_a_day_of_people_is_read_by_one_too(much):
    figure = next(figure for figure in board.figures() if not figure.lasting)
    today = counting.midnight(counting.day_of(timezone.now()))
    assert read_whole(scans(lambda: figure.count(today, today + counting.DAY))) == []


@pytest.mark.parametrize("page", ["/admin/", "/admin/dashboard/", "/admin/dashboard/?span=days"])
def test_the_page_reads_no_table_that_grows(much, page):
    console = Client()
    console.force_login(User.objects.create(username="boss", is_staff=True, is_superuser=True))
    found = scans(lambda: console.get(page))
    assert len(found) > len(board.cards()) / 2
    assert read_whole(found) == []
