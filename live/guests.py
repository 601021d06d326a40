"""What people see of a live who follow a link to it, without an account: while it goes on and afterwards."""

from collections.abc import Mapping
from typing import Any, TypedDict

import orjson

from live import sharing
from live.models import Live

# By type or action, what of a message is for everybody. `system` and `toast` are for members (D13), ids for nobody.
SHOWN: dict[str, tuple[str, ...]] = {
    "text": ("fromUserName", "coverUrl", "text"),
    "gift": ("fromUserName", "coverUrl", "gift", "amount"),
    "barrage": ("fromUserName", "coverUrl", "text"),
    "like": ("fromUserName", "coverUrl", "text"),
    "stop-live": (),
    "pause-live": ("text",),
    "goon-live": ("text",),
    "live-change": ("title",),
    "list-live-users": ("totalCount",),
}


class Line(TypedDict):
    """Of a replay."""

    at: int  # seconds since its beginning
    msg: dict[str, Any]


def public(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """None for what is not for everybody. A text that only shows a gift's icon says the gift once more."""
    kind = message.get("action") or message["msgType"]
    fields = SHOWN.get(kind)
    if fields is None or (kind == "text" and message.get("giftId")):
        return None
    shown = {name: message[name] for name in fields if name in message}
    if "gift" in shown:
        shown["gift"] = {"id": shown["gift"]["id"], "name": shown["gift"]["name"]}
    return {"kind": kind, **shown}


class Doorkeeper:
    """For `realtime.doorkeeper`."""

    def room_of(self, query: Mapping[str, str]) -> int | None:
        try:
            live_id = sharing.opened(query.get("liveid", ""), query.get("sign", ""))
        except (sharing.LinkForged, sharing.LinkExpired):
            return None
        return live_id if Live.objects.in_time().filter(pk=live_id).exists() else None

    def shown(self, element: bytes) -> bytes | None:
        told = orjson.loads(element)
        message = public(told["msg"])
        return None if message is None else orjson.dumps({"msg": message, "timeStamp": told["timeStamp"]})
