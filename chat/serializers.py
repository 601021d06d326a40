"""What phones are told about calls (api.md 加入对话, 获取连麦状态)."""

from collections.abc import Collection, Sequence
from typing import TypedDict

from chat.models import Chat, Side
from heihei_site.api.wire import clock
from users.serializers import UserCard, user_card


class SideCard(UserCard):
    """One of the two, with what they do in the call: 0 entering, 1 there, 2 away, 3 line lost, 4 hung up."""

    status: int


class CallCard(TypedDict):
    chat_id: int
    room_id: int
    status: int
    title: str
    creator_id: int
    visible: int
    push_addr: str
    stream_addr: str
    archive_file: str
    create_time: str
    start_time: str


class AudioRoom(TypedDict):
    room_name: str
    room_token: str


class JoinedCall(CallCard):
    init_topic: str
    sides: list[SideCard]
    qiniu: AudioRoom


class CallAndSides(CallCard):
    sides: list[SideCard]


class Joined(TypedDict):
    chat: JoinedCall


class Looked(TypedDict):
    chat: CallAndSides


class Ringing(TypedDict):
    chat_id: int
    expire_time: int


class Waiting(TypedDict):
    expire_time: int


class Beat(TypedDict):
    next_timeout: int


class GoldLeft(TypedDict):
    gold: int


class Signature(TypedDict):
    user_sig: str
    sdk_app_id: int
    expire_time: int


NO_TOPIC = "打个招呼吧~"  # where operators have emptied the pool


def side_cards(sides: Sequence[Side], followed: Collection[int] = ()) -> list[SideCard]:
    """In the order of the call: who called comes first. `user` of every side is loaded."""
    return [{**user_card(side.user, followed=side.user_id in followed), "status": side.status} for side in sides]


def call_status(chat: Chat, sides: Sequence[Side]) -> int:
    """The call's own: 0 until both are there, 1 while they talk, else what keeps them from it, 4 at the end."""
    statuses = [side.status for side in sides]
    if max(statuses) > Side.Status.NORMAL:
        return max(statuses)
    return Side.Status.GONE if chat.state == Chat.State.ENDED else min(statuses)


def call_card(chat: Chat, sides: Sequence[Side]) -> CallCard:
    return {
        "chat_id": chat.pk,
        "room_id": chat.pk,
        "status": call_status(chat, sides),
        "title": f"{chat.caller_id},{chat.callee_id}",
        "creator_id": chat.caller_id,
        "visible": 1,
        "push_addr": "",
        "stream_addr": "",
        "archive_file": "",
        "create_time": clock(chat.created_at),
        "start_time": clock(chat.started_at or chat.answered_at or chat.created_at),
    }
