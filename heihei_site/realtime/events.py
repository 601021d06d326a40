"""What can be told to sockets. Subclassing `Event` puts a message into the one catalogue."""

import enum
import time
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from heihei_site.api.ids import unguessable_id
from heihei_site.api.wire import to_json


class Kind(enum.Enum):
    """How a message is delivered (D12)."""

    ROOM = "room"  # to everyone in a room, each one, in order
    STATE = "state"  # to everyone in a room, the latest value of its `version`, at most two a second
    PERSONAL = "personal"  # to one person


catalogue: list[type["Event"]] = []


@dataclass(frozen=True, kw_only=True)
class Event:
    """One message. Room and state events have a `room_id`, which is the id of the live or chat (D13);
    a state event also has a `version` that grows with the row it describes and does not travel."""

    kind: ClassVar[Kind]
    msg_type: ClassVar[str]
    action: ClassVar[str] = ""
    comment: ClassVar[str] = ""

    msg_id: int = field(default_factory=unguessable_id)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "kind") or not hasattr(cls, "msg_type"):
            raise TypeError(f"{cls.__name__} does not say its kind and msg_type")
        if (cls.msg_type == "action") != bool(cls.action):
            raise TypeError(f"{cls.__name__}: an action has a name, and nothing else has one")
        catalogue.append(cls)

    def payload(self) -> dict[str, Any]:
        """The message object in our spelling; what does not apply is left out."""
        body: dict[str, Any] = {"msg_type": self.msg_type}
        if self.action:
            body["action"] = self.action
        if self.comment:
            body["comment"] = self.comment
        body.update((f.name, getattr(self, f.name)) for f in fields(self) if f.name != "version")
        return {name: value for name, value in body.items() if value is not None}


def element(event: Event) -> bytes:
    """One element of a frame's array (D10), encoded once, here."""
    return to_json({"msg": event.payload(), "time_stamp": int(time.time())})
