"""Personal messages to an audience (D12): one row in the transaction that caused it, told in batches by workers."""

import time
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.realtime import audiences, bus, pushing, storage
from heihei_site.realtime.models import MassMessage, StreamKind

log = structlog.get_logger(__name__)

# People told in one transaction, during which nobody else can tell them anything (`python -m tests.bench mass`).
BATCH = 500


def write(acts: Iterable[bus.Act]) -> None:
    MassMessage.objects.bulk_create(
        MassMessage(
            audience=act["audience"],
            source_id=act["source_id"],
            element=act["element"].decode(),
            needs=act["needs"],
            push=act["push"],
            expires_at=None if act["expires"] is None else Now() + timedelta(seconds=act["expires"]),
        )
        for act in acts
    )


def tell_next_batch() -> bool:
    """Tells the next people of the message that has waited longest. False when nothing is left that another worker does
    not have in hand.

    Their messages and how far the audience has been told are one transaction. So a worker that dies tells nobody twice
    and leaves nobody out, and several workers share the work. Of what cannot be told it raises the reason, and the
    others come first from then on.
    """
    message = None
    try:
        with transaction.atomic():
            message = _longest_waiting()
            if message is not None:
                _tell_some(message)
    except Exception:
        if message is not None:
            MassMessage.objects.filter(pk=message.pk).update(last_turn=Now())
        raise
    return message is not None


def _tell_some(message: MassMessage) -> None:
    people: list[int] = []
    if message.remaining is None or message.remaining > timedelta():
        people = audiences.people_after(message.audience, message.source_id, message.told_until, BATCH)
    if people:
        _push(message, people)
        act = _tell(message, people)
        at = time.time()
        transaction.on_commit(lambda: bus.send([act], at=at), robust=True)
    _move_on(message, people)


def _longest_waiting() -> MassMessage | None:
    """Not one to an audience that only a newer release knows."""
    waiting = MassMessage.objects.filter(finished_at=None, audience__in=audiences.names())
    remaining = F("expires_at") - Now()
    waiting = waiting.annotate(remaining=remaining)  # type: ignore[no-redef]  # the model says so for the reader
    return waiting.order_by("last_turn", "pk").select_for_update(skip_locked=True, no_key=True).first()


def _push(message: MassMessage, people: list[int]) -> None:
    if message.push is not None:
        seconds = None if message.remaining is None else storage.whole_seconds(message.remaining)
        pushing.write([pushing.ToPush(people, message.push, seconds, to_many=True)])


def _tell(message: MassMessage, people: list[int]) -> bus.Act:
    act: bus.Act = {
        "do": "tell",
        "to": [[StreamKind.PERSON.value, user_id, 0] for user_id in people],
        "element": message.element.encode(),
        "needs": message.needs,
        "expires": None,
    }
    if message.remaining is not None:
        act["element"] = storage.as_of_now(message.element, message.remaining)
        act["expires"] = storage.whole_seconds(message.remaining)
    storage.store([act], Counter((kind, user_id) for kind, user_id, _ in act["to"]))
    return act


def _move_on(message: MassMessage, people: list[int]) -> None:
    row = MassMessage.objects.filter(pk=message.pk)
    if len(people) == BATCH:
        row.update(told_until=people[-1], last_turn=Now())
    else:
        row.update(told_until=people[-1] if people else message.told_until, finished_at=Now())
        took = (timezone.now() - message.created_at).total_seconds()
        log.info("audience_told", audience=message.audience, source_id=message.source_id, seconds=round(took, 1))
