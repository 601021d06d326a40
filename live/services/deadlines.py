"""Heart-beats, and what happens when they stop (D21). Every deadline is compared with the database's clock."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from heihei_site.api.errors import LiveNotActive, NotInRoom, NotPermitted
from heihei_site.realtime.publish import telling
from live.models import Live, Member
from live.services import mic_links, rooms, seats
from live.services.audience import hold
from users.models import User

log = structlog.get_logger(__name__)


def beat(*, user: User, live: Live, as_owner: bool) -> None:
    """Renews the lease. The owner's counts from creation on, before join and start (D21)."""
    if live.owner_id == user.pk:
        _owner_beat(live)
    elif as_owner:
        raise NotPermitted
    elif live.status != Live.Status.PLAYING:
        raise LiveNotActive
    else:
        inside = Member.objects.inside().filter(live=live, user=user)
        if not inside.update(lease_until=Now() + settings.VIEWER_LEASE):
            raise NotInRoom


@transaction.atomic
def _owner_beat(live: Live) -> None:
    deadline = Now() + settings.OWNER_LEASE
    in_time = Live.objects.open().filter(pk=live.pk, owner_deadline__gt=Now())
    if not in_time.update(owner_deadline=deadline):
        raise LiveNotActive
    Member.objects.filter(live=live, user_id=live.owner_id, left_at=None).update(lease_until=deadline)


def end_overdue() -> int:
    """Ends the lives whose owners fell silent. Returns how many; run twice, the second finds none."""
    overdue = list(Live.objects.overdue().values_list("pk", flat=True)[:500])
    return _each(end_overdue_live, overdue)


@telling()
def end_overdue_live(live_id: int) -> bool:
    """Looks again with the row held: a heart-beat may have come between."""
    held = Live.objects.overdue().filter(pk=live_id).select_for_update(no_key=True)
    return bool(held.values_list("pk").first()) and rooms.end_live(live_id)


def count_out_silent() -> int:
    """Takes the viewers whose leases ran out out of their rooms. Returns how many."""
    lives = Member.objects.lapsed().exclude(user=F("live__owner")).values_list("live_id", flat=True).distinct()
    return _each(_count_out, list(lives[:500]))


@telling()
def _count_out(live_id: int) -> int:
    return seats.let_out_lapsed(hold(live_id))


def end_overdue_mic_links() -> int:
    """Ends what nobody answered, joined or was heard in, in time. Returns how many."""
    return _each(mic_links.end_overdue, mic_links.lives_overdue())


def _each(deed: Callable[[int], int], live_ids: list[int]) -> int:
    """The sum of what was done; a live that fails is logged and does not keep the others from their turn."""
    done = 0
    for live_id in live_ids:
        try:
            done += deed(live_id)
        except Exception:
            log.exception("sweep_failed", live=live_id, deed=deed.__name__)
    return done
