"""Sending what waits to be pushed: claimed, looked at, handed to a vendor, noted.

Each step is a transaction of its own and none is open while a vendor is asked. A worker that dies leaves its claim to
run out; the next one does the same again, with the same request ids (docs/adr/0011-push-outbox.md).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, TypedDict

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, F, Max, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.api import wire
from heihei_site.api.clients import Client
from heihei_site.console.tunables import tunables
from heihei_site.providers import registry
from heihei_site.providers.push.base import Answer, Notification, NotTaken, Result
from heihei_site.realtime import presence
from messages.models import Push
from users.models import Device, Session

BATCH = 200  # what vendors take in one call
CLAIM = timedelta(seconds=60)  # a vendor has answered long before
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)  # before a push is tried again; doubles
HOUR = timedelta(hours=1)

Outcome = Push.Outcome
Given = tuple[Push, Device]


class Payload(TypedDict):
    """What the app reads (api.md push)."""

    title: str
    text: str
    action: str
    link: str
    msg_id: int
    from_user_id: int
    from_user_name: str
    gender: str
    data: dict[str, Any]
    device_type: str
    clientid: str


log = structlog.get_logger(__name__)

_CLAIM = """
WITH due AS (
    SELECT id FROM inbox_push WHERE outcome = 0 AND lane = %s AND due_at <= statement_timestamp()
    ORDER BY due_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE inbox_push AS push SET due_at = statement_timestamp() + make_interval(secs => %s) FROM due
WHERE push.id = due.id RETURNING push.id
"""
_COUNT = """
INSERT INTO inbox_pushtally AS tally (outcome, many) VALUES (%s, %s)
ON CONFLICT (outcome) DO UPDATE SET many = tally.many + EXCLUDED.many
"""


def send_next(lane: Push.Lane) -> bool:
    """Deals with the pushes that are due for longest. False when none was, or a vendor did not take what it was given:
    then it is better to pause."""
    claimed = _claim(lane)
    if not claimed:
        return False
    batches: dict[str, list[Given]] = defaultdict(list)
    for push, device in _sort_out(claimed):
        batches[device.push_kind].append((push, device))
    taken = [_hand_over(kind, batch) for kind, batch in batches.items()]
    return all(taken)


def _claim(lane: Push.Lane) -> list[int]:
    """Nobody else gets these until CLAIM has passed."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [lane, BATCH, CLAIM.total_seconds()])
        return [push_id for (push_id,) in cursor.fetchall()]


# --- Which of them are to be sent, and what becomes of the others ---


@dataclass
class Recent:
    """What was pushed to some people within the last hour."""

    to_people: Counter[int] = field(default_factory=Counter)
    last: dict[tuple[int, str], datetime] = field(default_factory=dict)  # by device and `collapse`


@dataclass
class Surroundings:
    """All that decides about the pushes of a batch besides themselves."""

    present: Collection[int]
    devices: dict[int, Device]
    recent: Recent


def _sort_out(claimed: Sequence[int]) -> list[Given]:
    """Those that are to be sent now; the others are finished or put off."""
    pushes = _read(claimed)
    people = {push.user_id for push in pushes}
    around = Surroundings(presence.present(people), _devices(pushes), _recent(people))
    to_send: list[Given] = []
    finished: dict[Outcome, list[int]] = defaultdict(list)
    put_off: dict[tuple[Push.Lane, datetime], list[int]] = defaultdict(list)
    for push in pushes:
        device = around.devices.get(push.device_id)
        outcome = _outcome(push, device, around)
        until = None if outcome else _not_before(push, around.recent)
        if until and until[1] >= push.notice.expires_at:
            outcome = Outcome.EXPIRED
        if outcome:
            finished[outcome].append(push.pk)
        elif until:
            put_off[until].append(push.pk)
        elif device:
            around.recent.to_people[push.user_id] += 1
            to_send.append((push, device))
    _note_decisions(to_send, finished, put_off)
    return to_send


def _read(claimed: Sequence[int]) -> list[Push]:
    newer = Push.objects.filter(
        device=OuterRef("device"), collapse=OuterRef("collapse"), outcome=Outcome.WAITING, pk__gt=OuterRef("pk")
    )
    pushes = Push.objects.filter(pk__in=claimed, outcome=Outcome.WAITING).select_related("notice", "user")
    pushes = pushes.annotate(superseded=Exists(newer.exclude(collapse="")), now=Now())  # type: ignore[no-redef]
    return list(pushes.order_by("pk"))


def _devices(pushes: Sequence[Push]) -> dict[int, Device]:
    found: dict[int, Device] = Device.objects.select_related("session").in_bulk({push.device_id for push in pushes})
    return found


def _recent(people: Collection[int]) -> Recent:
    sent = Push.objects.filter(user__in=people, finished_at__gt=Now() - HOUR, outcome=Outcome.SENT)
    recent = Recent()
    for user_id, device_id, collapse, many, last in sent.values_list("user_id", "device_id", "collapse").annotate(
        many=Count("pk"), last=Max("finished_at")
    ):
        recent.to_people[user_id] += many
        recent.last[device_id, collapse] = last
    return recent


def _outcome(push: Push, device: Device | None, around: Surroundings) -> Outcome | None:
    """Why the push is not to be sent, now or later; None where it is."""
    if push.notice.expires_at <= push.now:
        return Outcome.FAILED if push.tries else Outcome.EXPIRED
    if device is None or device.session is None or device.user_id != push.user_id:
        return Outcome.GONE
    if device.session.expires_at <= push.now:
        return Outcome.GONE
    if not (push.user.push_enable and push.user.is_here):
        return Outcome.SWITCHED_OFF
    if _link(push, device) is None:
        return Outcome.UNFIT
    if push.user_id in around.present or _has_connected(device.session, since=push.created_at):
        return Outcome.REACHED
    if push.superseded:
        return Outcome.COLLAPSED
    if not push.notice.rings and around.recent.to_people[push.user_id] >= tunables.PUSHES_AN_HOUR:
        return Outcome.LIMITED
    return None


def _has_connected(session: Session, *, since: datetime) -> bool:
    """A socket brings what came before it; a call over HTTP shows that the app runs, and nothing of the message."""
    return session.connected_at is not None and session.connected_at > since


def _link(push: Push, device: Device) -> str | None:
    """The newest link that the device's client knows; None where it is to get no push."""
    client = Client.of(device.session.client_version if device.session else None)
    known = [link for generation, link in push.notice.links if tuple(generation) <= client.generation]
    return known[-1] if known and client.bears_pushes else None


def _not_before(push: Push, recent: Recent) -> tuple[Push.Lane, datetime] | None:
    """When the push may be sent, and in which lane; None for now."""
    if push.notice.rings:
        return None
    if morning := end_of_quiet(push.now):
        return Push.Lane.MANY, morning
    last = recent.last.get((push.device_id, push.collapse)) if push.collapse else None
    if last and push.now < last + settings.PUSH_PAUSE:
        return Push.Lane(push.lane), last + settings.PUSH_PAUSE
    return None


def end_of_quiet(now: datetime) -> datetime | None:
    """When people may be disturbed again; None where they may be now."""
    begins, ends = tunables.QUIET_HOURS
    here = timezone.localtime(now, timezone.get_default_timezone())
    hours = (here.hour - begins) % 24
    if hours >= (ends - begins) % 24:
        return None
    day = here.date() if here.hour < ends else here.date() + timedelta(days=1)
    return datetime.combine(day, time(ends), here.tzinfo)


@transaction.atomic
def _note_decisions(
    to_send: Sequence[Given],
    finished: dict[Outcome, list[int]],
    put_off: dict[tuple[Push.Lane, datetime], list[int]],
) -> None:
    for (lane, until), ids in put_off.items():
        _waiting(ids).update(lane=lane, due_at=until)
    _waiting([push.pk for push, _ in to_send]).update(tries=F("tries") + 1)
    for push, _ in to_send:
        push.tries += 1
    _finish(finished)


# --- Sending ---


def _hand_over(kind: str, batch: Sequence[Given]) -> bool:
    """False where the vendor did not take it."""
    notifications = [_notification(push, device) for push, device in batch]
    try:
        answers = registry.push(kind).send(notifications)
        taken = True
    except Exception as error:  # whatever it is, only this batch waits for it
        reason = str(error) if isinstance(error, NotTaken) else type(error).__name__
        if not isinstance(error, NotTaken | OSError):
            log.exception("push_vendor_failed", kind=kind)
        answers, taken = [Answer(Result.LATER, reason)] * len(batch), False
    _note_answers(batch, answers)
    said = Counter((answer.result.value, answer.reason) for answer in answers)
    for (result, reason), many in said.items():
        (log.info if result == Result.ACCEPTED.value else log.warning)(
            "pushes_handed_over", kind=kind, result=result, reason=reason, many=many
        )
    return taken


def _notification(push: Push, device: Device) -> Notification:
    notice = push.notice
    payload: Payload = {
        "title": notice.title,
        "text": notice.text,
        "action": notice.action,
        "link": _link(push, device) or "",
        "msg_id": notice.msg_id,
        "from_user_name": notice.from_user_name,
        "from_user_id": notice.from_user_id,
        "gender": notice.gender,
        "data": {},
        "device_type": device.platform,
        "clientid": device.push_token,
    }
    request_id = f"{notice.msg_id:014x}-{device.pk:x}"
    return Notification(
        request_id=request_id,
        repeated=push.tries > 1,
        user_id=push.user_id,
        platform=device.platform,
        token=device.push_token,
        title=notice.title,
        text=notice.text,
        payload=wire.encode(payload),
        collapse=push.collapse or request_id,
        urgent=notice.rings,
        expires_at=notice.expires_at,
    )


@transaction.atomic
def _note_answers(batch: Sequence[Given], answers: Sequence[Answer]) -> None:
    finished: dict[Outcome, list[int]] = defaultdict(list)
    ended = {Result.ACCEPTED: Outcome.SENT, Result.DEAD: Outcome.DEAD, Result.REFUSED: Outcome.FAILED}
    for (push, device), answer in zip(batch, answers, strict=True):
        if answer.reason:
            _waiting([push.pk]).update(reason=answer.reason[:64])
        if answer.result is Result.DEAD:
            _forget_device(push, device)
        if answer.result is Result.LATER:
            pause = min(FIRST_PAUSE * 2 ** min(push.tries - 1, 10), LONGEST_PAUSE)
            _waiting([push.pk]).filter(tries=push.tries).update(due_at=Now() + pause)
        else:
            finished[ended[answer.result]].append(push.pk)
    _finish(finished)


def _forget_device(push: Push, device: Device) -> None:
    """Unless it has registered anew since."""
    Device.objects.filter(pk=device.pk, user=push.user_id, seen_at=device.seen_at).delete()


def _finish(finished: dict[Outcome, list[int]]) -> None:
    """In the order of outcomes: each is a row that others add to as well."""
    for outcome in sorted(finished):
        many = _waiting(finished[outcome]).update(outcome=outcome, finished_at=Now())
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [outcome, many])


def call_off(msg_id: int) -> None:
    """What waits to be pushed about a message is not. Within its transaction."""
    waiting = Push.objects.filter(notice=msg_id, outcome=Outcome.WAITING).order_by("pk")
    if ids := list(waiting.select_for_update().values_list("pk", flat=True)):
        _finish({Outcome.RECALLED: ids})


def _waiting(ids: Sequence[int]) -> QuerySet[Push]:
    """A worker whose claim ran out changes nothing that another has finished."""
    return Push.objects.filter(pk__in=ids, outcome=Outcome.WAITING)
