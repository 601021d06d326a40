"""Counts of subjects and topics: what was folded, and the tallies that were not yet, read at one moment.

Deeds only add tallies, so that a thousand likes of one post wait for nothing; `fold` is the only one to write standings
(docs/adr/0017-counting-and-heat.md).
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from topics.models import Tally
from users.countings import Countings


@dataclass(frozen=True)
class Counts:
    """How often somebody heard it, what was said to it, who likes it, and what was given for it."""

    views: int = 0
    replies: int = 0
    likes: int = 0
    gifts: int = 0


# One statement sees standings and tallies at one moment: a fold between two would be counted twice or not at all.
_OF_SUBJECTS = """
SELECT counted.id, sum(counted.views)::bigint, sum(counted.replies)::bigint, sum(counted.likes)::bigint,
       sum(counted.gifts)::bigint
FROM (
    SELECT subject_id AS id, views, replies, likes, gifts FROM topics_standing WHERE subject_id = ANY(%(ids)s)
    UNION ALL
    SELECT subject_id, views, replies, likes, gifts FROM topics_tally WHERE subject_id = ANY(%(ids)s)
) AS counted
GROUP BY counted.id
"""
_OF_TOPICS = """
SELECT counted.id, sum(counted.views)::bigint, sum(counted.replies)::bigint, sum(counted.likes)::bigint, 0
FROM (
    SELECT topic_id AS id, views, replies, likes FROM topics_topicstanding WHERE topic_id = ANY(%(ids)s)
    UNION ALL
    SELECT topic_id, views, replies, likes FROM topics_tally WHERE topic_id = ANY(%(ids)s) AND topic_id <> 0
) AS counted
GROUP BY counted.id
"""


_OF_A_PERSON = """
WITH said AS (SELECT id FROM topics_subject WHERE creator_id = %(person)s AND state = 1)
SELECT coalesce(sum(counted.views), 0)::bigint, coalesce(sum(counted.replies), 0)::bigint,
       coalesce(sum(counted.likes), 0)::bigint, coalesce(sum(counted.gifts), 0)::bigint
FROM (
    SELECT views, replies, likes, gifts FROM topics_standing JOIN said ON subject_id = said.id
    UNION ALL
    SELECT views, replies, likes, gifts FROM topics_tally JOIN said ON subject_id = said.id
) AS counted
"""


def of_person(user_id: int) -> Countings:
    """Of everything they have said that is shown. One query, which takes longer for who has said more."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_A_PERSON, {"person": user_id})
        views, replies, likes, gifts = cursor.fetchone()
    return {"view_count": views, "reply_count": replies, "like_count": likes, "gift_count": gifts}


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
        cursor.execute(statement, {"ids": list(ids)})
        return {owner: Counts(*counted) for owner, *counted in cursor.fetchall()}


def add(*tallies: Tally) -> None:
    """Deeds that count, in the transaction in which they happen."""
    Tally.objects.bulk_create(tallies)
