"""`live/*-conference`: a viewer at the microphone beside the owner's (D25)."""

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import AlreadyConnected, ConnectionFailed, Muted, NotInRoom, StateWrong, TooLate
from heihei_site.api.params import Id
from heihei_site.api.throttles import Limit
from live import params, serializers
from live.events import MicChanged
from live.models import MicLink
from live.services import mic_links, mic_rooms

api = Endpoints("live")


@api.post(raises=[NotInRoom, Muted, StateWrong], limits=[Limit(settings.MIC_CALLS)])
def call_request(caller: Caller, *, live: params.LiveParam, user_id: Id | None = None) -> serializers.MicAsked:
    """Asks for a link by microphone: a viewer the owner, or the owner the viewer whose `userId` is sent (a viewer's is
    not read).

    The other side has `expireTime` seconds to answer with accept-conference or refuse-conference. The owner sees a
    request in `list-live-users` (`confStatus` 4), a viewer gets `conference-notify`. Who asks somebody that has asked
    them accepts: `expireTime` is 0 and both get `join-conference`. 742 while somebody else is at the microphone, and
    for a viewer who is not there.
    """
    if caller.person.pk == live.owner_id:
        seconds = mic_links.invite(owner=caller.person, live=live, user_id=user_id)
    else:
        seconds = mic_links.request(user=caller.person, live=live)
    return {"expire_time": seconds}


@api.post(raises=[TooLate, AlreadyConnected, StateWrong])
def accept_conference(caller: Caller, *, live: params.LiveParam, user_id: Id | None = None) -> serializers.MicAsked:
    """Accepts: the owner the request of the viewer `userId`, a viewer the owner's invitation. Both get
    `join-conference` and are to call it within `expireTime` seconds.

    409 where it is not asked any more, or somebody else has got the microphone meanwhile; 739 for an owner who is
    linked with somebody else; 742 where the other side never asked.
    """
    mic_links.accept(by=caller.person, live=live, user_id=user_id)
    return {"expire_time": settings.MIC_JOIN_SECONDS}


@api.post(raises=[StateWrong])
def refuse_conference(caller: Caller, *, live: params.LiveParam, user_id: Id) -> Nothing:
    """Says no, or takes back what one asked oneself: the owner about the viewer `userId`, a viewer about the owner.

    742 where nothing was ever asked, and for what both have agreed on: quit-conference ends that.
    """
    mic_links.refuse(by=caller.person, live=live, user_id=user_id)
    return {}


@api.post(raises=[StateWrong, ConnectionFailed])
def join_conference(caller: Caller, *, live: params.LiveParam) -> serializers.MicJoined:
    """What the RTC SDK needs to enter, after action `join-conference`; and again whenever the connection breaks or the
    token's `expireTime` (seconds of the epoch) has passed.

    When both have called it the room is told status 0. From the first call on both have 6 s to be heard and say so
    with conference-success. 750 where the link is over or somebody else's: leave it at that; 742 while it is not
    agreed on.
    """
    link = mic_links.join(by=caller.person, live=live)
    entry = mic_rooms.entry(link, caller.person.pk)
    return {
        "token": {"room_name": entry.room, "room_token": entry.token, "expire_time": entry.expires},
        "expire_time": entry.expires,
        "conf_status": _status(link),
    }


@api.post(raises=[StateWrong, ConnectionFailed])
def conference_success(caller: Caller, *, live: params.LiveParam) -> serializers.MicHeard:
    """The caller's sound arrives. Once both have said so the room is told status 1.

    750 where the link is over, 742 before join-conference.
    """
    return {"conf_status": _status(mic_links.succeed(by=caller.person, live=live))}


@api.post(raises=[StateWrong])
def quit_conference(caller: Caller, *, live: params.AnyLiveParam) -> Nothing:
    """Hangs up, or takes back a request. The other one gets `stop-conference`, the room status 2.

    The second time, and after it ended by itself, nothing happens; 742 where there never was anything.
    """
    mic_links.hang_up(by=caller.person, live=live)
    return {}


def _status(link: MicLink) -> serializers.ConferenceStatus:
    return {
        "msg_type": MicChanged.msg_type,
        "action": MicChanged.action,
        "comment": MicChanged.comment,
        **serializers.conference(link),
    }
