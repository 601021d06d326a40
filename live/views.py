"""`live/*`: rooms, what happens in them, and the lists they are found in."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import (
    AccountAbnormal,
    LiveEnded,
    LiveForbidden,
    LiveNotActive,
    MinorRefused,
    NotEnoughGold,
    NotInRoom,
    NotPermitted,
    UserUnknown,
)
from heihei_site.api.paging import Page
from heihei_site.api.params import Flag, Limit, Offset
from live import params, selectors, serializers, sharing
from live.models import Live
from live.services import gifts, rooms, talk
from payment.selectors import gift_list
from payment.services.gifts import Combo
from users.params import Person
from users.selectors import blocked_between, followed_by
from users.serializers import card_for as person_card
from users.serializers import user_card

api = Endpoints("live")

LISTS_EXPIRE = 60  # seconds a phone may keep a list
LIVES_OF_USER_EXPIRE = 120
GIFTS_EXPIRE = 60
MOST_LIVES = 50
MOST_OF_USER = 20


@api.post(raises=[MinorRefused])
def create_live(caller: Caller, *, title: params.Title) -> serializers.OpenedLive:
    """Opens a room with status 0; start-live puts it on air. A live that was still open ends first.

    501 for minors and for people whose birthday is not known yet (D19).
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
    if live is None or rooms.end_overdue_live(live.pk):
        return {}
    opened = serializers.opened_live(live, base_url=caller.base_url)
    return {"live": opened["live"], "share": opened["share"], "live_options": opened["live_options"]}


@api.post(raises=[NotPermitted])
def start_live(caller: Caller, *, live: params.LiveParam) -> Nothing:
    """The sound has arrived: status 1. The second time it already is."""
    rooms.start_live(owner=caller.person, live=live)
    return {}


@api.post(raises=[LiveNotActive, LiveForbidden])
def join_live(caller: Caller, *, live: params.LiveParam) -> serializers.JoinedLive:
    """Comes into the room. Clients up to 1.1 get errorcode 0 for an ended live and read its status (D22)."""
    rooms.join_live(user=caller.person, live=live, client=caller.client)
    live.refresh_from_db(fields=["status", "occupied", "total_users"])
    return {
        "live": serializers.card_for(live, caller.person, base_url=caller.base_url),
        "share": sharing.cards(live, caller.base_url, caller.person.pk),
        # Who came in is not blocked.
        "user_info": user_card(live.owner, followed=live.owner_id in followed_by(caller.person.pk, [live.owner_id])),
    }


@api.get(raises=[NotInRoom])
def get_live(caller: Caller, *, live: params.LiveParam) -> serializers.LiveAndOwner:
    """A live and its owner, ended ones too. 506 for clients from 1.5 on that look at a running one from outside."""
    me = caller.person
    looks_in = live.status == Live.Status.PLAYING and live.owner_id != me.pk
    if looks_in and caller.client.must_be_inside_to_get_live and not selectors.is_inside(live, me.pk):
        raise NotInRoom
    return {
        "live": serializers.live_card(live, base_url=caller.base_url),
        "user_info": person_card(caller, live.owner),
    }


@api.post(raises=[NotPermitted, LiveNotActive, NotInRoom])
def heart_beat(caller: Caller, *, live: params.LiveParam, is_creator: Flag) -> serializers.Beat:
    """Renews the caller's place: 45 s for viewers, 90 s for the owner, whose beats count from creation on (D21)."""
    rooms.beat(user=caller.person, live=live, as_owner=is_creator)
    return {"live_id": live.pk, "next_timeout": settings.HEART_BEAT_SECONDS}


@api.get(raises=[NotInRoom, UserUnknown])
def list_live_users(
    caller: Caller,
    *,
    live: params.LiveParam,
    last_join_time: params.JoinTime = None,
    direction: params.Direction = 0,
) -> serializers.Audience:
    """Who is in the room, newest first; `direction` 1 pages to those who came before `lastJoinTime` (seconds)."""
    if not selectors.is_inside(live, caller.person.pk):
        raise NotInRoom
    before: datetime | None = last_join_time if direction == 1 else None
    page = selectors.audience(live, before=before)
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
    """The owner's app went to the background. 735 for ended lives."""
    rooms.pause(owner=caller.person, live=live, paused=True)
    return {}


@api.post(raises=[NotPermitted, LiveEnded])
def continue_live(caller: Caller, *, live: params.LiveParam) -> Nothing:
    """The owner's app is back."""
    rooms.pause(owner=caller.person, live=live, paused=False)
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
    live: params.LiveParam,
    gift: params.GiftParam,
    amount: params.Count = 1,
    gift_uuid: params.ComboKey = "",
) -> serializers.GoldLeft:
    """Gives the owner one gift. The same (gift_uuid, amount) is charged once, however often it is sent (D26).

    `amount` is the combo counter: shown, not multiplied. `gold` is what the caller has left.
    """
    combo = Combo(uuid=gift_uuid, count=amount)
    return {"gold": gifts.send_gift(sender=caller.person, live=live, gift=gift, combo=combo)}


@api.post(raises=[NotInRoom, AccountAbnormal, NotEnoughGold])
def buy_bullet(caller: Caller, *, live: params.LiveParam, message: params.Message) -> serializers.GoldLeft:
    """A paid text across every screen. An identical one within 3 s is the same one: charged and shown once."""
    return {"gold": gifts.send_bullet(sender=caller.person, live=live, text=message)}


@api.get()
def gift_info(caller: Caller) -> serializers.GiftCatalogue:
    """The gifts one can give. The 1.1 app shows them ten a page and drops an incomplete one (D28)."""
    return {"gifts": gift_list(caller.base_url), "expire_time": GIFTS_EXPIRE}


@api.get()
def list_live_by_recommend(caller: Caller, *, offset: Offset = 0, limit: Limit = MOST_LIVES) -> serializers.Recommended:
    """Lives on air, recommended ones first, then the newest; and replays. Nobody's who blocks or is blocked."""
    me = caller.person.pk
    page = Page.of(offset, limit, most=MOST_LIVES)
    on_air, replays = selectors.recommended(me, page)
    followed = followed_by(me, {live.owner_id for live in (*on_air, *replays)})
    return {
        "lives": _cards(caller, on_air, followed),
        "replays": _cards(caller, replays, followed),
        "expire_time": LISTS_EXPIRE,
    }


@api.get()
def list_live_by_user(
    caller: Caller, *, user: Person | None = None, offset: Offset = 0, limit: Limit = 10
) -> serializers.LivesOfUser:
    """A person's lives, newest first, the caller's own without `userId`. 710 where either blocks the other."""
    me = caller.person
    person = user or me
    if person != me and blocked_between(me.pk, person.pk):
        raise UserUnknown
    page = Page.of(offset, limit, most=MOST_OF_USER)
    followed = followed_by(me.pk, [person.pk])
    lives = (
        Live.objects.listed_for(me.pk)
        .filter(owner=person, started_at__isnull=False)
        .select_related("owner")
        .order_by("-created_at", "-pk")[page.start : page.stop]
    )
    return {
        "lives": _cards(caller, lives, followed),
        "total_count": person.live_count,
        "is_followed": person.pk in followed,
        "expire_time": LIVES_OF_USER_EXPIRE,
    }


def _cards(caller: Caller, lives: Iterable[Live], followed: set[int]) -> list[serializers.LiveCard]:
    cards = []
    for live in lives:
        card = serializers.live_card(live, base_url=caller.base_url)
        card["is_followed"] = live.owner_id in followed
        cards.append(card)
    return cards
