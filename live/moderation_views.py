"""`live/*`: keeping order in a room. Managers are people whom the owner appoints, for this live."""

from typing import TypedDict

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import LiveInvalid, ManagersEnough, NotInRoom, NotPermitted, UserUnknown
from live import params, selectors
from live.models import Live
from live.services import moderation
from users.params import Person
from users.selectors import relation
from users.serializers import UserCard, cards, user_card

api = Endpoints("live")

YES, NO = 1, 2  # of `isshutup`


class MutedAnswer(TypedDict):
    isshutup: int


class GuestCard(UserCard):
    """A person's card as it is looked at in a room."""

    isshutup: int
    is_manager: bool
    conf_status: int
    expire_time: int


class GuestAnswer(TypedDict):
    user: GuestCard


class Managers(TypedDict):
    users: list[UserCard]


@api.post(path="shutupuser", key="shutupUser", raises=[NotPermitted, LiveInvalid])
def shutup_user(caller: Caller, *, user: Person, live: params.LiveParam | None = None) -> Nothing:
    """Mutes a person in a live: their texts, bullets and requests for the microphone get 722 until shutupopen, now and
    when they come in later. The room is told; the second time nothing happens.

    For the owner, managers who are inside, and operators; 711 for others, and for muting the owner, an operator, or as
    a manager another one. Without `liveId`, the caller's own open live, 731 where there is none.
    """
    moderation.mute(moderator=caller.person, live=_meant(caller, live), target=user)
    return {}


@api.post(path="shutupopen", key="shutupOpen", raises=[NotPermitted, LiveInvalid])
def shutup_open(caller: Caller, *, user: Person, live: params.LiveParam | None = None) -> Nothing:
    """Takes back a shutupuser, by whoever may mute that person. For who is not muted nothing happens."""
    moderation.unmute(moderator=caller.person, live=_meant(caller, live), target=user)
    return {}


@api.get(raises=[NotPermitted, LiveInvalid])
def isshutup(caller: Caller, *, user: Person, live: params.LiveParam | None = None) -> MutedAnswer:
    """1 for who is muted in the live, 2 for who is not. For who may mute, and for oneself; 711 for others."""
    meant = _meant(caller, live)
    if user != caller.person and not selectors.may_moderate(meant, caller.person):
        raise NotPermitted
    return {"isshutup": YES if selectors.is_muted(meant.pk, user.pk) else NO}


def _meant(caller: Caller, live: Live | None) -> Live:
    """The 1.1 app sends an empty `liveId` for a card that was opened outside of a live: its owner means their own."""
    meant = live or selectors.owner_of_open(caller.person.pk)
    if meant is None:
        raise LiveInvalid
    return meant


@api.post(raises=[NotPermitted, ManagersEnough, LiveInvalid])
def livemgr(caller: Caller, *, live: params.LiveParam, user: Person, type: params.ManagerDeed) -> Nothing:
    """The owner appoints (`type` 1) or dismisses (0) a manager of this live, inside or not; the second time nothing
    happens. 400 for a sixth one, 700 for the owner as their own, 710 where either blocks the other.
    """
    deed = moderation.appoint if type else moderation.dismiss
    deed(owner=caller.person, live=live, target=user)
    return {}


@api.get(raises=[NotInRoom, LiveInvalid])
def getmgruser(caller: Caller, *, live: params.LiveParam) -> Managers:
    """The managers, first appointed first. 506 from outside, but for the owner and operators; 731 for ended lives."""
    _look_in(caller, live)
    return {"users": cards(selectors.managers(live.pk), caller.person)}


@api.get(raises=[NotInRoom, UserUnknown, LiveInvalid])
def getuser(caller: Caller, *, live: params.LiveParam, user: Person) -> GuestAnswer:
    """A person's card with how they stand in this room, wherever they are: `isshutup` 1 or 2, `isManager`, and the
    caller's microphone button: `confStatus` as in user/info, with `expireTime` in seconds; 0 where there is none.

    506 from outside, but for the owner and operators; 710 where they have blocked the caller, but for who keeps order
    here; 731 for ended lives.
    """
    _look_in(caller, live)
    me = caller.person
    stands = relation(me.pk, user.pk)
    if stands.is_blocked and not selectors.may_moderate(live, me):
        raise UserUnknown
    said = selectors.guest(live.pk, user.pk)
    button = selectors.conf_status(live, me, user)
    return {
        "user": {
            **user_card(user, followed=stands.follows, blocked=stands.blocked),
            "isshutup": YES if said and said.muted_at else NO,
            "is_manager": bool(said and said.manager_since),
            "conf_status": button.kind if button else 0,
            "expire_time": button.seconds if button else 0,
        }
    }


def _look_in(caller: Caller, live: Live) -> None:
    if not live.is_open:
        raise LiveInvalid
    me = caller.person
    if me.pk != live.owner_id and not me.is_staff and not selectors.is_inside(live, me.pk):
        raise NotInRoom


@api.post(raises=[NotPermitted, LiveInvalid])
def systemnotify(caller: Caller, *, live: params.LiveParam, text: params.Message) -> Nothing:
    """Operators say a line to everybody inside, as message `system`. 711 for everybody else. An identical one within
    3 s is the same one."""
    moderation.say_as_system(operator=caller.person, live=live, text=text)
    return {}
