"""What of a personal message is also pushed to phones whose person is away. The app that knows devices registers how it
is written down (docs/adr/0011-push-outbox.md)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from heihei_site.api.clients import Generation


@dataclass(frozen=True, kw_only=True)
class Push:
    """What the phone shows, and what touching it opens.

    `links` by the oldest generation of clients that knows them: each gets the newest it knows; who is older than all of
    them gets no push. Of what waits for a phone under one `collapse` only the newest is sent. A call `rings`: also in
    the night.
    """

    title: str
    text: str
    action: str
    links: Mapping[Generation, str]
    from_user_id: int = 0
    from_user_name: str = ""
    gender: str = ""
    collapse: str = ""
    rings: bool = False
    lifetime: int | None = None  # seconds after which it is pointless; None: as long as the message says, or allowed


@dataclass(frozen=True)
class ToPush:
    """A push and whom it is for. `kept`: what `as_json` gave."""

    people: list[int]
    kept: dict[str, Any]
    seconds: int | None  # after which it is pointless
    to_many: bool = False  # and may wait for what is to one


Write = Callable[[Sequence[ToPush]], None]

_registered: list[Write] = []


def register(write: Write) -> None:
    """`write` is called within the transaction that tells the message. There is one; registering again replaces it."""
    _registered[:] = [write]


def write(pushes: Sequence[ToPush]) -> None:
    for each in _registered:
        each(pushes)


def as_json(push: Push, *, msg_id: int, needs: Generation) -> dict[str, Any]:
    """As rows keep it: the fields of a Push, its `links` as [[[major, minor], link], ...] from the oldest on, and the
    `msg_id`. Nobody whose client is older than `needs` is told the message itself, so not this either."""
    known: dict[Generation, str] = {}
    for generation in sorted(push.links):
        known[max(generation, needs)] = push.links[generation]
    links = [[[*generation], link] for generation, link in known.items()]
    return {**asdict(push), "links": links, "msg_id": msg_id}
