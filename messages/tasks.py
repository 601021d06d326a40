import threading
import time
from functools import cache

from celery import shared_task

from messages.models import Push
from messages.services import announcing, push_delivery, pushes, server_calls

TURN_SECONDS = 20.0  # after which a job ends; the next sweep goes on

_announcing = threading.Lock()


@cache
def _sending(lane: Push.Lane) -> threading.Lock:
    return threading.Lock()


@shared_task(name="messages.tasks.push")
def push() -> None:
    """Sends what is due to one person each. Run twice or never, nothing is wrong: the rows know what is to be done."""
    _send(Push.Lane.ONE)


@shared_task(name="messages.tasks.push_to_many")
def push_to_many() -> None:
    """As `push`, for what is to audiences and for what waited through the night; beside it, so that neither waits."""
    _send(Push.Lane.MANY)


def _send(lane: Push.Lane) -> None:
    """One job a lane and worker at a time, however many sweeps come; the others end at once."""
    if not _sending(lane).acquire(blocking=False):
        return
    try:
        end = time.monotonic() + TURN_SECONDS
        while push_delivery.send_next(lane) and time.monotonic() < end:
            pass
    finally:
        _sending(lane).release()


@shared_task(name="messages.tasks.announce")
def announce() -> None:
    """Goes on with announcements, batch by batch with pauses; one job a worker at a time, the others end at once. Run
    twice or never, nothing is wrong: the rows know who has been told."""
    if not _announcing.acquire(blocking=False):
        return
    try:
        began = time.monotonic()
        end = began + TURN_SECONDS
        while announcing.tell_next_batch() and (now := time.monotonic()) < end:
            time.sleep(now - began)  # half of the database's time is everybody else's
            began = time.monotonic()
    finally:
        _announcing.release()


@shared_task(name="messages.tasks.forget_pushes")
def forget_pushes() -> None:
    end = time.monotonic() + TURN_SECONDS
    while pushes.forget():
        if time.monotonic() > end:
            forget_pushes.delay()
            return


@shared_task(name="messages.tasks.forget_server_calls")
def forget_server_calls() -> None:
    server_calls.forget()
