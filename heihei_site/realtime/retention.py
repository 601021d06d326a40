"""How long is kept what was told (D12): a person's messages by number and age, a room's by age."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q, Subquery
from django.db.models.functions import Now

from heihei_site.realtime.models import MassMessage, Message, Stream, StreamKind
from heihei_site.realtime.storage import Key

STREAMS = 500  # looked at in one query
MESSAGES = 200  # of each of them, deleted in one transaction
FINISHED = timedelta(days=1)  # so long mass messages stay, for whoever wonders about them

# Only the oldest are looked at, so that a transaction stays small; the next goes on.
_DELETE = """
DELETE FROM realtime_message AS message
USING realtime_stream AS stream CROSS JOIN LATERAL (
    SELECT seq, created_at FROM realtime_message
    WHERE kind = stream.kind AND owner_id = stream.owner_id ORDER BY seq LIMIT %s
) AS oldest
WHERE stream.kind = %s AND stream.owner_id = ANY(%s)
    AND (oldest.created_at < now() - %s OR oldest.seq <= stream.last_seq - %s)
    AND message.kind = stream.kind AND message.owner_id = stream.owner_id AND message.seq = oldest.seq
RETURNING message.owner_id, message.seq
"""
_MOVE = """
WITH held AS (
    SELECT owner_id FROM realtime_stream WHERE kind = %s AND owner_id = ANY(%s) ORDER BY owner_id FOR NO KEY UPDATE
)
UPDATE realtime_stream AS stream SET first_seq = GREATEST(first_seq, first_kept)
FROM held JOIN unnest(%s::bigint[], %s::bigint[]) AS kept (owner_id, first_kept) USING (owner_id)
WHERE stream.kind = %s AND stream.owner_id = held.owner_id
"""


def forget_after(position: Key) -> Key | None:
    """Deletes what is past its time in the next streams after a position. Returns where to go on; None at the end."""
    kind, after = position
    page = _page(kind, after)
    due = [owner_id for owner_id, is_due in page if is_due]
    while due:
        due = _let_go(kind, due)
    if len(page) == STREAMS:
        return kind, page[-1][0]
    return (StreamKind.ROOM.value, 0) if kind == StreamKind.PERSON else None


@transaction.atomic
def forget_person(user_id: int) -> None:
    """Deletes all that a person was ever told; their numbers go on."""
    Stream.objects.filter(kind=StreamKind.PERSON, owner_id=user_id).update(first_seq=F("last_seq") + 1)
    Message.objects.filter(kind=StreamKind.PERSON, owner_id=user_id).delete()


def forget_mass_messages() -> None:
    MassMessage.objects.filter(finished_at__lt=Now() - FINISHED).delete()


def _bounds(kind: int) -> tuple[timedelta, int | None]:
    """How old messages may be, and how many there may be of one stream."""
    if kind == StreamKind.PERSON:
        return settings.PERSONAL_MESSAGES_AGE, settings.PERSONAL_MESSAGES_KEPT
    return settings.ROOM_MESSAGES_AGE, None


def _page(kind: int, after: int) -> list[tuple[int, bool]]:
    """The next streams, and whether something of each is past its time."""
    age, many = _bounds(kind)
    oldest = Message.objects.filter(kind=kind, owner_id=OuterRef("owner_id"), seq=OuterRef("first_seq"))
    past = Q(oldest__lt=Now() - age)
    if many is not None:
        past |= Q(last_seq__gte=F("first_seq") + many)
    streams = Stream.objects.filter(kind=kind, owner_id__gt=after).order_by("owner_id")
    streams = streams.annotate(oldest=Subquery(oldest.values("created_at")))
    streams = streams.annotate(is_due=ExpressionWrapper(past, output_field=BooleanField()))
    return list(streams.values_list("owner_id", "is_due")[:STREAMS])


@transaction.atomic
def _let_go(kind: int, owners: list[int]) -> list[int]:
    """Deletes some, then moves `first_seq`, so that nobody waits for a counter longer than a commit takes. Returns who
    may have more."""
    first_kept: dict[int, int] = {}
    deleted: dict[int, int] = {}
    looked_for: list[Any] = [MESSAGES, kind, owners, *_bounds(kind)]
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, looked_for)
        for owner_id, seq in cursor.fetchall():
            first_kept[owner_id] = max(seq + 1, first_kept.get(owner_id, 0))
            deleted[owner_id] = deleted.get(owner_id, 0) + 1
        if deleted:
            cursor.execute(_MOVE, [kind, list(deleted), list(first_kept), list(first_kept.values()), kind])
    return [owner_id for owner_id, gone in deleted.items() if gone == MESSAGES]
