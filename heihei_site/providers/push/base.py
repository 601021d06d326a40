"""What a vendor of pushes is given, and what it says about each."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

KINDS = ("apns", "getui", "gcm")  # as phones name them (`apnsType`)


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One push to one device."""

    request_id: str  # 10 to 32 letters, the same whenever this push is tried: the vendor is to act once
    repeated: bool  # it may have been handed over before, by a worker that died before it could note the answer
    user_id: int
    platform: str  # android, ios
    token: str
    title: str
    text: str
    payload: dict[str, Any]  # what the app reads, in the spelling of the wire
    collapse: str  # at most 64 letters; what has the same replaces it on the screen, a repeat of itself at least
    urgent: bool  # a call
    expires_at: datetime  # of no use after that


class Result(enum.Enum):
    ACCEPTED = "accepted"
    DEAD = "dead"  # the device is gone for good: the app was removed, the token is none
    LATER = "later"  # not taken, or nobody knows
    REFUSED = "refused"  # the vendor will not take it later either, whatever the device


@dataclass(frozen=True)
class Answer:
    """`reason` in the vendor's own word, never to whom or what."""

    result: Result
    reason: str = ""


class NotTaken(Exception):
    """Nothing of the batch was taken, or nobody knows; it is tried again. Says why in the vendor's own word."""


class PushVendor(Protocol):
    development_only: ClassVar[bool]

    def send(self, notifications: Sequence[Notification]) -> Sequence[Answer]:
        """Hands over up to 200 and says of each, in their order, what became of it. Within 30 s; NotTaken or an OSError
        where that failed for all."""
        ...
