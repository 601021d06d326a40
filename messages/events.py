"""What people say to each other, and what we say to them in somebody's name (api.md IM消息类型; D14, D45)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NotRequired, TypedDict

from heihei_site.api import clients
from heihei_site.realtime.events import Event, Kind
from heihei_site.realtime.pushing import Push
from users.models import User

PUSH_TEXT = 100  # characters: Apple takes 4 KB with everything around it
MESSAGES_LINK = "wmlives_heihei://message"


class TextContent(TypedDict):
    text: str


class ImageContent(TypedDict):
    img: str


class AudioContent(TypedDict):
    audio: str
    length: int


class VideoContent(TypedDict):
    video: str


class GiftContent(TypedDict):
    text: str
    gift_id: int


class DueChatContent(TypedDict):
    chat_status: int
    chat_length: int


class NoticeContent(TypedDict):
    text: str
    img: NotRequired[str]
    icon: NotRequired[str]


class Jump(TypedDict):
    """What a touch on the message opens, and the words for it."""

    text: str
    link: str


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


_NAMES = {
    "text": "文本",
    "image": "图片",
    "audio": "声音",
    "video": "视频",
    "gift": "礼物",
    "systopic": "系统",
    "dueChat": "约聊",
    "sysnotify": "通知",
}
TIPS = {kind: f"【{name}消息】不支持的消息类型，请升级最新客户端。" for kind, name in _NAMES.items()}
# What stands for a message without words in lists and pushes.
WORDLESS = {"image": "[图片]", "audio": "[语音]", "video": "[视频]"}


def in_words(kind: str, content: Mapping[str, Any]) -> str:
    """A message as one line; nothing of one whose writer is erased, and of one taken back."""
    return WORDLESS.get(kind, "") if content and kind in WORDLESS else str(content.get("text", ""))


@dataclass(frozen=True, kw_only=True)
class Between:
    """The fields of every IM. `users` has both cards by id, `tips` is for clients that do not know the type,
    `create_time` is in seconds."""

    kind: ClassVar[Kind] = Kind.PERSONAL
    envelope: ClassVar[str] = "IM"
    needs: ClassVar[clients.Generation] = clients.IM

    to_user_id: int
    from_user_id: int
    create_time: int
    users: dict[str, TalkerCard] = field(metadata={"beside": True})


@dataclass(frozen=True, kw_only=True)
class Written(Between):
    """What a person wrote. Both are told; only the sender's copy has the `client_msg_id`."""

    msg_type: ClassVar[str]
    content: Any
    client_msg_id: str | None = None

    def push(self) -> Push:
        """Of one conversation the newest; the sender's own phones are not rung."""
        return push_of(self.users[str(self.from_user_id)], in_words(self.msg_type, self.content))


def push_of(sender: TalkerCard, text: str) -> Push:
    return Push(
        title=sender["display_name"],
        text=text if len(text) <= PUSH_TEXT else f"{text[:PUSH_TEXT]}…",
        action="message",
        links={clients.IM: MESSAGES_LINK},
        from_user_id=sender["id"],
        from_user_name=sender["display_name"],
        gender=sender["gender"],
        collapse=f"im:{sender['id']}",
    )


@dataclass(frozen=True, kw_only=True)
class ImText(Written, Event):
    """One person writes to another."""

    msg_type = "text"

    content: TextContent
    tips: str = TIPS["text"]


@dataclass(frozen=True, kw_only=True)
class ImImage(Written, Event):
    """One person shows another a picture; `img` is its address."""

    msg_type = "image"

    content: ImageContent
    tips: str = TIPS["image"]


@dataclass(frozen=True, kw_only=True)
class ImAudio(Written, Event):
    """One person says something to another: `length` seconds, at the address `audio`."""

    msg_type = "audio"

    content: AudioContent
    tips: str = TIPS["audio"]


@dataclass(frozen=True, kw_only=True)
class ImVideo(Written, Event):
    """One person shows another a video; `video` is its address."""

    msg_type = "video"

    content: VideoContent
    tips: str = TIPS["video"]


@dataclass(frozen=True, kw_only=True)
class ImGift(Written, Event):
    """One person has given another a gift, and paid for it."""

    msg_type = "gift"

    content: GiftContent
    tips: str = TIPS["gift"]


@dataclass(frozen=True, kw_only=True)
class ImSystopic(Between, Event):
    """Something to talk about, written by us to both when one writes to the other for the first time (D45). It counts
    as read."""

    msg_type = "systopic"

    content: TextContent
    tips: str = TIPS["systopic"]


@dataclass(frozen=True, kw_only=True)
class ImDueChat(Between, Event):
    """A call between the two has ended, written by us in its caller's name (D45).

    `chatStatus` is 1 where they talked, for `chatLength` seconds, 2 where nobody answered, 3 where it was refused.
    """

    msg_type = "dueChat"

    content: DueChatContent
    tips: str = TIPS["dueChat"]


@dataclass(frozen=True, kw_only=True)
class ImSysnotify(Between, Event):
    """Somebody liked, answered or gave a gift to what the person wrote: told to the author alone, in the name of who
    did it (D45). `jump` leads there."""

    msg_type = "sysnotify"

    content: NoticeContent
    jump: Jump
    tips: str = TIPS["sysnotify"]

    def push(self) -> Push:
        return push_of(self.users[str(self.from_user_id)], self.content["text"])


OF_KIND: dict[str, Callable[..., Event]] = {
    event.msg_type: event for event in (ImText, ImImage, ImAudio, ImVideo, ImGift, ImSystopic, ImDueChat, ImSysnotify)
}


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


@dataclass(frozen=True, kw_only=True)
class MessageRecalled(Event):
    """A message between the two is no more: both phones take it out and show `text` in its place.

    `reason` is `sender` where its writer took it back, `file` where its picture, sound or video was none.
    """

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "recall-msg"
    comment = "消息撤回"
    needs = clients.IM

    from_user_id: int
    to_user_id: int
    recalled_msg_id: int
    reason: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ConversationRead(Event):
    """The other one, `from_user_id`, has read what the person wrote to them, up to `read_msg_id`."""

    kind = Kind.STATE
    msg_type = "action"
    action = "read-conversation"
    comment = "对方已读"
    needs = clients.IM

    from_user_id: int
    read_msg_id: int
    version: int

    @property
    def state_name(self) -> str:
        return f"{self.action} {self.from_user_id}"
