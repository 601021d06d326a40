"""Everything a live room is told (api.md 消息数据定义; D12, D13)."""

from dataclasses import dataclass
from typing import ClassVar, TypedDict

from django.conf import settings

from heihei_site.realtime.events import Event, Kind
from live.serializers import LiveCard, Viewer
from users.models import User


class By(TypedDict):
    from_user_id: int
    from_user_name: str
    gender: str
    cover_url: str


def by(user: User) -> By:
    """Who did it, for every message in which somebody does something."""
    return {
        "from_user_id": user.pk,
        "from_user_name": user.display_name,
        "gender": user.gender,
        "cover_url": user.cover_url,
    }


@dataclass(frozen=True, kw_only=True)
class BySomebody:
    """The fields of `by`."""

    from_user_id: int
    from_user_name: str
    gender: str
    cover_url: str


@dataclass(frozen=True, kw_only=True)
class RoomText(BySomebody, Event):
    """Somebody says something; with `gift_id` the phone shows that gift's icon beside it (D26)."""

    kind = Kind.ROOM
    msg_type = "text"

    room_id: int
    text: str
    gift_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class BulletSent(BySomebody, Event):
    """A paid text that flies across every screen. `total_ticket` is what the owner ever earned."""

    kind = Kind.ROOM
    msg_type = "barrage"

    room_id: int
    birth_day: str
    text: str
    total_ticket: int


class GiftShown(TypedDict):
    id: int
    name: str
    type: int
    desc: str


@dataclass(frozen=True, kw_only=True)
class GiftSent(BySomebody, Event):
    """Somebody gave the owner a gift; every viewer animates it. `amount` is the sender's combo counter."""

    kind = Kind.ROOM
    msg_type = "gift"

    room_id: int
    gift_id: int
    gift: GiftShown
    amount: int
    gift_uuid: str
    total_ticket: int


@dataclass(frozen=True, kw_only=True)
class Liked(BySomebody, Event):
    """Somebody lit the room up; the phone shows `text` as it is (D27)."""

    kind = Kind.ROOM
    msg_type = "like"

    room_id: int
    birth_day: str
    text: str


@dataclass(frozen=True, kw_only=True)
class SystemSaid(Event):
    """A line from the operators. The 1.1 app shows it in whatever room is open: members only (D13)."""

    kind = Kind.ROOM
    msg_type = "system"

    room_id: int
    text: str


@dataclass(frozen=True, kw_only=True)
class TitleChanged(Event):
    """The owner has given the live another title."""

    kind = Kind.ROOM
    msg_type = "action"
    action = "live-change"
    comment = "修改直播标题"

    room_id: int
    live_id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class LiveStarted(Event):
    """To the followers of somebody who went on air. Who connects only after `expire_time` sees it in the lists."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "start-live-notify"
    comment = "系统通知"
    expire_time: ClassVar[int] = settings.LIVE_NEWS_SECONDS  # does not travel

    from_user_id: int
    from_user_name: str
    gender: str
    link: str
    text: str
    text_head: str = "您关注的"
    text_tail: str = "开播了"
    getui_action: str = "live"


@dataclass(frozen=True, kw_only=True)
class LiveStopped(Event):
    """The live is over, whoever ended it. Without the `live` object the 1.1 app would stay in the room."""

    kind = Kind.ROOM
    msg_type = "action"
    action = "stop-live"
    comment = "直播结束"

    room_id: int
    live: LiveCard


@dataclass(frozen=True, kw_only=True)
class AudienceChanged(Event):
    """Who is in the room, latest value. No `users`: only the counts changed, or the room is large (D23)."""

    kind = Kind.STATE
    msg_type = "action"
    action = "list-live-users"

    version: int
    room_id: int
    live_id: int
    total_count: int
    room_seat_count: int
    room_locked_count: int
    users: list[Viewer] | None = None
