"""Telling a phone's retry from a person saying the same thing twice (D26).

The 1.1 app sends bullets, room texts and some gifts again, up to three times about two seconds apart, with nothing to
recognise them by. An identical request within 3 s of the last identical one, and within 10 s of the first, is the same.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection

_SAME = (
    "statement_timestamp() < users_repeat.last_at + %(window)s "
    "AND statement_timestamp() < users_repeat.first_at + %(limit)s"
)
# One statement, so that parallel repeats of one request agree on one key whoever comes first. The time is when it
# came, not when it got its turn: a repeat that waited for a slow first attempt is still a repeat.
_CLAIM = f"""
INSERT INTO users_repeat (user_id, digest, first_at, last_at, key)
VALUES (%(user)s, %(digest)s, statement_timestamp(), statement_timestamp(), %(key)s)
ON CONFLICT (user_id, digest) DO UPDATE SET
    last_at = greatest(users_repeat.last_at, statement_timestamp()),
    first_at = CASE WHEN {_SAME} THEN users_repeat.first_at ELSE statement_timestamp() END,
    key = CASE WHEN {_SAME} THEN users_repeat.key ELSE excluded.key END
RETURNING key
"""  # noqa: S608  (constants)


@dataclass(frozen=True)
class Request:
    """`key` is the same for all repeats of one request; `fresh` only the first time."""

    key: str
    fresh: bool


def recognise(user_id: int, *what: object) -> Request:
    """Which request this is. Call it inside the transaction of the deed: if that fails, the request never was."""
    mine = secrets.token_hex(16)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {**_given(user_id, what), "key": mine})
        (key,) = cursor.fetchone()
    return Request(key, key == mine)


_KNOWN = f"""
UPDATE users_repeat SET last_at = greatest(last_at, statement_timestamp())
WHERE user_id = %(user)s AND digest = %(digest)s AND {_SAME} RETURNING key
"""  # noqa: S608  (constants)


def known(user_id: int, *what: object) -> str | None:
    """The key of the request that this one repeats; None where it is the first."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, _given(user_id, what))
        row = cursor.fetchone()
    return row and str(row[0])


def _given(user_id: int, what: tuple[object, ...]) -> dict[str, Any]:
    return {
        "user": user_id,
        "digest": hashlib.sha256("\x1f".join(map(str, what)).encode()).digest(),
        "window": settings.REPEAT_WINDOW,
        "limit": settings.REPEAT_LIMIT,
    }


def forget(older_than: timedelta) -> int:
    """Deletes rows that can no longer make anything a repeat; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM users_repeat WHERE last_at < clock_timestamp() - make_interval(secs => %s)",
            [older_than.total_seconds()],
        )
        return int(cursor.rowcount)
