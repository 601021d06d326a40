"""Rows of the message list as phones read them (D33)."""

from typing import Any, NotRequired, TypedDict

from django.conf import settings

from messages.events import TIPS, EntryData, Jump, MessageEntry, TalkerCard, in_words, talker_card
from messages.models import Entry
from messages.selectors import Conversation
from users.models import User

RECALLED = "消息已撤回"


class EntryRow(TypedDict):
    """`fromUserId` is the other one of the two, whoever called or wrote."""

    msg_type: str
    action: str
    from_user_id: int
    from_user_name: str
    gender: str
    cover_url: str
    birth_day: str
    data: EntryData
    link: str
    time_stamp: int
    text: str


def entry_row(entry: Entry, peer: User) -> EntryRow:
    data = _data(entry)
    return {
        "msg_type": MessageEntry.msg_type,
        "action": MessageEntry.action,
        "from_user_id": peer.pk,
        "from_user_name": peer.display_name,
        "gender": peer.gender,
        "cover_url": peer.cover_url,
        "birth_day": peer.birth_day,
        "data": data,
        "link": f"wmlives_heihei://duechat?uid={peer.pk}",
        "time_stamp": int(entry.changed_at.timestamp()),
        "text": data["text"],
    }


class LastMessage(TypedDict):
    """As it came over the socket; where it was taken back `recalled` and without `content`."""

    msg_type: str
    msg_id: int
    from_user_id: int
    to_user_id: int
    content: dict[str, Any]
    jump: NotRequired[Jump]
    create_time: int
    tips: str
    recalled: bool


class ConversationRow(TypedDict):
    """`user` is the other one. `unread` of what they wrote; they have read what the person wrote until `readMsgId`, 0
    for nothing."""

    user: TalkerCard
    msg: LastMessage
    unread: int
    read_msg_id: int
    time_stamp: int


def conversation_row(conversation: Conversation) -> ConversationRow:
    entry = conversation.entry
    message = entry.message
    assert message is not None
    shown: LastMessage = {
        "msg_type": message.kind,
        "msg_id": message.pk,
        "from_user_id": message.sender_id,
        "to_user_id": message.recipient_id,
        "content": {} if message.recalled_at else message.content,
        "create_time": int(message.created_at.timestamp()),
        "tips": TIPS[message.kind],
        "recalled": message.recalled_at is not None,
    }
    if message.jump and not message.recalled_at:
        shown["jump"] = message.jump
    return {
        "user": talker_card(entry.peer, followed=conversation.followed),
        "msg": shown,
        "unread": entry.unread,
        "read_msg_id": conversation.read_msg_id,
        "time_stamp": int(entry.changed_at.timestamp()),
    }


def entry_event(entry: Entry, peer: User) -> MessageEntry:
    fields = {name: value for name, value in entry_row(entry, peer).items() if name not in ("msg_type", "action")}
    return MessageEntry(**fields)  # type: ignore[arg-type]


def _data(entry: Entry) -> EntryData:
    match entry.kind:
        case Entry.Kind.POST:
            count, text = entry.posts, f"约TA私聊{entry.posts}次，TA没接到"
        case Entry.Kind.CALLING:
            count, text = entry.callings, f"约你私聊{entry.callings}次"
        case Entry.Kind.CALL:
            count, text = entry.calls, f"私聊了{_length(entry.seconds)}"
        case _:
            count, text = entry.unread, _beginning(entry)
    return {"type": entry.kind, "count": count, "text": text, "read": not entry.unread, "unread": entry.unread}


def _length(seconds: int) -> str:
    minutes, left = divmod(seconds, 60)
    return f"{minutes}分{left}秒" if minutes else f"{left}秒"


def _beginning(entry: Entry) -> str:
    """Nothing of a message whose writer is erased."""
    said = in_words(entry.message.kind, entry.message.content) if entry.message else ""
    if entry.message and entry.message.recalled_at:
        said = RECALLED
    return said if len(said) <= settings.MESSAGE_LIST_TEXT else f"{said[: settings.MESSAGE_LIST_TEXT]}…"
