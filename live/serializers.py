"""What phones are told about lives: the superset of all generations' keys (D1)."""

from typing import Any, NotRequired, TypedDict

from django.core.files.storage import storages

from heihei_site.api import addresses
from heihei_site.api.share_cards import Share
from heihei_site.api.wire import clock
from heihei_site.providers import registry
from live import sharing
from live.models import Live, Member, MicLink
from live.selectors import whole_seconds
from payment.serializers import GiftInfo
from users.activity import Button
from users.models import User
from users.serializers import Honour, UserCard

LIVE_EXPIRE = 10  # seconds a phone may keep get-live's answer
INEFFICIENT_TIME = 1200  # seconds without a sign of the owner before the phone asks
COUNT_DOWN_TIME = 60  # seconds it waits for the answer
WAITING, CONNECTED, DISCONNECTED = 0, 1, 2  # `status` of conference-status
MIC_BUTTONS: dict[int, int] = {
    MicLink.State.REQUESTED: Button.ANSWER,
    MicLink.State.INVITED: Button.WAIT,
    **dict.fromkeys(MicLink.LINKED, Button.HANG_UP),
}


class LiveCard(TypedDict):
    live_id: int
    room_id: int
    status: int
    title: str
    user_id: int
    user_name: str
    cover_url: str
    gender: str
    birth_day: str
    honours: list[Honour]
    stream_addr: str
    hls_addr: str
    push_addr: str
    share_addr: str
    lookback_addr: str
    message_addr: str
    slot: str
    visible: int
    recommended: int
    device_type: str
    address: str
    live_city: str
    create_time: str
    start_time: str
    end_time: str
    length: int
    online_users: int
    total_users: int
    total_tickets: int
    live_total_ticket: int
    room_user_count: int
    room_now_user_count: int
    expire_time: int
    is_followed: NotRequired[bool]
    qiniu_obj: NotRequired[dict[str, Any]]


class LiveOptions(TypedDict):
    inefficient_time: int
    count_down_time: int
    alert_title: str
    alert_content: str
    help_link: str


class OpenedLive(TypedDict):
    live: LiveCard
    share: Share
    live_options: LiveOptions


class UnclosedLive(TypedDict):
    """The same as create-live's answer, or nothing."""

    live: NotRequired[LiveCard]
    share: NotRequired[Share]
    live_options: NotRequired[LiveOptions]


class JoinedLive(TypedDict):
    live: LiveCard
    share: Share
    user_info: UserCard


class LiveAnswer(TypedDict):
    live: LiveCard


class LiveAndOwner(TypedDict):
    live: LiveCard
    user_info: UserCard


class StoppedLive(TypedDict):
    live: NotRequired[LiveCard]
    share: NotRequired[Share]


class ShareAnswer(TypedDict):
    share: Share


class Beat(TypedDict):
    live_id: int
    next_timeout: int


class Viewer(TypedDict):
    id: int
    display_name: str
    cover_url: str
    gender: str
    birth_day: str
    level: int
    join_time: int
    is_followed: NotRequired[bool]
    conf_status: NotRequired[int]  # what is under way between them and the owner, as the owner's button has it
    expire_time: NotRequired[int]


class Conference(TypedDict):
    """`status`: 0 waiting, 1 connected, 2 disconnected; the rest is the viewer."""

    live_id: int
    status: int
    from_user_id: int
    from_user_name: str
    gender: str
    birth_day: str
    cover_url: str


class ConferenceStatus(Conference):
    """As the room is told."""

    msg_type: str
    action: str
    comment: str


class RtcEntry(TypedDict):
    room_name: str
    room_token: str
    expire_time: int


class MicAsked(TypedDict):
    expire_time: int


class MicJoined(TypedDict):
    token: RtcEntry
    expire_time: int
    conf_status: ConferenceStatus


class MicHeard(TypedDict):
    conf_status: ConferenceStatus


class Audience(TypedDict):
    users: list[Viewer]
    total_count: int
    room_seat_count: int
    room_locked_count: int
    expire_time: int


class KnockStatus(TypedDict):
    need_knock: bool
    room_user_count: int
    room_now_user_count: int
    live_status: int


class Invitable(UserCard):
    knocked: bool


class InviteList(TypedDict):
    users: list[Invitable]


class Feed(TypedDict):
    lives: list[LiveCard]
    replays: list[LiveCard]
    expire_time: int


class LivesOfUser(TypedDict):
    lives: list[LiveCard]
    total_count: int
    is_followed: bool
    expire_time: int


class GiftCatalogue(TypedDict):
    gifts: list[GiftInfo]
    expire_time: int


class GoldLeft(TypedDict):
    gold: int


def archive_address(live: Live) -> str:
    """Where what was said is fetched from (live/downloads.py, unless the storage has an address of its own)."""
    return storages["archives"].url(live.archive) if live.archive and live.status == Live.Status.STOPPED else ""


def live_card(live: Live, *, base_url: str) -> LiveCard:
    """A live with its owner loaded. Only the owner gets the addresses to publish to (D29)."""
    streaming = registry.streaming()
    owner = live.owner
    lasted = (live.ended_at - live.started_at).total_seconds() if live.ended_at and live.started_at else 0
    card: LiveCard = {
        "live_id": live.pk,
        "room_id": live.pk,
        "status": live.status,
        "title": live.title,
        "user_id": owner.pk,
        "user_name": owner.display_name,
        "cover_url": owner.cover_url,
        "gender": owner.gender,
        "birth_day": owner.birth_day,
        "honours": [],
        "stream_addr": streaming.play_address(live.stream),
        "hls_addr": streaming.hls_address(live.stream),
        "push_addr": "",
        "share_addr": sharing.address(live, base_url),
        "lookback_addr": live.lookback_addr,
        "message_addr": archive_address(live),
        "slot": live.stream,
        "visible": int(live.visible),
        "recommended": int(live.recommended),
        "device_type": live.device_type,
        "address": live.address,
        "live_city": live.address,
        "create_time": clock(live.created_at),
        "start_time": clock(live.started_at),
        "end_time": clock(live.ended_at),
        "length": int(lasted),
        "online_users": live.occupied,
        "total_users": live.total_users,
        "total_tickets": owner.points_earned,
        "live_total_ticket": live.total_tickets,
        "room_user_count": live.seats,
        "room_now_user_count": live.occupied,
        "expire_time": LIVE_EXPIRE,
    }
    return card


def owners_card(live: Live, *, base_url: str) -> LiveCard:
    """The card with what the owner's app needs to send sound (android_client.md 5.9): complete, or it crashes."""
    streaming = registry.streaming()
    card = live_card(live, base_url=base_url)
    card["push_addr"] = streaming.push_address(live.stream)
    card["qiniu_obj"] = streaming.publish_details(live.stream)
    return card


def card_for(live: Live, viewer: User, *, base_url: str) -> LiveCard:
    if live.owner_id == viewer.pk and live.is_open:
        return owners_card(live, base_url=base_url)
    return live_card(live, base_url=base_url)


def opened_live(live: Live, *, base_url: str) -> OpenedLive:
    return {
        "live": owners_card(live, base_url=base_url),
        "share": sharing.cards(live, base_url, live.owner_id),
        "live_options": {
            "inefficient_time": INEFFICIENT_TIME,
            "count_down_time": COUNT_DOWN_TIME,
            "alert_title": "队长，你在吗？",
            "alert_content": "60秒内不点击‘在的’按钮将结束此次组队",
            "help_link": f"{base_url}/",
        },
    }


def told_card(live: Live) -> LiveCard:
    """The live as a message carries it: the same for everybody, addresses from PUBLIC_URL (D41)."""
    return live_card(live, base_url=addresses.public_url())


def viewer(member: Member, followed: set[int] | None = None) -> Viewer:
    user = member.user
    card: Viewer = {
        "id": user.pk,
        "display_name": user.display_name,
        "cover_url": user.cover_url,
        "gender": user.gender,
        "birth_day": user.birth_day,
        "level": user.level,
        "join_time": int(member.joined_at.timestamp()),
    }
    if followed is not None:
        card["is_followed"] = user.pk in followed
    if member.mic_state is not None:
        card["conf_status"] = MIC_BUTTONS[member.mic_state]
        card["expire_time"] = whole_seconds(member.mic_left) if member.mic_state in MicLink.ASKED else 0
    return card


def conference(link: MicLink, *, ended: bool = False) -> Conference:
    """Who is on the way to the microphone, there, or off it; the link's person loaded."""
    user = link.user
    running = CONNECTED if link.state == MicLink.State.CONNECTED else WAITING
    return {
        "live_id": link.live_id,
        "status": DISCONNECTED if ended else running,
        "from_user_id": user.pk,
        "from_user_name": user.display_name,
        "gender": user.gender,
        "birth_day": user.birth_day,
        "cover_url": user.cover_url,
    }
