"""Messages that only tests tell; taken out of the catalogue again."""

from dataclasses import dataclass

from heihei_site.api.clients import IM
from heihei_site.realtime.events import Event, Kind, catalogue


@dataclass(frozen=True, kw_only=True)
class Said(Event):
    kind = Kind.ROOM
    msg_type = "text"

    room_id: int
    text: str
    from_user_id: int = 10001


@dataclass(frozen=True, kw_only=True)
class Watching(Event):
    kind = Kind.STATE
    msg_type = "action"
    action = "watching"
    comment = "人数"

    room_id: int
    version: int
    online_users: int


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    kind = Kind.PERSONAL
    msg_type = "toast"

    text: str


@dataclass(frozen=True, kw_only=True)
class NewlyNoted(Event):
    """Nothing for clients below 2.0."""

    kind = Kind.PERSONAL
    msg_type = "toast"
    needs = IM

    text: str


@dataclass(frozen=True, kw_only=True)
class Invited(Event):
    kind = Kind.PERSONAL
    msg_type = "action"
    action = "invited"

    live_id: int
    expire_time: int = 30


@dataclass(frozen=True, kw_only=True)
class Unread(Event):
    kind = Kind.STATE
    msg_type = "action"
    action = "unread"

    version: int
    count: int


del catalogue[-6:]
