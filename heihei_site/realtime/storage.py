"""Rows of what was told: numbered and written by `publish`, read by hubs whose sockets missed something."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from heihei_site.api.clients import Generation
from heihei_site.realtime.events import Event, Expired, element
from heihei_site.realtime.models import Message, Stream, StreamKind

Key = tuple[int, int]  # a StreamKind and the id of the person or room
HISTORY = 500  # messages of a long stream held at once

_STORE = """
WITH numbered AS (
    INSERT INTO realtime_stream (kind, owner_id, last_seq, first_seq)
    SELECT kind, owner_id, many, 1
    FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS streams (kind, owner_id, many)
    ORDER BY kind, owner_id
    ON CONFLICT (kind, owner_id) DO UPDATE SET last_seq = realtime_stream.last_seq + EXCLUDED.last_seq
    RETURNING kind, owner_id, last_seq
)
INSERT INTO realtime_message (kind, owner_id, seq, element, needs, expires_at)
SELECT kind, owner_id, last_seq - after_it, (%s::text[])[which], (%s::integer[])[which],
       clock_timestamp() + make_interval(secs => (%s::integer[])[which])
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[], %s::integer[]) AS told (kind, owner_id, after_it, which)
JOIN numbered USING (kind, owner_id)
RETURNING kind, owner_id, seq
"""
_BEHIND = """
SELECT kind, owner_id, last_seq
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS known (kind, owner_id, position)
JOIN realtime_stream USING (kind, owner_id)
WHERE last_seq > position
"""


def as_number(needs: Generation) -> int:
    """(2, 0) → 20000: generations compare as their numbers do."""
    return needs[0] * 10_000 + needs[1]


def store(tells: Sequence[dict[str, Any]], many: Counter[Key]) -> None:
    """Numbers each message in every stream it goes to and writes the rows, in one statement. The acts' zeros become
    the numbers. Counters are locked in primary-key order and stay so until the transaction ends."""
    left = Counter(many)
    rows: list[tuple[int, int, int, int]] = []
    for which, act in enumerate(tells, start=1):
        for kind, owner_id, _ in act["to"]:
            left[kind, owner_id] -= 1
            rows.append((kind, owner_id, left[kind, owner_id], which))
    streams = [[*column] for column in zip(*((kind, owner, n) for (kind, owner), n in many.items()), strict=True)]
    texts = [act["element"].decode() for act in tells]
    needs, expiries = [act["needs"] for act in tells], [act["expires"] for act in tells]
    columns = [[*column] for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [*streams, texts, needs, expiries, *columns])
        last: dict[Key, int] = {}
        for kind, owner_id, seq in cursor.fetchall():
            last[kind, owner_id] = max(seq, last.get((kind, owner_id), 0))
    places = iter(rows)
    for act in tells:
        for target in act["to"]:
            kind, owner_id, after_it, _ = next(places)
            target[2] = last[kind, owner_id] - after_it


def last_seqs(keys: Collection[Key]) -> dict[Key, int]:
    """The newest number of each stream; those that never had a message are left out."""
    return behind(dict.fromkeys(keys, 0))


def behind(positions: dict[Key, int]) -> dict[Key, int]:
    """The newest number of those streams that are past the given position."""
    if not positions:
        return {}
    kinds, owners = zip(*positions, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, [[int(kind) for kind in kinds], list(owners), list(positions.values())])
        return {(kind, owner_id): seq for kind, owner_id, seq in cursor.fetchall()}


def kept(key: Key) -> tuple[int, int]:
    """The first and the last number that is kept; (1, 0) for none."""
    row = Stream.objects.filter(kind=key[0], owner_id=key[1]).values_list("first_seq", "last_seq").first()
    return row or (1, 0)


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it is told now, still without its number."""

    seq: int
    element: bytes
    needs: int


def read(key: Key, after: int, until: int, limit: int) -> list[Kept]:
    """The messages after one number and until another, at most `limit`. Of rooms only the last 60 s (D12)."""
    rows = Message.objects.filter(kind=key[0], owner_id=key[1], seq__gt=after, seq__lte=until).order_by("seq")
    if key[0] == StreamKind.ROOM:
        rows = rows.filter(created_at__gt=Now() - settings.ROOM_RESUME)
    found = rows.values_list("seq", "element", "needs", F("expires_at") - Now())[:limit]
    return [
        Kept(seq, text.encode() if remaining is None else as_of_now(text, remaining), needs)
        for seq, text, needs, remaining in found
    ]


def history(key: Key) -> Iterator[list[tuple[int, str]]]:
    """All that is kept of a stream, in order, some hundred numbers and elements at a time."""
    rows = Message.objects.filter(kind=key[0], owner_id=key[1]).order_by("seq").values_list("seq", "element")
    after = 0
    while found := list(rows.filter(seq__gt=after)[:HISTORY]):
        yield found
        after = found[-1][0]


def as_of_now(text: str, remaining: timedelta) -> bytes:
    """An invitation with what remains of its time, where it names that; or the word that it has expired."""
    told = orjson.loads(text)
    message = told["msg"]
    if remaining <= timedelta():
        expired = Expired(msg_id=message["msgId"], chat_id=message.get("chatId"), live_id=message.get("liveId"))
        return element(expired)
    if "expireTime" in message:
        message["expireTime"] = whole_seconds(remaining)
    return orjson.dumps(told)


def whole_seconds(remaining: timedelta) -> int:
    return ceil(remaining / timedelta(seconds=1))


def replace(key: Key, msg_id: int, event: Event) -> None:
    """From now on the event is told in the place of a message, which keeps its number. Looks through what is kept."""
    Message.objects.filter(named(msg_id), kind=key[0], owner_id=key[1]).update(element=element(event).decode())


def amend(key: Key, msg_id: int, change: Callable[[dict[str, Any]], None]) -> None:
    """As `replace`, by a change of what the message says."""
    rows = Message.objects.filter(named(msg_id), kind=key[0], owner_id=key[1])
    for seq, text in list(rows.values_list("seq", "element")):
        told = orjson.loads(text)
        change(told["msg"])
        rows.filter(seq=seq).update(element=orjson.dumps(told).decode())


def named(msg_id: int) -> Q:
    """Messages with this id. Within a text of somebody the quotes would be escaped."""
    name = f'"msgId":{msg_id}'
    return Q(element__contains=f"{name},") | Q(element__contains=f"{name}}}")


def numbered(key: Key, seq: int, element: bytes) -> bytes:
    """The element with its number: `seq` for a person's, `roomSeq` for a room's."""
    name = b"seq" if key[0] == StreamKind.PERSON else b"roomSeq"
    return b'%b,"%b":%d}' % (element[:-1], name, seq)
