"""Who keeps order in a room, who may not speak there, and what operators say to it (D44).

One mutes only who stands below oneself: viewers, managers, the owner, operators, in this order; nobody mutes the owner.
Everything happens with the live's row held, so that rights and mutes are what they were when it was asked.
"""

from enum import IntEnum

from django.conf import settings
from django.db.models.functions import Now

from heihei_site.api import repeats
from heihei_site.api.errors import InvalidParameter, LiveInvalid, ManagersEnough, NotPermitted, UserUnknown
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from live.events import SystemSaid, ToastShown, UserMuted, UserUnmuted
from live.models import Guest, Live, Member
from live.selectors import is_inside, managers
from live.services import guests
from live.services.audience import hold
from users.models import User
from users.selectors import blocked_between


class _Rank(IntEnum):
    VIEWER = 0
    MANAGER = 1
    OWNER = 2
    OPERATOR = 3


@telling()
def mute(*, moderator: User, live: Live, target: User) -> None:
    """They may not speak here until they are unmuted, wherever they are now. The second time nothing happens."""
    held = _held_by(moderator, live, target)
    if Guest.objects.filter(live=held, user=target, muted_at__isnull=False).exists():
        return
    guests.note(held, target.pk, muted_at=Now())
    _let_them_finish(held, target)
    publish(UserMuted(room_id=held.pk, user_id=target.pk), to=room(held))


@telling()
def unmute(*, moderator: User, live: Live, target: User) -> None:
    """They may speak here again. For who was not muted nothing happens."""
    held = _held_by(moderator, live, target)
    if Guest.objects.filter(live=held, user=target, muted_at__isnull=False).update(muted_at=None):
        publish(UserUnmuted(room_id=held.pk, user_id=target.pk), to=room(held))


def _held_by(moderator: User, live: Live, target: User) -> Live:
    """The open live's row, held, where the one may say whether the other speaks."""
    held = _held_open(live)
    appointed = {person.pk for person in managers(held.pk)}
    rank = _rank(held, moderator, appointed)
    if rank == _Rank.MANAGER and not is_inside(held, moderator.pk):
        rank = _Rank.VIEWER
    if target.pk == held.owner_id or rank <= _rank(held, target, appointed):
        raise NotPermitted
    return held


def _held_open(live: Live) -> Live:
    held = hold(live.pk)
    if not held.is_open:
        raise LiveInvalid
    return held


def _rank(live: Live, user: User, appointed: set[int]) -> _Rank:
    if user.is_staff:
        return _Rank.OPERATOR
    if user.pk == live.owner_id:
        return _Rank.OWNER
    return _Rank.MANAGER if user.pk in appointed else _Rank.VIEWER


def _let_them_finish(live: Live, target: User) -> None:
    """A text on its way holds its sender's place (`talk`): it is shown before the room hears that they are muted."""
    list(Member.objects.filter(live=live, user=target).select_for_update(no_key=True).values_list("pk"))


@telling()
def appoint(*, owner: User, live: Live, target: User) -> None:
    """Makes somebody a manager of this live; not who blocks the owner or is blocked. The second time they are one."""
    held = _held_by_owner(owner, live)
    if target.pk == owner.pk:
        raise InvalidParameter
    if blocked_between(owner.pk, target.pk):
        raise UserUnknown
    appointed = managers(held.pk)
    if target in appointed:
        return
    if len(appointed) >= settings.MOST_MANAGERS:
        raise ManagersEnough
    guests.note(held, target.pk, manager_since=Now())


@telling()
def dismiss(*, owner: User, live: Live, target: User) -> None:
    """For who is no manager nothing happens."""
    held = _held_by_owner(owner, live)
    Guest.objects.filter(live=held, user=target).update(manager_since=None)


def _held_by_owner(owner: User, live: Live) -> Live:
    if live.owner_id != owner.pk:
        raise NotPermitted
    return _held_open(live)


@telling()
def say_as_system(*, operator: User, live: Live, text: str) -> None:
    """A line of the operators, to everybody inside. An identical one within 3 s is the same one."""
    if not operator.is_staff:
        raise NotPermitted
    request = repeats.recognise(operator.pk, "system", live.pk, text)
    held = _held_open(live)
    if request.fresh:
        publish(SystemSaid(room_id=held.pk, text=text), to=room(held))


@telling()
def show_toast(live: Live, *, text: str, seconds: int) -> bool:
    """Over every screen in the room; False where the live is over."""
    held = hold(live.pk)
    if held.is_open:
        publish(ToastShown(room_id=held.pk, text=text, expire_time=seconds), to=room(held))
    return held.is_open
