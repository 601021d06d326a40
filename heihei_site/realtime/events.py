"""What can be told to sockets. Subclassing `Event` puts a message into the one catalogue."""

import enum
import time
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from heihei_site.api.clients import EVERYONE, Generation
from heihei_site.api.ids import unguessable_id
from heihei_site.api.wire import to_json
from heihei_site.realtime.pushing import Push


class Kind(enum.Enum):
    """How a message is delivered (D12)."""

    ROOM = "room"  # to everyone in a room, each one, in order of `roomSeq`
    STATE = "state"  # to a room or a person, the latest value of its `version`, at most two a second
    PERSONAL = "personal"  # to one person, each one, in order of `seq`; kept for who is not connected
    ANSWER = "answer"  # to one socket, about what it asked for or sent; cannot be published


catalogue: list[type["Event"]] = []


@dataclass(frozen=True, kw_only=True)
class Event:
    """One message. Room and state events have a `room_id`, which is the id of the live or chat (D13).

    A state event has a `version` that grows with the row it describes and does not travel. A field with the metadata
    `beside` travels next to `msg` in the element and not in it. A personal event with an `expire_time` (seconds) is an
    invitation: who connects later is told what remains of it, or that it has expired.
    """

    kind: ClassVar[Kind]
    msg_type: ClassVar[str]
    action: ClassVar[str] = ""
    comment: ClassVar[str] = ""
    envelope: ClassVar[str] = ""  # the element's own `msgType`, beside `msg`
    needs: ClassVar[Generation] = EVERYONE  # older clients are never told

    msg_id: int = field(default_factory=unguessable_id)

    def __init_subclass__(cls, *, listed: bool = True, **kwargs: Any) -> None:
        """What is not `listed` is no message of ours, but carries whatever another server says."""
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "kind") or not hasattr(cls, "msg_type"):
            raise TypeError(f"{cls.__name__} does not say its kind and msg_type")
        if (cls.msg_type == "action") != bool(cls.action):
            raise TypeError(f"{cls.__name__}: an action has a name, and nothing else has one")
        if listed:
            catalogue.append(cls)

    def payload(self) -> dict[str, Any]:
        """The message object in our spelling; what does not apply is left out."""
        body: dict[str, Any] = {"msg_type": self.msg_type}
        if self.action:
            body["action"] = self.action
        if self.comment:
            body["comment"] = self.comment
        body.update((f.name, getattr(self, f.name)) for f in fields(self) if f.name != "version" and not _beside(f))
        return {name: value for name, value in body.items() if value is not None}

    @property
    def state_name(self) -> str:
        """Of states of one name only the newest is told."""
        return self.action or self.msg_type

    def push(self) -> Push | None:
        """What of a personal message is pushed to who is not reached over a socket; None: it is not pushed."""
        return None

    def beside(self) -> dict[str, Any]:
        """What stands next to the message object."""
        around = {"msg_type": self.envelope} if self.envelope else {}
        return around | {f.name: getattr(self, f.name) for f in fields(self) if _beside(f)}


def _beside(one: Any) -> bool:
    return bool(one.metadata.get("beside"))


def element(event: Event) -> bytes:
    """One element of a frame's array (D10), encoded once, here. Its number comes later: `numbered`."""
    return to_json({"msg": event.payload(), **event.beside(), "time_stamp": int(time.time())})


@dataclass(frozen=True, kw_only=True)
class Resync(Event):
    """What was asked for with `since` is not kept: load lists and conversations anew, and go on from `seq`."""

    kind = Kind.ANSWER
    msg_type = "action"
    action = "resync"

    seq: int


@dataclass(frozen=True, kw_only=True)
class Expired(Event):
    """In place of an invitation whose time is over. `msg_id` and the chat or live are the invitation's."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "expired"

    chat_id: int | None = None
    live_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Refused(Event):
    """An element of a client's frame was not accepted. `client_msg_id` is that element's."""

    kind = Kind.ANSWER
    msg_type = "action"
    action = "refused"

    errorcode: int
    errormsg: str
    client_msg_id: str = ""
