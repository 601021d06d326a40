"""Messages of somebody's history that are read before their turn, or deleted. Marked within telling(), with the row of
the message list held that counts them: who writes at that moment is waited for."""

from django.db import connection

from heihei_site.api import clients
from heihei_site.realtime import storage
from heihei_site.realtime.models import StreamKind
from messages.models import HistoryMark, Mailbox

_MARK = """
INSERT INTO inbox_historymark AS mark (owner_id, seq, deleted) VALUES (%s, %s, %s)
ON CONFLICT (owner_id, seq) DO UPDATE SET deleted = true WHERE NOT mark.deleted AND EXCLUDED.deleted
RETURNING xmax = 0
"""


def mark(owner_id: int, seq: int, *, deleted: bool) -> bool:
    """Whether the message was unread until now."""
    read_until = _read_until(owner_id)
    if seq <= read_until and not deleted:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [owner_id, seq, deleted])
        first_time = cursor.fetchone() == (True,)
    oldest, _ = storage.kept((StreamKind.PERSON.value, owner_id))
    HistoryMark.objects.filter(owner=owner_id, seq__lt=oldest).delete()
    return first_time and seq > read_until


_MARK_FROM = """
INSERT INTO inbox_historymark (owner_id, seq, deleted)
SELECT owner_id, seq, false FROM realtime_message
WHERE kind = %s AND owner_id = %s AND seq > %s AND needs = %s AND element LIKE %s
ORDER BY seq
ON CONFLICT (owner_id, seq) DO NOTHING
"""


def mark_all_from(owner_id: int, peer_id: int) -> None:
    """What one person wrote is read by the other."""
    read_until = _read_until(owner_id)
    written = f'%"fromUserId":{peer_id},%"msgType":"IM"%'
    needs = storage.as_number(clients.IM)
    with connection.cursor() as cursor:
        cursor.execute(_MARK_FROM, [StreamKind.PERSON.value, owner_id, read_until, needs, written])


def clear(owner_id: int, until: int) -> None:
    """All of the history until there is read; what is deleted stays so."""
    HistoryMark.objects.filter(owner=owner_id, seq__lte=until, deleted=False).delete()


def _read_until(owner_id: int) -> int:
    return Mailbox.objects.filter(pk=owner_id).values_list("read_until", flat=True).first() or 0
