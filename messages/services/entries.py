"""The message list: one row for each person and each other (D32), and how much of it is unread."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from heihei_site.realtime.groups import Person
from heihei_site.realtime.models import StreamKind
from heihei_site.realtime.publish import publish, telling
from heihei_site.realtime.storage import last_seqs
from messages.events import UnreadCount
from messages.models import Entry, InstantMessage
from messages.services import marks

READ_AT_ONCE = 1000  # rows named in one statement

# Rows in the order of their owners: of two who reach for each other's at once, one waits. Mailboxes come after all of
# them, in the same order. An owner may be there once.
_NOTE = """
WITH news AS (
    SELECT * FROM unnest(%s::int[], %s::int[], %s::text[], %s::int[], %s::bigint[], %s::int[])
        AS news (owner_id, peer_id, kind, seconds, message_id, unread)
), noted AS (
    INSERT INTO inbox_entry AS entry
        (owner_id, peer_id, kind, posts, callings, calls, seconds, message_id, unread, read_until, changed_at)
    SELECT owner_id, peer_id, kind, (kind = 'post')::int, (kind = 'calling')::int, (kind = 'call')::int, seconds,
        message_id, unread, 0, clock_timestamp()
    FROM news ORDER BY owner_id
    ON CONFLICT (owner_id, peer_id) DO UPDATE SET
        kind = EXCLUDED.kind,
        posts = entry.posts + EXCLUDED.posts,
        callings = entry.callings + EXCLUDED.callings,
        calls = entry.calls + EXCLUDED.calls,
        seconds = EXCLUDED.seconds,
        message_id = COALESCE(EXCLUDED.message_id, entry.message_id),
        unread = entry.unread + EXCLUDED.unread,
        changed_at = EXCLUDED.changed_at
    RETURNING owner_id, xmax = 0 AS is_new
), more AS (
    SELECT owner_id, sum(unread) AS unread FROM noted JOIN news USING (owner_id) GROUP BY owner_id
), counted AS (
    INSERT INTO inbox_mailbox AS mailbox (owner_id, unread, version, read_until)
    SELECT owner_id, unread, 1, 0 FROM more WHERE unread > 0 ORDER BY owner_id
    ON CONFLICT (owner_id) DO UPDATE SET unread = mailbox.unread + EXCLUDED.unread, version = mailbox.version + 1
    RETURNING owner_id, unread, version
)
SELECT owner_id, is_new, counted.unread, counted.version FROM noted LEFT JOIN counted USING (owner_id)
"""


_OF_PEER = InstantMessage.objects.filter(sender=OuterRef("peer"), recipient=OuterRef("owner")).order_by("-created_at")
NEWEST_OF_PEER = Coalesce(Subquery(_OF_PEER.values("pk")[:1]), F("read_until"))


@dataclass(frozen=True)
class News:
    """What is new between the owner of a row and their peer. `unread`: so many things more."""

    owner_id: int
    peer_id: int
    kind: Entry.Kind
    seconds: int = 0
    message_id: int | None = None
    unread: int = 0


def note(*news: News) -> bool:
    """Within telling(), once, as its last change: rows of lists are locked after everything but counters of streams.
    For one person, the two of a pair, or many who hear from the same one. Whether none of them had a row about the
    other."""
    columns = [[*column] for column in zip(*map(_values, sorted(news, key=lambda one: one.owner_id)), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, columns)
        noted = cursor.fetchall()
    for owner_id, _, unread, version in noted:
        if version is not None:
            _tell(owner_id, unread, version)
    return all(is_new for _, is_new, _, _ in noted)


def _values(news: News) -> tuple[object, ...]:
    return news.owner_id, news.peer_id, news.kind.value, news.seconds, news.message_id, news.unread


def _tell(owner_id: int, unread: int, version: int) -> None:
    publish(UnreadCount(count=unread, version=version), to=Person(owner_id))


def delete(*, owner_id: int, peer_id: int) -> None:
    """What was unread of it is no more. Nothing where there is no such row."""
    with telling():
        rows = _held(Entry.objects.filter(owner=owner_id, peer=peer_id))
        marks.mark_all_from(owner_id, peer_id)
        Entry.objects.filter(pk__in=[row.pk for row in rows]).delete()
        if gone := sum(row.unread for row in rows):
            _take_off(owner_id, gone)


def read_all(owner_id: int) -> None:
    """All that is in the list by now, and all that the person has been told. The count is told even if it was 0."""
    with telling():
        rows = _held(Entry.objects.filter(owner=owner_id, unread__gt=0).only("pk", "unread"))
        key = (StreamKind.PERSON.value, owner_id)
        until = last_seqs([key]).get(key, 0)
        marks.clear(owner_id, until)
        for start in range(0, len(rows), READ_AT_ONCE):
            some = [row.pk for row in rows[start : start + READ_AT_ONCE]]
            Entry.objects.filter(pk__in=some).update(unread=0, read_until=NEWEST_OF_PEER)
        _take_off(owner_id, sum(row.unread for row in rows), read_until=until)


def read_from(*, owner_id: int, peer_id: int) -> tuple[int, int] | None:
    """All that the other one wrote, here and in the history: what they are writing just now as well. Within telling();
    the newest msgId of it and the version of the owner's count, None where nothing was unread."""
    rows = _held(Entry.objects.filter(owner=owner_id, peer=peer_id))
    marks.mark_all_from(owner_id, peer_id)
    for row in rows:
        if not row.unread:
            continue
        Entry.objects.filter(pk=row.pk).update(unread=0, read_until=NEWEST_OF_PEER)
        version = _take_off(owner_id, row.unread)
        row.refresh_from_db(fields=["read_until"])
        return row.read_until, version
    return None


def hold(*, owner_id: int, peer_id: int) -> None:
    """Within telling(), before anything of it is marked in the history: what is counted here is read there."""
    _held(Entry.objects.filter(owner=owner_id, peer=peer_id))


def read_one(*, owner_id: int, peer_id: int) -> None:
    """One thing of what is unread from this person, by who holds the row."""
    if Entry.objects.filter(owner=owner_id, peer=peer_id, unread__gt=0).update(unread=F("unread") - 1):
        _take_off(owner_id, 1)


def _held(rows: QuerySet[Entry]) -> list[Entry]:
    return list(rows.order_by("peer_id").select_for_update())


_TAKE_OFF = """
INSERT INTO inbox_mailbox AS mailbox (owner_id, unread, version, read_until) VALUES (%s, 0, 1, %s)
ON CONFLICT (owner_id) DO UPDATE SET unread = mailbox.unread - %s, version = mailbox.version + 1,
    read_until = GREATEST(mailbox.read_until, EXCLUDED.read_until)
RETURNING unread, version
"""


def _take_off(owner_id: int, many: int, *, read_until: int = 0) -> int:
    """The version of the count that is told."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_OFF, [owner_id, read_until, many])
        unread, version = cursor.fetchone()
    _tell(owner_id, unread, version)
    return int(version)
