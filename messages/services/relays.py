"""What another server of ours has to say: to one person, to a call, to a live (api.md 消息数据定义)."""

from dataclasses import dataclass
from typing import Any, TypeGuard, cast

import orjson
from django.conf import settings

from heihei_site.api.errors import InvalidParameter
from heihei_site.api.ids import unguessable_id
from heihei_site.realtime.events import Event, Kind
from heihei_site.realtime.groups import person, room
from heihei_site.realtime.publish import publish, telling
from messages import rooms
from messages.selectors import find_person

ROOM_OF = {"toChat": ("chatId", "chat"), "toLive": ("liveId", "live")}  # the parameter that names it, and its kind


@dataclass(frozen=True, kw_only=True)
class _Said:
    message: dict[str, Any]

    def payload(self) -> dict[str, Any]:
        """As it was said: it is in the spelling of the wire already."""
        return cast(dict[str, Any], orjson.Fragment(orjson.dumps(self.message)))


@dataclass(frozen=True, kw_only=True)
class SaidToPerson(_Said, Event, listed=False):
    kind = Kind.PERSONAL
    msg_type = "any"


@dataclass(frozen=True, kw_only=True)
class SaidToRoom(_Said, Event, listed=False):
    kind = Kind.ROOM
    msg_type = "any"

    room_id: int


def relay(envelope: dict[str, Any]) -> None:
    """Tells one person, or everybody in an open room. The message gets a msgId where it has none, and in a room that
    room's id. InvalidParameter for nobody, for no open room of that kind, and for what is no message."""
    message = envelope.get("msg")
    if not isinstance(message, dict) or not _is_readable(message):
        raise InvalidParameter
    if len(orjson.dumps(message)) > settings.RELAYED_BYTES:
        raise InvalidParameter
    if not _is_id(message.setdefault("msgId", unguessable_id())):
        raise InvalidParameter
    kind = envelope.get("type")
    if kind == "tosingle":
        _to_person(envelope.get("targetUserId"), message)
    elif isinstance(kind, str) and kind in ROOM_OF:
        name, kind_of_room = ROOM_OF[kind]
        _to_room(envelope.get(name), kind_of_room, message)
    else:
        raise InvalidParameter


def _is_readable(message: dict[str, Any]) -> bool:
    """What we read of messages later ourselves, for histories, replays and guests, is what it is in ours."""
    words = {name: message[name] for name in ("msgType", "action") if message.get(name) is not None}
    if not words.get("msgType") or not all(isinstance(word, str) for word in words.values()):
        return False
    if "fromUserId" in message and not _is_id(message["fromUserId"]):
        return False
    gift = message.get("gift")
    return gift is None or (isinstance(gift, dict) and {"id", "name"} <= gift.keys())


def _to_person(user_id: object, message: dict[str, Any]) -> None:
    if not _is_id(user_id) or user_id >= 2**31 or find_person(user_id) is None:
        raise InvalidParameter
    with telling():
        publish(SaidToPerson(msg_id=message["msgId"], message=message), to=person(user_id))


def _to_room(room_id: object, kind_of_room: str, message: dict[str, Any]) -> None:
    found = rooms.find_open(room_id) if _is_id(room_id) else None
    if found is None or found.name != kind_of_room or not _is_id(room_id):
        raise InvalidParameter
    message["roomId"] = room_id
    with telling():
        publish(SaidToRoom(msg_id=message["msgId"], room_id=room_id, message=message), to=room(room_id))


def _is_id(said: object) -> TypeGuard[int]:
    return isinstance(said, int) and not isinstance(said, bool) and 0 < said < 2**53
