"""What nobody came for: unanswered rings, silent lines, calls nobody is in any more (I8)."""

from collections.abc import Callable, Iterable

import structlog
from django.db.models.functions import Now

from chat.models import Chat, Side
from chat.services import calls, talk

AT_ONCE = 500  # of a kind, in one run

log = structlog.get_logger(__name__)


def end_unanswered() -> int:
    """Rings that nobody answered in time, and missed calls that it is too late to call back. Returns how many."""
    overdue = Chat.objects.filter(deadline__lte=Now()).order_by("deadline").values_list("pk", flat=True)
    return _each(calls.close_overdue, overdue[:AT_ONCE])


def end_abandoned() -> int:
    """Calls of which a line was lost for good. Returns how many."""
    return _each(calls.close_overdue, Side.objects.lost().values_list("chat_id", flat=True)[:AT_ONCE])


def note_silent() -> int:
    """Tells the others of those whose heart-beats stopped. Returns how many calls it is about."""
    unknown = Side.objects.silent().exclude(status=Side.Status.LOST)
    return _each(talk.note_silence, unknown.values_list("chat_id", flat=True)[:AT_ONCE])


def _each(deed: Callable[[int], bool], chat_ids: Iterable[int]) -> int:
    """A call that fails is logged and does not keep the others from their turn."""
    done = 0
    for chat_id in sorted(set(chat_ids)):
        try:
            done += deed(chat_id)
        except Exception:
            log.exception("sweep_failed", chat=chat_id, deed=deed.__name__)
    return done
