"""Folding tallies into standings, and noting what authors are to be told: the job that makes counts small to read and
heat an index. Run twice, or two at a time, each tally is folded once; without it, counts are right all the same.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

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
# Of likes their number: each person has one. Who replies or gives again counts once until the author has been told.
_NOTE = """
INSERT INTO topics_news AS news (subject_id, kind, many, actor_id, gift_id, people)
SELECT more.subject_id, more.kind, more.many, more.actor_id, nullif(more.gift_id, 0), more.people::bigint[]
FROM unnest(%s::bigint[], %s::varchar[], %s::int[], %s::bigint[], %s::bigint[], %s::text[])
    AS more (subject_id, kind, many, actor_id, gift_id, people)
ORDER BY more.subject_id, more.kind
ON CONFLICT (subject_id, kind) DO UPDATE SET
    many = news.many + CASE WHEN excluded.people IS NULL OR news.many = 0 THEN excluded.many ELSE cardinality(
        ARRAY(SELECT unnest(excluded.people) EXCEPT SELECT unnest(news.people || news.actor_id))
    ) END,
    people = CASE WHEN excluded.people IS NULL OR news.many = 0 THEN excluded.people ELSE
        ARRAY(SELECT unnest(news.people || news.actor_id) UNION SELECT unnest(excluded.people)) END,
    actor_id = excluded.actor_id, gift_id = coalesce(excluded.gift_id, news.gift_id)
"""
# A like that is taken back before its author heard of it is no news. Of one that they have heard of nothing is left.
_TAKE_BACK = """
UPDATE topics_news SET many = greatest(topics_news.many - less.many, 0)
FROM (
    SELECT news.id, count(*) AS many FROM unnest(%s::bigint[], %s::timestamptz[]) AS back (subject_id, given_at)
    JOIN topics_news AS news USING (subject_id)
    WHERE news.kind = 'like' AND (news.told_at IS NULL OR news.told_at < back.given_at) GROUP BY news.id
) AS less
WHERE topics_news.id = less.id
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


@dataclass
class _Heard:
    """Who did something of one kind to one subject, the last one last, and with which gift."""

    people: dict[int, int] = field(default_factory=dict)  # how often; of likes, what is left of them
    gift_id: int = 0

    def add(self, tally: Tally) -> None:
        before = self.people.pop(tally.user_id, 0)
        self.people[tally.user_id] = before + (tally.likes or 1)
        self.gift_id = tally.gift_id


def _note(tallies: Iterable[Tally]) -> None:
    """So many people, however often each did it. Nobody is told what they did themselves: such tallies have no user."""
    heard: defaultdict[tuple[int, str], _Heard] = defaultdict(_Heard)
    given_at: dict[tuple[int, int], datetime] = {}
    for tally in sorted(tallies, key=lambda tally: tally.pk):
        if tally.user_id and (kind := _kind_of(tally)):
            heard[tally.subject_id, kind].add(tally)
            if tally.likes < 0:
                given_at.setdefault((tally.subject_id, tally.user_id), tally.warm_at)
    news, taken_back = [], []
    for (subject_id, kind), each in heard.items():
        if did := [user_id for user_id, many in each.people.items() if many > 0]:
            people = None if kind == News.Kind.LIKE else f"{{{','.join(map(str, did))}}}"
            news.append((subject_id, kind, len(did), did[-1], each.gift_id, people))
        left = [user_id for user_id, many in each.people.items() if many < 0]
        taken_back += [(subject_id, given_at[subject_id, user_id]) for user_id in left]
    with connection.cursor() as cursor:
        for statement, rows in ((_NOTE, news), (_TAKE_BACK, taken_back)):
            if rows:
                cursor.execute(statement, [[*column] for column in zip(*rows, strict=True)])


def _kind_of(tally: Tally) -> str:
    if tally.gifts:
        return News.Kind.GIFT
    if tally.likes:
        return News.Kind.LIKE
    return News.Kind.REPLY if tally.replies > 0 else ""
