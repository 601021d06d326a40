"""Everything that two people in a call are told (api.md 消息数据定义; D12, D13)."""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, urlencode

from django.conf import settings

from chat.serializers import SideCard
from heihei_site.api.clients import EVERYONE, LATER
from heihei_site.realtime.events import Event, Kind
from heihei_site.realtime.pushing import Push
from messages.room_events import BySomebody
from users.models import User

RING_SECONDS = int(settings.CHAT_RING.total_seconds())


@dataclass(frozen=True, kw_only=True)
class CallOffered(BySomebody, Event):
    """Somebody calls: accept-chat or cancel-due-chat within `expire_time`. `type` 1: they call back what was missed."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "due-chat-notify"
    comment = "约聊通知消息"

    chat_id: int
    birth_day: str
    type: int
    expire_time: int = RING_SECONDS

    def push(self) -> Push:
        """It rings in the night, too, and as long as the call does."""
        return Push(
            title=self.from_user_name,
            text=f"{self.from_user_name}向你发起约聊",
            action="duechat",
            links={EVERYONE: self._link(shipped=True), LATER: self._link()},
            from_user_id=self.from_user_id,
            from_user_name=self.from_user_name,
            gender=self.gender,
            collapse=f"due-chat:{self.from_user_id}",
            rings=True,
        )

    def _link(self, *, shipped: bool = False) -> str:
        """The shipped app reads `userName`, and a number for the gender."""
        caller: dict[str, object] = {"fromUserName": self.from_user_name, "gender": self.gender}
        if shipped:
            caller = {"userName": self.from_user_name, "gender": int(self.gender == User.Gender.FEMALE)}
        asked = {"chatId": self.chat_id, "type": self.type, "userId": self.from_user_id, **caller}
        return f"wmlives_heihei://acceptchat?{urlencode(asked, quote_via=quote)}"


@dataclass(frozen=True, kw_only=True)
class CallOff(BySomebody, Event):
    """The other one of the two does not want to talk after all: who called hung up, or who was called refused."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "cancel-due-chat"
    expire_time: ClassVar[int] = 4 * RING_SECONDS  # does not travel

    chat_id: int
    birth_day: str
    closing_comment: str = "对方取消约聊"


@dataclass(frozen=True, kw_only=True)
class CallConnected(Event):
    """To both of the two: the call begins. Each calls join-chat at once; without it nobody is there for long."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "join-chat"
    comment = "加入对聊"
    expire_time: ClassVar[int] = RING_SECONDS  # does not travel

    joined_chat_id: int


@dataclass(frozen=True, kw_only=True)
class CallChanged(Event):
    """How each of the two is in the call: 0 entering, 1 there, 3 line lost. `status` is the call's."""

    kind = Kind.STATE
    msg_type = "action"
    action = "chat-user-status"
    comment = "对聊用户状态"

    version: int
    chat_id: int
    room_id: int
    status: int
    sides: list[SideCard]


@dataclass(frozen=True, kw_only=True)
class SomebodyAway(CallChanged):
    """The same while one of them is away for a moment (2), or has hung up (4)."""

    needs = LATER


@dataclass(frozen=True, kw_only=True)
class CallEnded(Event):
    """To who did not end it: the call is over. Here 2 says of the other one that they left, 3 that their line broke."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "chat-user-status"
    comment = "对聊用户状态"
    expire_time: ClassVar[int] = 4 * RING_SECONDS  # does not travel

    chat_id: int
    room_id: int
    status: int
    sides: list[SideCard]


@dataclass(frozen=True, kw_only=True)
class PartnerAway(Event):
    """The other one's app went to the background for a moment."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "pause-chat"
    comment = "对聊暂停"
    expire_time: ClassVar[int] = RING_SECONDS  # does not travel

    chat_id: int
    text: str = "对方离开一下"


@dataclass(frozen=True, kw_only=True)
class PartnerBack(Event):
    """The other one is there again after `pause-chat`."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "goon-chat"
    comment = "对聊继续"
    expire_time: ClassVar[int] = RING_SECONDS  # does not travel

    chat_id: int
    text: str = "对方回来了"


@dataclass(frozen=True, kw_only=True)
class TopicChanged(Event):
    """What the two could talk about now."""

    kind = Kind.ROOM
    msg_type = "action"
    action = "chat-topic"
    comment = "约聊话题消息"

    room_id: int
    chat_id: int
    text: str
