"""Counts of subjects and topics: what was folded, and the tallies that were not yet, read at one moment.

Deeds only add tallies, so that a thousand likes of one post wait for nothing; `fold` is the only one to write standings
(docs/adr/0017-counting-and-heat.md).
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from topics.models import Tally


@dataclass(frozen=True)
class Counts:
    """How often somebody heard it, what was said to it, who likes it, and what was given for it."""

    views: int = 0
    replies: int = 0
    likes: int = 0
    gifts: int = 0


# One statement sees standings and tallies at one moment: a fold between two would be counted twice or not at all.
_OF_SUBJECTS = """
SELECT subject_id, views + more.views, replies + more.replies, likes + more.likes, gifts + more.gifts
FROM topics_standing AS standing CROSS JOIN LATERAL (
    SELECT coalesce(sum(tally.views), 0)::bigint AS views, coalesce(sum(tally.replies), 0)::bigint AS replies,
           coalesce(sum(tally.likes), 0)::bigint AS likes, coalesce(sum(tally.gifts), 0)::bigint AS gifts
    FROM topics_tally AS tally WHERE tally.subject_id = standing.subject_id
) AS more
WHERE subject_id = ANY(%s)
"""
_OF_TOPICS = """
SELECT topic_id, views + more.views, replies + more.replies, likes + more.likes, 0
FROM topics_topicstanding AS standing CROSS JOIN LATERAL (
    SELECT coalesce(sum(tally.views), 0)::bigint AS views, coalesce(sum(tally.replies), 0)::bigint AS replies,
           coalesce(sum(tally.likes), 0)::bigint AS likes
    FROM topics_tally AS tally WHERE tally.topic_id = standing.topic_id AND tally.topic_id <> 0
) AS more
WHERE topic_id = ANY(%s)
"""


def of_subjects(ids: Collection[int]) -> dict[int, Counts]:
    """One query."""
    return _read(_OF_SUBJECTS, ids)


def of_topics(ids: Collection[int]) -> dict[int, Counts]:
    """One query. Gifts are not counted for topics."""
    return _read(_OF_TOPICS, ids)


def _read(statement: str, ids: Collection[int]) -> dict[int, Counts]:
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(ids)])
        return {owner: Counts(*counted) for owner, *counted in cursor.fetchall()}


def add(*tallies: Tally) -> None:
    """Deeds that count, in the transaction in which they happen."""
    Tally.objects.bulk_create(tallies)
