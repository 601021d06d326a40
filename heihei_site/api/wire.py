"""Spelling on the wire, and nowhere else: camelCase, the document's misspellings, and its doubled keys (D7, D8).

Python says `total_ticket`; the phone reads `totalTicket`. The tables below hold only what differs from camelCase.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from django.utils import timezone

INT32_MAX = 2**31 - 1

# snake_case key -> every name it has on the wire, in any object.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "gift_uuid": ("gift_uuid",),
    "push_enable": ("push_enable",),
    "user_type": ("user_type", "userType"),
    "user_state": ("user_status",),
    "honour_sign": ("honour_sign",),
    "honour_img": ("honour_img",),
    "honour_desc": ("honour_desc",),
    "attr_file": ("attr_file",),
    "file_md5": ("file_md5",),
    "live_total_ticket": ("liveTotalTicket", "livetotalticket"),
    "replays": ("liveskback", "lookbacks"),
    "following": ("result", "reslut"),
    "replys": ("replys", "replies"),
    "record_length": ("redordLength", "recordLength"),
    "recommended": ("isrecomm",),
    "pay_tips": ("pay-tips",),
    "text_head": ("text-head",),
    "text_tail": ("text-tail",),
    "search_tips": ("search-tips",),
    "is_shut_up": ("isshutup",),
    "joined_chat_id": ("chatId", "chatid"),
    "sides": ("users", "user"),
    "creator_id": ("creatorId", "createrId"),
    "closing_comment": ("comment", "common"),
    "credentials": ("Credentials",),
    "access_key_id": ("AccessKeyId",),
    "access_key_secret": ("AccessKeySecret",),
    "security_token": ("SecurityToken",),
    "expiration": ("Expiration",),
    "file_info": ("FileInfo",),
}

# Doubled only inside the object (or list) of that name: contract_notes.md (e) 13.
_LIVE_CARD: dict[str, tuple[str, ...]] = {
    "title": ("title", "liveName"),
    "user_id": ("userId", "creatorId"),
    "user_name": ("userName", "creatorName"),
    "cover_url": ("coverUrl", "creatorCover"),
    "online_users": ("onlineUsers", "onlineUser"),
    "total_users": ("totalUsers", "viewernum"),
}
# A subject has the keys of both documented shapes: contract_notes.md (e) 17.
_SUBJECT: dict[str, tuple[str, ...]] = {
    "title": ("title", "replyText"),
    "path": ("path", "replyPath"),
    "length": ("length", "replyLength"),
    "reply_subject_id": ("replySubjectId", "replyId"),
}
SPELLINGS_INSIDE: dict[str, dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("subject", "subjects", "replys", "replies"), _SUBJECT),
    "user_info": {"is_followed": ("isFollowed", "isFollow")},
    "lives": _LIVE_CARD,
    "replays": _LIVE_CARD,
    "users": {"display_name": ("displayName", "name")},
}

# Parameters whose documented name is not the camelCase of ours, then every other spelling that is understood.
PARAMETER_NAMES: dict[str, str] = {
    "gift_uuid": "gift_uuid",
    "device_type": "deveiceType",
    "locale": "local",
    "phone": "phoneNo",
}
PARAMETER_SYNONYMS: dict[str, tuple[str, ...]] = {
    "deveiceType": ("deviceType", "devicesType"),
    "devicesType": ("deviceType", "deveiceType"),
    "local": ("locale",),
    "phoneNo": ("phone",),
    "phone": ("phoneNo",),
    "userId": ("targetId",),
    "targetId": ("userId",),
    "avatar": ("avator",),
    "amount": ("count",),
    "topicId": ("id", "topic_id"),
}

_AS_THEY_ARE = frozenset({str, int, float, bool})
# Numbers that must arrive exactly; every other number is a counter and stops at 2^31-1 (D7).
_EXACT = frozenset({"id", "hei_num", "time_stamp", "seq"})


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


@lru_cache(maxsize=4096)
def spellings(key: str, inside: str = "") -> tuple[str, ...]:
    """Every wire name of our key within the object called `inside`."""
    return SPELLINGS_INSIDE.get(inside, {}).get(key) or SPELLINGS.get(key) or (camel(key),)


def parameter_name(name: str) -> str:
    """The documented name of a parameter that Python calls `name`."""
    return PARAMETER_NAMES.get(name) or camel(name)


def with_synonyms(given: Mapping[str, Any], declared: Iterable[str]) -> dict[str, Any]:
    """The given parameters under their declared names: a synonym counts where the declared name itself is absent."""
    names = set(declared)
    found: dict[str, Any] = {}
    for name in names:
        for spelling in (name, *PARAMETER_SYNONYMS.get(name, ())):
            if spelling in given and (spelling == name or spelling not in names):
                found[name] = given[spelling]
                break
    return found


def encode(value: Any, inside: str = "") -> Any:
    """A payload in wire spelling: None becomes "", counters saturate, doubled keys are doubled. Shapes are kept."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Mapping):
        out: dict[str, Any] = {}
        for key, item in value.items():
            if type(item) is int:
                item = _number(key, item)
            elif type(item) is not str:  # most are: spares the call
                item = encode(item, key if key in SPELLINGS_INSIDE else "")
            for name in spellings(key, inside):
                out[name] = item
        return out
    if isinstance(value, list | tuple):
        return [encode(item, inside) for item in value]
    return "" if value is None else value


def _number(key: str, value: int) -> int:
    if -INT32_MAX <= value <= INT32_MAX or key in _EXACT or key.endswith("_id"):
        return value
    return INT32_MAX if value > 0 else -INT32_MAX - 1


def clock(moment: datetime | None) -> str:
    """`yyyy-MM-dd HH:mm:ss` in Shanghai, where every phone reads it (D7)."""
    return moment.astimezone(timezone.get_default_timezone()).isoformat(" ")[:19] if moment else ""


def time_tip(moment: datetime, now: datetime) -> str:
    """How long ago, in words; after a week the day."""
    minutes = int((now - moment).total_seconds()) // 60
    if minutes < 1:
        return "刚刚"
    if minutes < 60:
        return f"{minutes}分钟前"
    if minutes < 24 * 60:
        return f"{minutes // 60}小时前"
    return f"{minutes // (24 * 60)}天前" if minutes < 7 * 24 * 60 else clock(moment)[:10]


def to_json(payload: Any) -> bytes:
    """The bytes that travel: UTF-8 JSON in wire spelling."""
    return orjson.dumps(encode(payload))
