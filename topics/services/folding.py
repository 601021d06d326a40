"""Folding tallies into standings, and noting what authors are to be told: the job that makes counts small to read and
heat an index. Run twice, or two at a time, each tally is folded once; without it, counts are right all the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection, transaction

from topics.models import NOTHING, News, Tally
from topics.services.heat import Warmth, warmed

BATCH = 5000  # tallies folded in one transaction

_TAKE = """
DELETE FROM topics_tally WHERE id IN (
    SELECT id FROM topics_tally ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING id, subject_id, topic_id, user_id, views, replies, likes, gifts, gift_id, warmth, warm_at
"""
# In primary-key order, so that two folds of different tallies do not wait for each other in a circle.
_HOLD = "SELECT {key}, heat FROM {table} WHERE {key} = ANY(%s) ORDER BY {key} FOR NO KEY UPDATE"
_WRITE_SUBJECTS = """
UPDATE topics_standing AS standing SET views = standing.views + more.views,
    replies = standing.replies + more.replies, likes = standing.likes + more.likes,
    gifts = standing.gifts + more.gifts, heat = more.heat
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::float8[])
    AS more (id, views, replies, likes, gifts, heat)
WHERE standing.subject_id = more.id
"""
_WRITE_TOPICS = """
UPDATE topics_topicstanding AS standing SET views = standing.views + more.views,
    replies = standing.replies + more.replies, likes = standing.likes + more.likes, heat = more.heat
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::float8[])
    AS more (id, views, replies, likes, gifts, heat)
WHERE standing.topic_id = more.id
"""
_NOTE = """
INSERT INTO topics_news (subject_id, kind, many, actor_id, gift_id)
SELECT more.subject_id, more.kind, more.many, more.actor_id, nullif(more.gift_id, 0)
FROM unnest(%s::bigint[], %s::varchar[], %s::int[], %s::bigint[], %s::bigint[])
    AS more (subject_id, kind, many, actor_id, gift_id)
ORDER BY more.subject_id, more.kind
ON CONFLICT (subject_id, kind) DO UPDATE SET many = topics_news.many + excluded.many,
    actor_id = excluded.actor_id, gift_id = coalesce(excluded.gift_id, topics_news.gift_id)
"""
# A like that is taken back before its author heard of it is no news.
_TAKE_BACK = """
UPDATE topics_news SET many = greatest(topics_news.many - less.many, 0)
FROM unnest(%s::bigint[], %s::int[]) AS less (subject_id, many)
WHERE topics_news.subject_id = less.subject_id AND kind = 'like'
"""


@dataclass
class _Sum:
    """What some tallies come to for one subject or topic."""

    views: int = 0
    replies: int = 0
    likes: int = 0
    gifts: int = 0
    warmth: list[Warmth] = field(default_factory=list)

    def add(self, tally: Tally) -> None:
        self.views += tally.views
        self.replies += tally.replies
        self.likes += tally.likes
        self.gifts += tally.gifts
        self.warmth.append((tally.warmth, tally.warm_at))


def fold() -> int:
    """Until none is left that was there; returns how many."""
    done = 0
    while folded := _fold_some():
        done += folded
        if folded < BATCH:
            break
    return done


@transaction.atomic
def _fold_some() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [BATCH])
        names = [column.name for column in cursor.description or ()]
        tallies = [Tally.from_db("default", names, row) for row in cursor.fetchall()]
    subjects: defaultdict[int, _Sum] = defaultdict(_Sum)
    topics: defaultdict[int, _Sum] = defaultdict(_Sum)
    for tally in tallies:
        if tally.subject_id != NOTHING:
            subjects[tally.subject_id].add(tally)
        if tally.topic_id != NOTHING:
            topics[tally.topic_id].add(tally)
    _write("topics_standing", "subject_id", _WRITE_SUBJECTS, subjects)
    _write("topics_topicstanding", "topic_id", _WRITE_TOPICS, topics)
    _note(tallies)
    return len(tallies)


def _write(table: str, key: str, statement: str, sums: dict[int, _Sum]) -> None:
    if not sums:
        return
    with connection.cursor() as cursor:
        cursor.execute(_HOLD.format(table=table, key=key), [list(sums)])
        heats: dict[int, float] = dict(cursor.fetchall())
        ids = list(heats)
        columns = [[getattr(sums[owner], name) for owner in ids] for name in ("views", "replies", "likes", "gifts")]
        cursor.execute(statement, [ids, *columns, [warmed(heats[owner], sums[owner].warmth) for owner in ids]])


def _note(tallies: Iterable[Tally]) -> None:
    """Nobody is told what they did themselves: such tallies have no user."""
    news: dict[tuple[int, str], tuple[int, int, int]] = {}  # how many, who was the last, with which gift
    taken_back: Counter[int] = Counter()
    for tally in sorted(tallies, key=lambda tally: tally.pk):
        if not tally.user_id:
            continue
        if tally.likes < 0:
            taken_back[tally.subject_id] += 1
        elif kind := _kind_of(tally):
            many, _, _ = news.get((tally.subject_id, kind), (0, 0, 0))
            news[tally.subject_id, kind] = (many + 1, tally.user_id, tally.gift_id)
    with connection.cursor() as cursor:
        if news:
            columns = zip(*((*key, *known) for key, known in news.items()), strict=True)
            cursor.execute(_NOTE, [list(column) for column in columns])
        if taken_back:
            cursor.execute(_TAKE_BACK, [list(taken_back), list(taken_back.values())])


def _kind_of(tally: Tally) -> str:
    if tally.gifts:
        return News.Kind.GIFT
    if tally.likes:
        return News.Kind.LIKE
    return News.Kind.REPLY if tally.replies > 0 else ""
