"""Opening and ending rooms, coming and going (D21, D22, D24).

Who changes how many are inside holds the live's row, so counts and memberships change together. Lock order: people,
then rooms (docs/architecture.md). What happens when somebody falls silent is in deadlines.py.
"""

from datetime import datetime

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.api.clients import Client
from heihei_site.api.errors import (
    BroadcastBarred,
    LiveForbidden,
    LiveInvalid,
    LiveNotActive,
    MinorRefused,
    NotPermitted,
    TokenInvalid,
)
from heihei_site.providers import registry
from heihei_site.realtime import publish as realtime
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from live.events import LiveStarted, LiveStopped, SystemSaid, TitleChanged
from live.models import Live, LiveBan, Member
from live.selectors import LIVE_LINK
from live.serializers import told_card
from live.services import mic_links, seats
from live.services.audience import hold
from users.ban_models import Misdeed
from users.groups import followers
from users.models import User
from users.selectors import blocked_between
from users.signals import went_on_air


def create_live(*, owner: User, title: str, client: Client, device_type: str = "") -> Live:
    """Opens a room, waiting for the owner's sound. A live that was still open ends first: a person has one at most."""
    if owner.is_protected_minor:  # the vendor of streams is not troubled
        raise MinorRefused
    stream = registry.streaming().new_stream(owner.pk)
    return _open(owner=owner, title=title, client=client, device_type=device_type, stream=stream)


@telling()
def _open(*, owner: User, title: str, client: Client, device_type: str, stream: str) -> Live:
    owner = _hold_person(owner)
    if owner.is_protected_minor:
        raise MinorRefused
    if said := LiveBan.objects.words_for(owner.pk):
        raise BroadcastBarred(said)
    for earlier in Live.objects.open().filter(owner=owner).values_list("pk", flat=True):
        end_live(earlier)
    live = Live.objects.create(
        owner=owner,
        title=title,
        stream=stream,
        device_type=device_type,
        address=owner.address,
        owner_deadline=Now() + settings.OWNER_LEASE,
        seats=seats.allowed(owner, client),
        occupied=1,
    )
    Member.objects.create(live=live, user=owner, lease_until=Now() + settings.OWNER_LEASE)
    realtime.enter_room(owner.pk, live.pk)
    live.refresh_from_db()
    live.owner = owner
    return live


def _hold_person(user: User) -> User:
    """Who bans them waits until this is done. Refuses with TokenInvalid who was banned or has left
    while the request was on its way."""
    held: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not held.is_here:
        raise TokenInvalid
    return held


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
        went_on_air.send(User, user=owner)
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


def join_live(*, user: User, live: Live, client: Client, key: str = "") -> Live:
    """Comes in, or stays in with a fresh lease, and gets the live as it is then. Nobody is counted twice, however often
    the phone sends it.

    For a live that is not on air: LiveNotActive; the 1.1 app reads the status of an ordinary answer instead (D22), so
    there nothing happens. `key` is that of an invitation.
    """
    with telling():
        _hold_person(user)
        held = hold(live.pk)
        held.owner = live.owner
        if blocked_between(user.pk, held.owner_id):
            raise LiveForbidden
        if held.status != Live.Status.PLAYING and not (held.is_open and held.owner_id == user.pk):
            if client.reads_ended_live_from_status:
                return held
            raise LiveNotActive
        realtime.enter_room(user.pk, held.pk)
        seats.let_in(held, user, key)
        mic_links.greet(held, user.pk)
    return held


@telling()
def quit_live(*, user: User, live: Live) -> None:
    """Goes out. To who is not inside, and for ended rooms, nothing happens (D24). The owner ends it with stop-live."""
    if live.owner_id != user.pk:
        seats.let_out(hold(live.pk), [user.pk])


@telling()
def change_title(*, owner: User, live: Live, title: str) -> Live:
    if live.owner_id != owner.pk:
        raise NotPermitted
    if not Live.objects.open().filter(pk=live.pk).update(title=title):
        raise LiveInvalid
    live.title = title
    publish(TitleChanged(room_id=live.pk, live_id=live.pk, title=title), to=room(live))
    return live


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
    mic_links.end_all(live)
    if words:
        publish(SystemSaid(room_id=live.pk, text=words), to=room(live))
    publish(LiveStopped(room_id=live.pk, live=told_card(live)), to=room(live))
    realtime.close_room(live.pk)
    Live.objects.filter(pk=live.pk).update(
        status=status, ended_at=Now(), paused=False, occupied=0, media_due=Now(), archive_due=Now()
    )
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


@telling()
def part(sender: object, *, user: User, target: User, **_: object) -> None:
    """Listens to `users.signals.blocked`: neither stays in a live of the other (D18)."""
    own = Live.objects.open().filter(owner__in=[user, target]).order_by("pk")
    for live_id, owner_id in own.values_list("pk", "owner_id"):
        seats.throw_out(hold(live_id), target if owner_id == user.pk else user)


@telling()
def ban_live(
    live: Live,
    *,
    kind: Misdeed = Misdeed.OTHER,
    reason: str = "",
    shown: str = "",
    by: User | None = None,
    barred: bool = False,
    until: datetime | None = None,
) -> bool:
    """Operators take a live off the air: owner and viewers are told `shown`, or what the kind says, and are out;
    `reason` is for operators. False where it was over.

    An owner who is `barred` opens no other before `until` (never, where there is none), whether or not this live was
    over; one that they have open meanwhile ends like it.
    """
    shown = shown or f"该直播因{Misdeed(kind).label}已被关闭"
    ended = [pk for pk in _lives_to_ban(live, barred) if end_live(pk, status=Live.Status.BANNED, words=shown)]
    if ended or barred:
        LiveBan.objects.create(
            live=live, owner_id=live.owner_id, by=by, kind=kind, reason=reason, shown=shown, barred=barred, until=until
        )
    return bool(ended)


def _lives_to_ban(live: Live, barred: bool) -> list[int]:
    if not barred:
        return [live.pk]
    User.objects.select_for_update(no_key=True).get(pk=live.owner_id)  # nobody opens one meanwhile
    return list(Live.objects.open().filter(owner=live.owner_id).values_list("pk", flat=True))


def lift_bar(owner: User, *, by: User | None = None) -> bool:
    """The owner may open lives again; False where they may already."""
    return bool(LiveBan.objects.in_force().filter(owner=owner).update(lifted_at=Now(), lifted_by=by))
