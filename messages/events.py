"""What people say to each other (api.md IM消息类型; D14)."""

from dataclasses import dataclass, field
from typing import Any, TypedDict

from heihei_site.api import clients
from heihei_site.realtime.events import Event, Kind
from users.models import User


class TextContent(TypedDict):
    text: str


class TalkerCard(TypedDict):
    """The card of one of the two, as the other one's phone shows it."""

    id: int
    display_name: str
    hei_num: int
    cover_url: str
    level: int
    gender: str
    honours: list[dict[str, Any]]
    is_followed: bool


def talker_card(user: User, *, followed: bool = False) -> TalkerCard:
    return {
        "id": user.pk,
        "display_name": user.display_name,
        "hei_num": user.hei_num,
        "cover_url": user.cover_url,
        "level": user.level,
        "gender": user.gender,
        "honours": [],
        "is_followed": followed,
    }


@dataclass(frozen=True, kw_only=True)
class ImText(Event):
    """One person writes to another. Both are told; only the sender's copy has the `client_msg_id`.

    `users` has both cards by id, `tips` is for clients that do not know the type, `create_time` is in seconds.
    """

    kind = Kind.PERSONAL
    envelope = "IM"
    msg_type = "text"
    needs = clients.IM

    to_user_id: int
    from_user_id: int
    content: TextContent
    create_time: int
    tips: str = "【文本消息】不支持的消息类型，请升级最新客户端。"
    client_msg_id: str | None = None
    users: dict[str, TalkerCard] = field(metadata={"beside": True})


class DueChatContent(TypedDict):
    chat_status: int
    chat_length: int


@dataclass(frozen=True, kw_only=True)
class ImDueChat(Event):
    """A call between the two has ended, written by us in its caller's name (D45).

    `chatStatus` is 1 where they talked, for `chatLength` seconds, 2 where nobody answered, 3 where it was refused.
    """

    kind = Kind.PERSONAL
    envelope = "IM"
    msg_type = "dueChat"
    needs = clients.IM

    to_user_id: int
    from_user_id: int
    content: DueChatContent
    create_time: int
    tips: str = "【约聊消息】不支持的消息类型，请升级最新客户端。"
    users: dict[str, TalkerCard] = field(metadata={"beside": True})


class EntryData(TypedDict):
    """`type` is what came last: `calling` they called, `post` the list's owner called, neither answered; `call` they
    talked; `text` one wrote to the other. `count` is how often that happened, of `text` how much is unread; `text` is
    the line to show."""

    type: str
    count: int
    text: str
    read: bool
    unread: int


@dataclass(frozen=True, kw_only=True)
class MessageEntry(Event):
    """An entry of the person's message list is new or has changed, because a call ended: as message-list has it.

    `fromUserId` is the other one of the two, whoever called. It replaces the entry with the same `fromUserId`.
    """

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "message"

    from_user_id: int
    from_user_name: str
    gender: str
    cover_url: str
    birth_day: str
    data: EntryData
    link: str
    time_stamp: int
    text: str


@dataclass(frozen=True, kw_only=True)
class UnreadCount(Event):
    """How much of the person's message list is unread has changed. `count` is all of it; do not count yourself."""

    kind = Kind.STATE
    msg_type = "action"
    action = "message-unread-count"
    comment = "未读消息数"

    count: int
    version: int
