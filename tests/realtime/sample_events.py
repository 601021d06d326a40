"""Messages that only tests tell; taken out of the catalogue again."""

from dataclasses import dataclass

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


del catalogue[-2:]
