"""Opening and ending rooms, coming and going (D21, D22, D24).

Who changes how many are inside holds the live's row, so counts and memberships change together. Lock order: people,
then rooms (docs/architecture.md). Every deadline is compared with the database's clock.
"""

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.api.clients import Client
from heihei_site.api.errors import (
    LiveEnded,
    LiveForbidden,
    LiveInvalid,
    LiveNotActive,
    MinorRefused,
    NotInRoom,
    NotPermitted,
    TokenInvalid,
)
from heihei_site.providers import registry
from heihei_site.realtime import publish as realtime
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from live.events import AudienceChanged, LiveStarted, LiveStopped, SystemSaid, TitleChanged
from live.models import Live, Member
from live.selectors import LIVE_LINK, audience
from live.serializers import told_card
from live.serializers import viewer as viewer_card
from users.groups import followers
from users.models import User
from users.selectors import blocked_between

log = structlog.get_logger(__name__)


@telling()
def create_live(*, owner: User, title: str, client: Client, device_type: str = "") -> Live:
    """Opens a room, waiting for the owner's sound. A live that was still open ends first: a person has one at most."""
    owner = User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    if not owner.is_here:  # banned or gone while this request was on its way
        raise TokenInvalid
    if owner.is_protected_minor:
        raise MinorRefused
    for earlier in Live.objects.open().filter(owner=owner).values_list("pk", flat=True):
        end_live(earlier)
    live = Live.objects.create(
        owner=owner,
        title=title,
        stream=registry.streaming().new_stream(owner.pk),
        device_type=device_type,
        address=owner.address,
        owner_deadline=Now() + settings.OWNER_LEASE,
        seats=settings.AUDIENCE_SEATS if client.opens_audience else settings.TEAM_SEATS,
        occupied=1,
    )
    Member.objects.create(live=live, user=owner, lease_until=Now() + settings.OWNER_LEASE)
    realtime.enter_room(owner.pk, live.pk)
    live.refresh_from_db()
    live.owner = owner
    return live


@telling()
def start_live(*, owner: User, live: Live) -> None:
    """The sound has arrived: on air, and the owner's followers are told. The second time it already is."""
    if live.owner_id != owner.pk:
        raise NotPermitted
    owner = User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    waiting = Live.objects.filter(pk=live.pk, status=Live.Status.TO_START)
    started = waiting.update(status=Live.Status.PLAYING, started_at=Now(), owner_deadline=Now() + settings.OWNER_LEASE)
    if started:
        User.objects.filter(pk=owner.pk).update(live_count=F("live_count") + 1, kind=User.Kind.ANCHOR)
        if live.visible:
            _tell_followers(owner, live)
    elif not Live.objects.on_air().filter(pk=live.pk).exists():
        raise LiveInvalid


def _tell_followers(owner: User, live: Live) -> None:
    news = LiveStarted(
        from_user_id=owner.pk,
        from_user_name=owner.display_name,
        gender=owner.gender,
        link=LIVE_LINK.format(live.pk),
        text=f"您关注的{owner.display_name}开播了",
    )
    publish(news, to=followers(owner))


def join_live(*, user: User, live: Live, client: Client) -> None:
    """Comes in, or stays in with a fresh lease. Nobody is counted twice, however often the phone sends it.

    For a live that is not on air: LiveNotActive; the 1.1 app reads the status of an ordinary answer instead (D22), so
    there nothing happens.
    """
    if blocked_between(user.pk, live.owner_id):
        raise LiveForbidden
    with telling():
        held = Live.objects.select_for_update(no_key=True).get(pk=live.pk)
        if held.status != Live.Status.PLAYING and not (held.is_open and held.owner_id == user.pk):
            if client.reads_ended_live_from_status:
                return
            raise LiveNotActive
        lease = settings.OWNER_LEASE if held.owner_id == user.pk else settings.VIEWER_LEASE
        member, new = Member.objects.get_or_create(live=held, user=user, defaults={"lease_until": Now() + lease})
        came = new or member.left_at is not None
        if not new:
            changes: dict[str, Any] = {"joined_at": Now()} if came else {}
            Member.objects.filter(pk=member.pk).update(left_at=None, lease_until=Now() + lease, **changes)
        realtime.enter_room(user.pk, held.pk)
        if came:
            _count(held, +1, newcomers=int(new))


@telling()
def quit_live(*, user: User, live: Live) -> None:
    """Goes out. To who is not inside, and for ended rooms, nothing happens (D24). The owner ends it with stop-live."""
    if live.owner_id == user.pk:
        return
    held = Live.objects.select_for_update(no_key=True).get(pk=live.pk)
    if Member.objects.filter(live=held, user=user, left_at=None).update(left_at=Now()):
        _count(held, -1)
    realtime.leave_room(user.pk, held.pk)


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


@telling()
def change_title(*, owner: User, live: Live, title: str) -> Live:
    if live.owner_id != owner.pk:
        raise NotPermitted
    if not Live.objects.open().filter(pk=live.pk).update(title=title):
        raise LiveInvalid
    live.title = title
    publish(TitleChanged(room_id=live.pk, live_id=live.pk, title=title), to=room(live))
    return live


def pause(*, owner: User, live: Live, paused: bool) -> None:
    """The owner's app went to the background, or came back. No status changes; heart-beats go on."""
    if live.owner_id != owner.pk:
        raise NotPermitted
    if not Live.objects.open().filter(pk=live.pk).update(paused=paused):
        raise LiveEnded


@telling()
def end_live(live_id: int, *, status: Live.Status = Live.Status.STOPPED, words: str = "") -> bool:
    """Ends the live for everybody: they are told, are out, and the totals stay as they are now.

    True only for the one who ended it; for everybody after, nothing happens. `words` is said to the room first.
    """
    live = Live.objects.select_related("owner").select_for_update(no_key=True, of=("self",)).get(pk=live_id)
    if not live.is_open:
        return False
    live.status = status
    live.ended_at = timezone.now()
    live.occupied = 0
    if words:
        publish(SystemSaid(room_id=live.pk, text=words), to=room(live))
    publish(LiveStopped(room_id=live.pk, live=told_card(live)), to=room(live))
    realtime.close_room(live.pk)
    Live.objects.filter(pk=live.pk).update(status=status, ended_at=Now(), paused=False, occupied=0)
    Member.objects.filter(live=live, left_at=None).update(left_at=Now())
    return True


def end_lives_of(sender: object, *, user: User, **_: object) -> None:
    """Listens to `users.signals.became_minor`: who turns out to be a minor is not on air any more."""
    for live_id in Live.objects.open().filter(owner=user).values_list("pk", flat=True):
        end_live(live_id)


def clear_out(sender: object, *, user: User, **_: object) -> None:
    """Listens to `users.signals.banned` and `left`: their live ends, they are out of others' rooms. In primary-key
    order."""
    own = Live.objects.open().filter(owner=user)
    visited = Live.objects.filter(members__user=user, members__left_at=None)
    for live in (own | visited).distinct().order_by("pk"):
        if live.owner_id == user.pk:
            end_live(live.pk)
        else:
            quit_live(user=user, live=live)


def ban_live(live: Live) -> bool:
    """Operators take a live off the air: its viewers are told and out."""
    return end_live(live.pk, status=Live.Status.BANNED, words="该直播因违反社区规定已被关闭")


def end_overdue() -> int:
    """Ends the lives whose owners fell silent. Returns how many; run twice, the second finds none."""
    overdue = list(Live.objects.overdue().values_list("pk", flat=True)[:500])
    return _each(end_overdue_live, overdue)


@telling()
def end_overdue_live(live_id: int) -> bool:
    """Looks again with the row held: a heart-beat may have come between."""
    held = Live.objects.overdue().filter(pk=live_id).select_for_update(no_key=True)
    return bool(held.values_list("pk").first()) and end_live(live_id)


def count_out_silent() -> int:
    """Takes the viewers whose leases ran out out of their rooms. Returns how many."""
    rooms = Member.objects.lapsed().exclude(user=F("live__owner")).values_list("live_id", flat=True).distinct()
    return _each(_count_out, list(rooms[:500]))


def _each(deed: Callable[[int], int], live_ids: list[int]) -> int:
    """The sum of what was done; a live that fails is logged and does not keep the others from their turn."""
    done = 0
    for live_id in live_ids:
        try:
            done += deed(live_id)
        except Exception:
            log.exception("sweep_failed", live=live_id, deed=deed.__name__)
    return done


@telling()
def _count_out(live_id: int) -> int:
    live = Live.objects.select_for_update(no_key=True).get(pk=live_id)
    lapsed = Member.objects.lapsed().filter(live=live).exclude(user_id=live.owner_id)
    people = list(lapsed.select_for_update(no_key=True).values_list("user_id", flat=True))
    if people:
        Member.objects.filter(live=live, user_id__in=people).update(left_at=Now())
        _count(live, -len(people))
    for user_id in people:
        realtime.leave_room(user_id, live.pk)
    return len(people)


def _count(live: Live, change: int, *, newcomers: int = 0) -> None:
    """Moves the counts of a live whose row is held, and tells the room: who is in a small one, how many in a large."""
    live.occupied += change
    live.total_users += newcomers
    live.presence_no += 1
    live.save(update_fields=["occupied", "total_users", "presence_no"])
    small = live.occupied <= settings.ROOM_LIST_PAGE
    publish(
        AudienceChanged(
            version=live.presence_no,
            room_id=live.pk,
            live_id=live.pk,
            total_count=live.occupied,
            room_seat_count=live.seats,
            room_locked_count=live.locked,
            users=[viewer_card(member) for member in audience(live)] if small else None,
        ),
        to=room(live),
    )
