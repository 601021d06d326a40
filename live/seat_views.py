"""`live/*`: seats, knocking, inviting and throwing out."""

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import InvalidParameter, KnockedJustNow, LiveInvalid, NotPermitted, SeatsNeeded, UserUnknown
from heihei_site.api.paging import Page
from heihei_site.api.params import Flag, Offset
from heihei_site.api.params import Limit as Many
from heihei_site.api.throttles import Limit
from live import params, selectors, serializers
from live.services import invitations, seats
from users.params import Person
from users.serializers import cards

api = Endpoints("live")


@api.get()
def knock_status(caller: Caller, *, live: params.LiveParam) -> serializers.KnockStatus:
    """Whether one must knock to come in: it is on air, the caller is outside, and every seat is taken or locked.

    `roomUserCount` is how many seats there are, locked ones included, and `roomNowUserCount` how many are taken.
    """
    taken = selectors.seats_taken(live)
    full = live.status == live.Status.PLAYING and taken + live.locked >= live.seats
    return {
        "need_knock": full and not selectors.is_inside(live, caller.person.pk),
        "room_user_count": live.seats,
        "room_now_user_count": taken,
        "live_status": live.status,
    }


@api.post(raises=[NotPermitted, KnockedJustNow, LiveInvalid])
def knock_live_room(caller: Caller, *, live: params.LiveParam) -> Nothing:
    """Asks the owner for a seat; they get `live-knock`. 504 within 60 s of the last time, a phone's retry included.

    From inside nothing happens. 711 for the owner, for who was kicked out, and where either blocks the other. 731 for
    a live that is not on air.
    """
    invitations.knock(user=caller.person, live=live)
    return {}


@api.post(raises=[NotPermitted, SeatsNeeded, LiveInvalid])
def lock_live_seat(caller: Caller, *, live: params.LiveParam, unlock: Flag) -> Nothing:
    """The owner locks one free seat, or unlocks one; the room is told `roomLockedCount`. 0 where none is locked.

    502 where no seat is free, or fewer than two would stay unlocked. Who comes with a `liveKey` may take a locked one.
    """
    change = seats.unlock if unlock else seats.lock
    change(owner=caller.person, live=live)
    return {}


@api.get(key="inviteUsersList", raises=[NotPermitted, LiveInvalid])
def invite_user_list(
    caller: Caller, *, live: params.LiveParam, offset: Offset = 0, limit: Many = settings.INVITE_LIST
) -> serializers.InviteList:
    """For the owner: who knocked and was not invited yet, the latest first; then followers who are connected.

    Nobody who is inside, was kicked out, or with whom there is a block. At most 50.
    """
    if live.owner_id != caller.person.pk:
        raise NotPermitted
    if not live.is_open:
        raise LiveInvalid
    page = Page.of(offset, limit, most=settings.INVITE_LIST)
    people, knocked = selectors.invitable(live, page)
    shown = cards(people, caller.person)
    return {"users": [{**card, "knocked": card["id"] in knocked} for card in shown]}


@api.post(raises=[NotPermitted, InvalidParameter, LiveInvalid, UserUnknown], limits=[Limit(settings.INVITATIONS)])
def invite_user(caller: Caller, *, live: params.LiveParam, user: Person) -> Nothing:
    """The owner invites somebody, who gets `live-invite` with a `liveKey` for join-live. Who was kicked may return.

    Again within 10 s, and of somebody who is inside, nothing happens. 710 where either blocks the other; 731 for a live
    that is not on air.
    """
    invitations.invite(owner=caller.person, live=live, user=user)
    return {}


@api.post(raises=[NotPermitted, LiveInvalid])
def kick_out_user(caller: Caller, *, live: params.LiveParam, user: Person) -> Nothing:
    """Throws somebody out: they get `quit-live`, and 737 from join-live until they are invited. Again: nothing happens.

    For the owner, the managers of this live, and operators. 711 for everybody else; nobody throws out the owner, and no
    manager another.
    """
    seats.kick(by=caller.person, live=live, user=user)
    return {}
