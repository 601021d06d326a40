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
