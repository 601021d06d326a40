"""What is told to rooms of every kind, a live's and a call's alike (D13)."""

from dataclasses import dataclass
from typing import TypedDict

from heihei_site.realtime.events import Event, Kind
from users.models import User


class By(TypedDict):
    from_user_id: int
    from_user_name: str
    gender: str
    cover_url: str


def by(user: User) -> By:
    """Who did it, for every message in which somebody does something."""
    return {
        "from_user_id": user.pk,
        "from_user_name": user.display_name,
        "gender": user.gender,
        "cover_url": user.cover_url,
    }


@dataclass(frozen=True, kw_only=True)
class BySomebody:
    """The fields of `by`."""

    from_user_id: int
    from_user_name: str
    gender: str
    cover_url: str


@dataclass(frozen=True, kw_only=True)
class RoomText(BySomebody, Event):
    """Somebody says something; with `gift_id` the phone shows that gift's icon beside it (D26)."""

    kind = Kind.ROOM
    msg_type = "text"

    room_id: int
    text: str
    gift_id: int | None = None


class GiftShown(TypedDict):
    id: int
    name: str
    type: int
    desc: str


@dataclass(frozen=True, kw_only=True)
class GiftSent(BySomebody, Event):
    """Somebody gave the owner of a live a gift, or the other one in a call; every phone there animates it.

    `amount` is the sender's combo counter; `total_ticket` is what the receiver ever earned.
    """

    kind = Kind.ROOM
    msg_type = "gift"

    room_id: int
    gift_id: int
    gift: GiftShown
    amount: int
    gift_uuid: str
    total_ticket: int
