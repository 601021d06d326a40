"""What operators do with announcements: one proposes them, a second one confirms what many would get, anybody stops."""

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from heihei_site.jobs import NoWorker, hand_over
from messages import tasks
from messages.announcement_models import Announcement
from messages.services import announcing
from users.models import User

State = Announcement.State

log = structlog.get_logger(__name__)


class NotNow(Exception):
    """Says in Chinese why it cannot be done."""


@transaction.atomic
def propose(announcement_id: int, *, operator: User) -> Announcement:
    """Goes out, at its time, where few enough get it; else a second operator has to confirm it."""
    announcement = _held(announcement_id)
    if announcement.state != State.DRAFT:
        raise NotNow("只有草稿可以提交。")
    announcement.expected = announcing.audience(announcement).count()
    if not announcement.expected:
        raise NotNow("没有符合条件的用户。")
    few = announcement.expected <= settings.ANNOUNCED_ALONE
    announcement.state, announcement.proposed_by = State.SENDING if few else State.PROPOSED, operator
    _save(announcement, "state", "proposed_by", "expected")
    return announcement


@transaction.atomic
def confirm(announcement_id: int, *, operator: User) -> Announcement:
    announcement = _held(announcement_id)
    if announcement.state != State.PROPOSED:
        raise NotNow("这条公告不在待复核状态。")
    if operator.pk == announcement.proposed_by_id:
        raise NotNow("须由提交人以外的人复核。")
    announcement.state, announcement.confirmed_by = State.SENDING, operator
    _save(announcement, "state", "confirmed_by")
    return announcement


@transaction.atomic
def stop(announcement_id: int) -> Announcement:
    """Who has it keeps it; a batch that is being told is waited for. Nothing happens to what is over."""
    announcement = _held(announcement_id)
    if announcement.state not in Announcement.OVER:
        announcement.state = State.STOPPED
        Announcement.objects.filter(pk=announcement.pk).update(state=State.STOPPED, finished_at=Now())
    return announcement


def _held(announcement_id: int) -> Announcement:
    return Announcement.objects.select_for_update(no_key=True).get(pk=announcement_id)


def _save(announcement: Announcement, *fields: str) -> None:
    announcement.save(update_fields=fields)
    if announcement.state == State.SENDING:
        transaction.on_commit(_nudge, robust=True)


def _nudge() -> None:
    """Without a broker beat's next sweep finds it."""
    try:
        hand_over(tasks.announce)
    except NoWorker as error:
        log.warning("announced_later", reason=str(error))
