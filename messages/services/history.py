"""What somebody was told by others, read or not (msg/history-msg). It is their stream of personal messages seen again:
kept as long as that, and its numbers are the positions here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from heihei_site.api.clients import Client
from heihei_site.realtime import storage
from heihei_site.realtime.models import Message, StreamKind
from heihei_site.realtime.publish import telling
from messages.models import HistoryMark, InstantMessage, Mailbox
from messages.services import entries, marks

CALL = "due-chat-notify"
INVITATIONS = {CALL, "live-invite"}  # actions
UNCOUNTED = {InstantMessage.Kind.DUE_CHAT, InstantMessage.Kind.TOPIC}  # in the message list


@dataclass
class History:
    """A page, the newest first. `unread_count` is of all that is kept."""

    read: list[orjson.Fragment] = field(default_factory=list)
    unread: list[orjson.Fragment] = field(default_factory=list)
    unread_count: int = 0


@dataclass(frozen=True)
class Page:
    """The newest `limit` messages but the first `offset`; of those before a position where one is given."""

    before: int | None
    offset: int
    limit: int


def read_page(*, owner_id: int, client: Client, page: Page) -> History:
    """One query of at most
    PERSONAL_MESSAGES_KEPT rows, one of the marks among them, one of the mailbox."""
    read_until = Mailbox.objects.filter(pk=owner_id).values_list("read_until", flat=True).first() or 0
    marked = dict(HistoryMark.objects.filter(owner=owner_id).values_list("seq", "deleted"))
    found, passed = History(), 0
    rows = _told(owner_id).filter(needs__lte=storage.as_number(client.generation)).order_by("-seq")
    kept = rows.values_list("seq", "element", F("expires_at") - Now())[: settings.PERSONAL_MESSAGES_KEPT]
    for seq, text, remaining in kept.iterator():
        element = orjson.loads(text)
        if marked.get(seq) or not _is_said(element):
            continue
        unread = seq > read_until and seq not in marked and _asks_for_reading(element, owner_id)
        found.unread_count += unread
        passed += page.before is None or seq < page.before
        if page.offset < passed <= page.offset + page.limit and (page.before is None or seq < page.before):
            if element["msg"].get("action") == CALL:
                _as_kept(element["msg"], remaining)
            item = orjson.Fragment(orjson.dumps({**element, "seq": seq}))
            (found.unread if unread else found.read).append(item)
    return found


def _told(owner_id: int) -> QuerySet[Message]:
    return Message.objects.filter(kind=StreamKind.PERSON, owner_id=owner_id)


def _is_said(element: dict[str, Any]) -> bool:
    """By a person to a person; not what only moves the screens of a phone."""
    return element.get("msgType") == "IM" or element["msg"].get("action") in INVITATIONS


def _asks_for_reading(element: dict[str, Any], owner_id: int) -> bool:
    message = element["msg"]
    return bool(message.get("fromUserId") != owner_id and message["msgType"] != InstantMessage.Kind.TOPIC)


def _as_kept(message: dict[str, Any], remaining: timedelta) -> None:
    """As the apps of that time got it. It rings no phone later: it says what remains of its time, or 0."""
    message.update(needstore=True, getuiAction="duechat", expireTime=max(0, storage.whole_seconds(remaining)))


def read_one(*, owner_id: int, msg_id: int) -> None:
    """Nothing where it is not kept, or read."""
    _mark(owner_id, msg_id, deleted=False)


def delete(*, owner_id: int, msg_id: int) -> None:
    """For its owner; what was unread is so no more. Nothing where it is not kept."""
    _mark(owner_id, msg_id, deleted=True)


def _mark(owner_id: int, msg_id: int, *, deleted: bool) -> None:
    with telling():
        for seq, text in _find(owner_id, msg_id):
            writer_id = _writer(owner_id, orjson.loads(text))
            if writer_id:
                entries.hold(owner_id=owner_id, peer_id=writer_id)
            if marks.mark(owner_id, seq, deleted=deleted) and writer_id:
                entries.read_one(owner_id=owner_id, peer_id=writer_id)


def withdraw(owner_id: int, msg_id: int) -> None:
    """As `delete`, within the telling() of who takes the message back."""
    _mark(owner_id, msg_id, deleted=True)


def _find(owner_id: int, msg_id: int) -> Sequence[tuple[int, str]]:
    return list(_told(owner_id).filter(storage.named(msg_id)).values_list("seq", "element")[:1])


def _writer(owner_id: int, element: dict[str, Any]) -> int:
    """Of what is counted in the message list: what somebody else wrote. 0 of everything else."""
    message = element["msg"]
    written = element.get("msgType") == "IM" and message["msgType"] not in UNCOUNTED
    return int(message["fromUserId"]) if written and message["fromUserId"] != owner_id else 0
