"""How many people of each kind there are to list: the sum of their changes, which triggers write."""

from django.db import connection

_FOLD = """
WITH folded AS (DELETE FROM users_kindchange RETURNING kind, change)
INSERT INTO users_kindchange (kind, change) SELECT kind, sum(change) FROM folded GROUP BY kind
"""
# One statement sees people and changes at one moment.
_RECOUNT = """
INSERT INTO users_kindchange (kind, change)
SELECT kind, coalesce(many, 0) - coalesce(said, 0)
FROM (SELECT kind, count(*) AS many FROM users_user
      WHERE is_active AND deletion_due_at IS NULL AND display_name <> '' GROUP BY kind) AS people
FULL JOIN (SELECT kind, sum(change) AS said FROM users_kindchange GROUP BY kind) AS changes USING (kind)
WHERE coalesce(many, 0) <> coalesce(said, 0)
"""


def fold() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FOLD)


def recount() -> int:
    """Sets right what does not agree with the rows; returns for how many kinds. None, unless something went wrong."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT)
        return int(cursor.rowcount)
