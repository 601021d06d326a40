"""Everything a live room is told (api.md 消息数据定义; D12, D13)."""

from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings

from heihei_site.api.clients import EVERYONE, TEAMS
from heihei_site.realtime.events import Event, Kind
from heihei_site.realtime.pushing import Push
from live.serializers import LiveCard, Viewer
from messages.room_events import BySomebody
from messages.room_events import GiftSent as GiftSent
from messages.room_events import RoomText as RoomText
from messages.room_events import by as by
from users.serializers import Honour


@dataclass(frozen=True, kw_only=True)
class BulletSent(BySomebody, Event):
    """A paid text that flies across every screen. `total_ticket` is what the owner ever earned."""

    kind = Kind.ROOM
    msg_type = "barrage"

    room_id: int
    birth_day: str
    text: str
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
class ToastShown(Event):
    """A line that operators lay over the screen of everybody in the room, for `expire_time` seconds."""

    kind = Kind.ROOM
    msg_type = "toast"

    room_id: int
    text: str
    expire_time: int


@dataclass(frozen=True, kw_only=True)
class UserMuted(Event):
    """`user_id` may not speak in this room until they are unmuted, wherever they are now."""

    kind = Kind.ROOM
    msg_type = "action"
    action = "shutup-user"
    comment = "被禁言"

    room_id: int
    user_id: int


@dataclass(frozen=True, kw_only=True)
class UserUnmuted(Event):
    """`user_id` may speak in this room again."""

    kind = Kind.ROOM
    msg_type = "action"
    action = "shutup-open-user"
    comment = "取消禁言"

    room_id: int
    user_id: int


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
class LivePaused(Event):
    """The owner's app went to the background: the live goes on without their sound, for a minute at most."""

    kind = Kind.ROOM
    msg_type = "action"
    action = "pause-live"

    room_id: int
    live_id: int
    text: str = "主播离开一下，马上回来"


@dataclass(frozen=True, kw_only=True)
class LiveContinued(Event):
    """The owner is back after `pause-live`."""

    kind = Kind.ROOM
    msg_type = "action"
    action = "goon-live"

    room_id: int
    live_id: int
    text: str = "主播回来了"


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

    def push(self) -> Push:
        """Of one owner's lives the newest: the earlier are over."""
        return Push(
            title=self.from_user_name,
            text=self.text,
            action="live",
            links={EVERYONE: self.link},
            from_user_id=self.from_user_id,
            from_user_name=self.from_user_name,
            gender=self.gender,
            collapse=f"start-live:{self.from_user_id}",
        )


@dataclass(frozen=True, kw_only=True)
class SomebodyKnocked(BySomebody, Event):
    """Somebody asks the owner of a full room for a seat, and comes first in invite-user-list until they are invited."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "live-knock"
    expire_time: ClassVar[int] = settings.KNOCK_SECONDS  # does not travel

    live_id: int
    birth_day: str


@dataclass(frozen=True, kw_only=True)
class LiveInvited(BySomebody, Event):
    """The owner invites somebody in. `live_key` goes to join-live: it opens a full room once, by taking a locked seat.

    Clients before 1.5 know neither this nor its link. Who connects only after `expire_time` is not rung any more; the
    key is good as long as the live goes on.
    """

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "live-invite"
    needs = TEAMS
    expire_time: ClassVar[int] = settings.LIVE_NEWS_SECONDS  # does not travel

    live_id: int
    live_key: str
    link: str
    text: str
    birth_day: str
    honours: list[Honour]

    def push(self) -> Push:
        return Push(
            title=self.text,
            text=self.text,
            action="live-invite",
            links={TEAMS: self.link},
            from_user_id=self.from_user_id,
            from_user_name=self.from_user_name,
            gender=self.gender,
            collapse=f"live-invite:{self.live_id}",
        )


@dataclass(frozen=True, kw_only=True)
class KickedOut(Event):
    """To who was thrown out of a live, and to nobody else. After `expire_time` their heart-beats have told them."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "quit-live"
    comment = "踢出房间动作消息"
    expire_time: ClassVar[int] = int(settings.VIEWER_LEASE.total_seconds())  # does not travel

    live_id: int


@dataclass(frozen=True, kw_only=True)
class MicOffered(Event):
    """The owner invites a viewer to the microphone: accept-conference or refuse-conference within `expire_time`."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "conference-notify"
    comment = "邀请连麦通知消息"

    live_id: int
    text: str = "主播邀你连线"
    expire_time: int = int(settings.MIC_WAIT.total_seconds())


@dataclass(frozen=True, kw_only=True)
class MicAgreed(Event):
    """To the owner and the viewer once both want it: each calls join-conference at once."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "join-conference"
    comment = "加入连麦动作消息"
    expire_time: ClassVar[int] = int(settings.MIC_JOIN.total_seconds())  # does not travel

    live_id: int


@dataclass(frozen=True, kw_only=True)
class MicHungUp(Event):
    """The link of the owner and a viewer is over: to each of the two who did not end it themselves."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "stop-conference"
    comment = "结束连麦"

    live_id: int


@dataclass(frozen=True, kw_only=True)
class MicFound(BySomebody, Event):
    """To who comes into a live where a viewer is at the microphone, or about to be: as the room was told before."""

    kind = Kind.STATE
    msg_type = "action"
    action = "conference-status"
    comment = "连麦状态，0：连麦等待，1：已连麦 2:断开"

    version: int
    live_id: int
    status: int
    birth_day: str


@dataclass(frozen=True, kw_only=True)
class MicChanged(BySomebody, Event):
    """A viewer is on the way to the microphone beside the owner's (`status` 0), is heard (1), or is off it (2).

    Who it is stands in `from_user_id` and what follows.
    """

    kind = Kind.ROOM
    msg_type = "action"
    action = "conference-status"
    comment = "连麦状态，0：连麦等待，1：已连麦 2:断开"

    room_id: int
    live_id: int
    status: int
    birth_day: str


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
    """Who is in the room, latest value. No `users`: only the counts changed, or the room is large (D23).

    In a large room its owner alone gets `users`, when somebody asks for the microphone or is off it: they come first.
    """

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
