"""Seats: taken, given back and locked (D23). Whoever changes them holds the live's row, so that the last seat has one
winner; the constraints of the table would refuse anything else.
"""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from heihei_site.api.clients import Client
from heihei_site.api.errors import LiveForbidden, LiveInvalid, NotPermitted, RoomFull, SeatsNeeded
from heihei_site.console.tunables import tunables
from heihei_site.postgres.compiled import Compiled, Given
from heihei_site.realtime import publish as realtime
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from live.events import KickedOut
from live.models import LEAST_UNLOCKED, Guest, Live, Member, SeatAllowance
from live.selectors import guest, is_manager, may_moderate
from live.services import guests, mic_links
from live.services.audience import hold, tell_audience
from users.models import User


def allowed(owner: User, client: Client) -> int:
    """How many a live of this owner opens with: what operators have said, else what their client can show (D23)."""
    for allowance in _allowances(owner.pk):
        return allowance.seats
    return tunables.AUDIENCE_SEATS if client.opens_audience else tunables.TEAM_SEATS


@Compiled
def _allowances(owner_id: Given) -> QuerySet[SeatAllowance]:
    return SeatAllowance.objects.filter(owner_id=owner_id)


def let_in(live: Live, user: User, key: str = "") -> None:
    """Gives them a seat, or renews the lease of the one they have, in a live whose row is held.

    Refuses with LiveForbidden who was kicked out, and with RoomFull where no seat is free and `key` opens none.
    """
    lease = Now() + (settings.OWNER_LEASE if live.owner_id == user.pk else settings.VIEWER_LEASE)
    membership = Member.objects.filter(live=live, user=user)
    member = membership.first()
    if member is not None and member.left_at is None:
        if not membership.inside().update(lease_until=lease):
            # Nobody has counted them out, so the seat is theirs again; the microphone is not.
            membership.update(lease_until=lease)
            mic_links.let_go(live, [user.pk])
            tell_audience(live)
        return
    said = guest(live.pk, user.pk)
    if said is not None and said.kicked_at is not None:
        raise LiveForbidden
    _take_seat(live, said, key)
    if member is None:
        Member.objects.create(live=live, user=user, lease_until=lease)
        live.total_users += 1
    else:
        membership.update(left_at=None, joined_at=Now(), lease_until=lease)
    live.occupied += 1
    tell_audience(live)


def _take_seat(live: Live, said: Guest | None, key: str) -> None:
    """A free seat; where there is none, one of somebody who fell silent, else with the right key a locked one."""
    invited = said if said is not None and key and said.live_key == key else None
    if not live.free_seats:
        let_out_lapsed(live)
    if not live.free_seats:
        if invited is None or not live.locked:
            raise RoomFull
        live.locked -= 1
    if invited is not None:
        guests.note(live, invited.user_id, live_key="")


def let_out(live: Live, people: Sequence[int]) -> int:
    """Every way out of a room that goes on, for whatever reason; its row is held. Returns how many were inside."""
    gone = Member.objects.filter(live=live, user_id__in=people, left_at=None).update(left_at=Now())
    if gone:
        live.occupied -= gone
        mic_links.let_go(live, people)
        tell_audience(live)
    for user_id in people:
        realtime.leave_room(user_id, live.pk)
    return gone


def let_out_lapsed(live: Live) -> int:
    """Counts out the viewers whose leases have run out; the live's row is held. Returns how many."""
    lapsed = Member.objects.lapsed().filter(live=live).exclude(user_id=live.owner_id)
    people = list(lapsed.select_for_update(no_key=True).values_list("user_id", flat=True))
    return let_out(live, people) if people else 0


@telling()
def lock(*, owner: User, live: Live) -> None:
    """One seat is for who is invited. Only a free one can be locked, and two stay unlocked: else SeatsNeeded."""
    held = _held_by_owner(live, owner)
    if not held.free_seats:
        let_out_lapsed(held)
    if not held.free_seats or held.seats - held.locked <= LEAST_UNLOCKED:
        raise SeatsNeeded
    held.locked += 1
    tell_audience(held)


@telling()
def unlock(*, owner: User, live: Live) -> None:
    """Where none is locked nothing happens."""
    held = _held_by_owner(live, owner)
    if held.locked:
        held.locked -= 1
        tell_audience(held)


def _held_by_owner(live: Live, owner: User) -> Live:
    if live.owner_id != owner.pk:
        raise NotPermitted
    held = hold(live.pk)
    if not held.is_open:
        raise LiveInvalid
    return held


@telling()
def kick(*, by: User, live: Live, user: User) -> None:
    """Out at once, and not in again until invited. The second time, and of who is outside, only the latter.

    A manager cannot throw out another; who was thrown out is no manager any more, and their invitation is void.
    """
    if user.pk == live.owner_id or not may_moderate(live, by):
        raise NotPermitted
    held = hold(live.pk)
    if not held.is_open:
        raise LiveInvalid
    if by.pk != live.owner_id and not by.is_staff and is_manager(live.pk, user.pk):
        raise NotPermitted
    guests.note(held, user.pk, kicked_at=Now(), live_key="", manager_since=None)
    throw_out(held, user)


def throw_out(live: Live, user: User) -> None:
    """Lets them out of a live whose row is held, and their phone know it, if they are inside."""
    if let_out(live, [user.pk]):
        publish(KickedOut(live_id=live.pk), to=person(user))


@telling()
def resize(live_id: int, seats: int) -> bool:
    """Operators give a room more seats or fewer. False, and nothing happens, where more are taken or locked, and in a
    live that is over."""
    live = hold(live_id)
    if not live.is_open:
        return False
    if seats < live.occupied + live.locked:
        let_out_lapsed(live)
    if seats < max(live.occupied, LEAST_UNLOCKED) + live.locked:
        return False
    live.seats = seats
    tell_audience(live)
    return True
