import threading
import time

import structlog
from celery import shared_task

from heihei_site.jobs import NoWorker, hand_over
from heihei_site.realtime import mass, retention
from heihei_site.realtime.models import StreamKind
from heihei_site.realtime.storage import Key

log = structlog.get_logger(__name__)

TURN_SECONDS = 5.0  # after which a job lets others have the thread and queues for its next turn

_telling = threading.Lock()


@shared_task(name="heihei_site.realtime.tasks.tell_audiences")
def tell_audiences() -> None:
    """Goes on with mass messages, batch by batch with pauses. One job a worker at a time, however many are sent: the
    others end at once. Run twice or never, nothing is wrong: the rows know what is told, and beat sends it again."""
    if not _telling.acquire(blocking=False):
        return
    try:
        began = time.monotonic()
        end = began + TURN_SECONDS
        while mass.tell_next_batch():
            if (now := time.monotonic()) > end:
                nudge()
                return
            time.sleep(now - began)  # half of the database's time is everybody else's
            began = time.monotonic()
    finally:
        _telling.release()


def nudge() -> None:
    """Somebody has written a mass message. Never raises: without a broker beat's next sweep finds it."""
    try:
        hand_over(tell_audiences)
    except NoWorker as error:
        log.warning("audiences_told_later", reason=str(error))


@shared_task(name="heihei_site.realtime.tasks.forget")
def forget(kind: int = StreamKind.PERSON, after: int = 0) -> None:
    """Deletes what is kept no longer, stream by stream from a position on. Run twice, the second finds nothing."""
    end = time.monotonic() + TURN_SECONDS
    position: Key = (kind, after)
    while following := retention.forget_after(position):
        position = following
        if time.monotonic() > end:
            forget.delay(*position)
            return
    retention.forget_mass_messages()
