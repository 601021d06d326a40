"""Emptying the tables after a test that has transactions of its own. Django's way truncates all of them and makes
content types, permissions and roles anew: a sixth of a second, for more than a thousand tests."""

from functools import cache
from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

LARGE = 4 * 1024 * 1024  # bytes that rows have left behind, from which on the next test had better find new files
KEPT = {"django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}

_django_empties = TransactionTestCase._fixture_teardown


def quickly() -> None:
    _kept_at_first()
    TransactionTestCase._fixture_teardown = _empty


def _empty(case: Any) -> None:
    """Only what has rows, without asking what refers to them, and after whoever still writes. Where a test has touched
    what is kept, or left much, as Django does."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"LOCK TABLE {', '.join(_tables())} IN SHARE MODE")
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in _tables())
        )
        used = [table for (table,) in cursor.fetchall()]
        cursor.execute(
            "SELECT coalesce(sum(pg_relation_size(name::regclass)), 0) FROM unnest(%s::text[]) AS name", [used]
        )
        (size,) = cursor.fetchone()
        quick = size < LARGE and _kept() == _kept_at_first()
        if quick and used:
            cursor.execute("".join(f"DELETE FROM {table};" for table in used))
    if not quick:
        _django_empties(case)


@cache
def _tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(f'"{name}"' for name in names if name not in KEPT)


def _kept() -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM django_content_type), (SELECT count(*) FROM auth_permission), "
            "(SELECT count(*) FROM auth_group), "
            "(SELECT array_agg((group_id, permission_id)::text ORDER BY group_id, permission_id) "
            " FROM auth_group_permissions)"
        )
        return tuple(cursor.fetchone())


@cache
def _kept_at_first() -> tuple[Any, ...]:
    return _kept()
