"""`live/*`: rooms, what happens in them, and the lists they are found in."""

from datetime import datetime

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import (
    AccountAbnormal,
    BroadcastBarred,
    LiveEnded,
    LiveForbidden,
    LiveNotActive,
    MinorRefused,
    Muted,
    NotEnoughGold,
    NotInRoom,
    NotPermitted,
    RoomFull,
    UserUnknown,
)
from heihei_site.api.params import Flag
from live import params, selectors, serializers, sharing
from live.models import Live
from live.services import deadlines, gifts, owners, replays, rooms, talk
from payment import gift_params
from payment.selectors import gift_list
from payment.services.gifts import Combo
from users.selectors import followed_by
from users.serializers import card_for as person_card
from users.serializers import user_card

api = Endpoints("live")

LISTS_EXPIRE = 60  # seconds a phone may keep a list
GIFTS_EXPIRE = 60


@api.post(raises=[BroadcastBarred, MinorRefused])
def create_live(caller: Caller, *, title: params.Title) -> serializers.OpenedLive:
    """Opens a room with status 0; start-live puts it on air. A live that was still open ends first.

    501 for minors and for people whose birthday is not known yet (D19). 721 for who may not broadcast for a while:
    operators' words, and until when.
    """
    live = rooms.create_live(
        owner=caller.person,
        title=title,
        client=caller.client,
        device_type=caller.request.headers.get("deveiceType", "")[:16],
    )
    return serializers.opened_live(live, base_url=caller.base_url)


@api.get()
def unclosed_live(caller: Caller) -> serializers.UnclosedLive:
    """The caller's live that was not closed, as create-live answered it; nothing where there is none."""
    live = selectors.owner_of_open(caller.person.pk)
    if live is None or deadlines.end_overdue_live(live.pk):
        return {}
    opened = serializers.opened_live(live, base_url=caller.base_url)
    return {"live": opened["live"], "share": opened["share"], "live_options": opened["live_options"]}


@api.post(raises=[NotPermitted])
def start_live(caller: Caller, *, live: params.LiveParam) -> Nothing:
    """The sound has arrived: status 1. The second time it already is."""
    rooms.start_live(owner=caller.person, live=live)
    return {}


@api.post(raises=[LiveNotActive, LiveForbidden, RoomFull])
def join_live(caller: Caller, *, live: params.LiveParam, live_key: params.LiveKey = "") -> serializers.JoinedLive:
    """Comes into the room. 505 where every seat is taken or locked; `liveKey`, that of an invitation, opens a full room
    once by taking a locked seat. 737 for who was kicked out, until they are invited, and where either blocks the other.

    Clients up to 1.1 get errorcode 0 for an ended live and read its status (D22).
    """
    live = rooms.join_live(user=caller.person, live=live, client=caller.client, key=live_key)
    return {
        "live": serializers.card_for(live, caller.person, base_url=caller.base_url),
        "share": sharing.cards(live, caller.base_url, caller.person.pk),
        # Who came in is not blocked.
        "user_info": user_card(live.owner, followed=live.owner_id in followed_by(caller.person.pk, [live.owner_id])),
    }


@api.get(raises=[NotInRoom])
def get_live(caller: Caller, *, live: params.LiveParam) -> serializers.LiveAndOwner:
    """A live and its owner, ended ones too. 506 for clients from 1.5 on that look at a running one from outside.

    Who asks for one with a recording opens its replay, and is in list-replay-users from then on.
    """
    me = caller.person
    looks_in = live.status == Live.Status.PLAYING and live.owner_id != me.pk
    if looks_in and caller.client.must_be_inside_to_get_live and not selectors.is_inside(live, me.pk):
        raise NotInRoom
    replays.opened(viewer=me, live=live)
    return {
        "live": serializers.live_card(live, base_url=caller.base_url),
        "user_info": person_card(caller, live.owner),
    }


@api.post(raises=[NotPermitted, LiveNotActive, NotInRoom])
def heart_beat(caller: Caller, *, live: params.LiveParam, is_creator: Flag) -> serializers.Beat:
    """Renews the caller's place: 45 s for viewers, 90 s for the owner, whose beats count from creation on (D21)."""
    deadlines.beat(user=caller.person, live=live, as_owner=is_creator)
    return {"live_id": live.pk, "next_timeout": settings.HEART_BEAT_SECONDS}


@api.get(raises=[NotInRoom, UserUnknown])
def list_live_users(
    caller: Caller,
    *,
    live: params.LiveParam,
    last_join_time: params.JoinTime = None,
    direction: params.Direction = 0,
) -> serializers.Audience:
    """Who is in the room, newest first; `direction` 1 pages to those who came before `lastJoinTime` (seconds).

    `confStatus` is there where something is under way between that person and the owner, as the owner's button has it:
    2 invited, 3 at the microphone, 4 asks for it; `expireTime` is the seconds left of 2 and 4. In a large room the
    owner's first page begins with these people.
    """
    if not selectors.is_inside(live, caller.person.pk):
        raise NotInRoom
    before: datetime | None = last_join_time if direction == 1 else None
    page = selectors.audience(live, before=before, microphone_first=live.owner_id == caller.person.pk)
    followed = followed_by(caller.person.pk, [member.user_id for member in page])
    return {
        "users": [serializers.viewer(member, followed) for member in page],
        "total_count": live.occupied,
        "room_seat_count": live.seats,
        "room_locked_count": live.locked,
        "expire_time": LISTS_EXPIRE,
    }


@api.post()
def quit_live(caller: Caller, *, live: params.AnyLiveParam | None = None) -> Nothing:
    """Leaves the room. For strangers, the second time, and for ended rooms nothing happens (D24)."""
    if live is not None:
        rooms.quit_live(user=caller.person, live=live)
    return {}


@api.post(raises=[NotPermitted])
def stop_live(caller: Caller, *, live: params.AnyLiveParam | None = None) -> serializers.StoppedLive:
    """The owner ends the live; everybody is told. For strangers and the second time nothing happens (D24)."""
    if live is None:
        return {}
    if live.owner_id == caller.person.pk:
        rooms.end_live(live.pk)
        live.refresh_from_db(fields=["status", "ended_at", "occupied"])
    elif live.status in Live.GONE:
        return {}
    return {
        "live": serializers.live_card(live, base_url=caller.base_url),
        "share": sharing.cards(live, caller.base_url, caller.person.pk),
    }


@api.post(raises=[NotPermitted])
def change_live(caller: Caller, *, live: params.LiveParam, title: params.Title) -> serializers.LiveAnswer:
    """Changes the title; the room is told."""
    changed = rooms.change_title(owner=caller.person, live=live, title=title)
    return {"live": serializers.live_card(changed, base_url=caller.base_url)}


@api.post(raises=[NotPermitted, LiveEnded])
def pause_live(caller: Caller, *, live: params.LiveParam) -> Nothing:
    """The owner's app went to the background: the room is told `pause-live`, once. 735 for ended lives.

    No status changes, and heart-beats go on: without them the live ends.
    """
    owners.pause(owner=caller.person, live=live, paused=True)
    return {}


@api.post(raises=[NotPermitted, LiveEnded])
def continue_live(caller: Caller, *, live: params.LiveParam) -> Nothing:
    """The owner's app is back: the room is told `goon-live`, once. 735 for ended lives."""
    owners.pause(owner=caller.person, live=live, paused=False)
    return {}


@api.post()
def share_live(caller: Caller, *, live: params.LiveParam) -> serializers.ShareAnswer:
    """Share cards for weibo, wechat and friend, of ended lives too."""
    return {"share": sharing.cards(live, caller.base_url, caller.person.pk)}


@api.post(raises=[NotInRoom])
def live_like(caller: Caller, *, live: params.LiveParam, type: params.LikeKind) -> Nothing:
    """Lights the room up: 1 first, 2 again, 3 with all one's might. Counted always, shown at most 5 a second a room."""
    talk.like(user=caller.person, live=live, kind=type)
    return {}


@api.post(raises=[NotInRoom, AccountAbnormal, NotEnoughGold, UserUnknown])
def buy_gift(
    caller: Caller,
    *,
    live: params.AnyLiveParam,
    gift: gift_params.GiftParam,
    amount: gift_params.Count = 1,
    gift_uuid: gift_params.ComboKey = "",
) -> serializers.GoldLeft:
    """Gives the owner one gift. The same (gift_uuid, amount) is charged once, however often it is sent (D26).

    `amount` is the combo counter: shown, not multiplied. `gold` is what the caller has left.
    """
    combo = Combo(uuid=gift_uuid, count=amount)
    return {"gold": gifts.send_gift(sender=caller.person, live=live, gift=gift, combo=combo)}


@api.post(raises=[NotInRoom, AccountAbnormal, Muted, NotEnoughGold])
def buy_bullet(caller: Caller, *, live: params.AnyLiveParam, message: params.Message) -> serializers.GoldLeft:
    """A paid text across every screen. An identical one within 3 s is the same one: charged and shown once.

    Blocked words are shown as stars to everybody, the sender included. 722 for who is muted: nothing is charged.
    """
    return {"gold": gifts.send_bullet(sender=caller.person, live=live, text=message)}


@api.get()
def gift_info(caller: Caller) -> serializers.GiftCatalogue:
    """The gifts one can give. The 1.1 app shows them ten a page and drops an incomplete one (D28)."""
    return {"gifts": gift_list(caller.base_url), "expire_time": GIFTS_EXPIRE}
