"""What the media server tells us about a live's sound, and what is left of it afterwards (D21, D30, ADR 0012)."""

from contextlib import suppress
from datetime import timedelta
from subprocess import SubprocessError
from threading import BoundedSemaphore

import structlog
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.api.errors import LiveEnded
from heihei_site.providers import registry
from heihei_site.providers.streaming import media_server
from heihei_site.providers.streaming.base import Unanswered
from heihei_site.providers.streaming.rtmp import key_is_valid
from live.models import Live
from live.services import owners

AFTER_CUTTING_OFF = timedelta(seconds=3)  # the file of a connection that was ended is complete
AT_ONCE = 100  # lives one sweep looks after
FULL = timedelta(seconds=5)  # until a live is looked after again for which no replay could be begun

# Workers have other things to do: of their threads no more than these make replays, and none waits for its turn.
_makers = BoundedSemaphore(settings.REPLAYS_AT_ONCE)

log = structlog.get_logger(__name__)


class PublishRefused(Exception):
    """The text says why, for the log: who sends is told nothing."""


def sound_begins(*, stream: str, key: str, connection: int) -> None:
    """A connection is about to send. Raises PublishRefused unless it may: with this stream's own key, while its live is
    open, one at a time. Paused since an earlier connection broke: it goes on. The same question again has the same
    answer.
    """
    if not key_is_valid(stream, key):
        raise PublishRefused("wrong key")
    live = Live.objects.in_time().filter(stream=stream).select_related("owner").first()
    if live is None:
        raise PublishRefused("no open live")
    if live.publisher not in (None, connection) and _is_sent(stream):
        raise PublishRefused("somebody is sending already")
    # Of several at the same moment one finds the publisher that it has seen.
    if not Live.objects.in_time().filter(pk=live.pk, publisher=live.publisher).update(publisher=connection):
        raise PublishRefused("somebody came first")
    if live.paused:
        _pause(live, False)


def _pause(live: Live, paused: bool) -> None:
    with suppress(LiveEnded):  # meanwhile
        owners.pause(owner=live.owner, live=live, paused=paused)


def _is_sent(stream: str) -> bool:
    """The media server may have gone down without a word about the connection that we know of. Unsure is yes."""
    try:
        return media_server.is_sent(stream)
    except Unanswered as error:
        log.warning("media_server_unanswered", reason=str(error))
        return True


def sound_ends(*, stream: str, connection: int) -> None:
    """That connection is over: the live is paused, until its owner's phone comes back or its deadline passes (D21).
    Nothing for a connection that is not the one that sends."""
    live = Live.objects.filter(stream=stream, publisher=connection).select_related("owner").first()
    if live is None or not Live.objects.filter(pk=live.pk, publisher=connection).update(publisher=None):
        return
    if live.is_open:
        _pause(live, True)


def recorded(*, stream: str) -> None:
    """One more piece of what was sent is complete. For an ended live the replay is made, anew if there was one."""
    Live.objects.filter(stream=stream, status=Live.Status.STOPPED).update(media_due=Now())


def due() -> list[int]:
    """Lives whose media want looking after, each given out once in `MEDIA_SWEEP_LEASE`."""
    waiting = Live.objects.filter(media_due__lte=Now()).order_by("media_due").values_list("pk", flat=True)
    return [live_id for live_id in waiting[:AT_ONCE] if _lease(live_id)]


def _lease(live_id: int) -> bool:
    waiting = Live.objects.filter(pk=live_id, media_due__lte=Now())
    return bool(waiting.update(media_due=Now() + settings.MEDIA_SWEEP_LEASE))


def settle(live_id: int) -> None:
    """After the end: nobody sends any more, and the replay is made; of a deleted live nothing stays. Run twice, the
    second finds the same. What fails is tried again for a day."""
    live = Live.objects.get(pk=live_id)
    if live.is_open or live.media_due is None:
        return
    same = Live.objects.filter(pk=live_id, media_due=live.media_due)  # else there is news, and another turn
    try:
        again = _settle(live)
    except (Unanswered, OSError, SubprocessError) as error:
        log.warning("media_not_settled", live=live_id, reason=str(error))
        again = _retry(timezone.now() - live.ended_at if live.ended_at else timedelta())
    same.update(media_due=None if again is None else Now() + again)


def _retry(age: timedelta) -> timedelta | None:
    """Ever more rarely."""
    return max(settings.MEDIA_RETRY, age) if age < settings.MEDIA_RETRY_FOR else None


def _settle(live: Live) -> timedelta | None:
    """How soon it wants looking after again."""
    streaming = registry.streaming()
    if live.status == Live.Status.DELETED:
        streaming.forget(live.stream)
        Live.objects.filter(pk=live.pk).update(lookback_addr="")
        return None
    if streaming.cut_off(live.stream):
        return AFTER_CUTTING_OFF
    if live.status != Live.Status.STOPPED or live.started_at is None:
        return None
    if not _makers.acquire(blocking=False):
        return FULL
    try:
        _make_replay(live)
    finally:
        _makers.release()
    return None


def _make_replay(live: Live) -> None:
    streaming = registry.streaming()
    began = live.created_at.replace(microsecond=0)  # the 1.1 app adds the seconds of createTime, which has no others
    address = streaming.recording(live.stream, since=began, until=live.ended_at or timezone.now())
    kept = Live.objects.filter(pk=live.pk, status=Live.Status.STOPPED, owner__erased_at=None)
    if address and not kept.update(lookback_addr=address):
        streaming.forget(live.stream)
