"""Writing to one person (D14)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import Q

from heihei_site.api.errors import InvalidParameter, NotPermitted, TooManyRequests, UserUnknown
from heihei_site.api.ids import unguessable_id
from heihei_site.api.throttles import allowed
from heihei_site.realtime.events import Event
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from messages import openings
from messages.events import OF_KIND, Jump, talker_card
from messages.models import Entry, InstantMessage
from messages.selectors import Addressee, find_addressee
from messages.services import contents, entries
from users.models import User

# One statement, so that of parallel repeats one stores and all others wait for it and get the same.
_STORE = """
INSERT INTO inbox_instantmessage (msg_id, sender_id, recipient_id, kind, content, jump, collapse, client_msg_id)
VALUES (%(msg_id)s, %(sender)s, %(recipient)s, %(kind)s, %(content)s, %(jump)s, %(collapse)s, %(client_msg_id)s)
ON CONFLICT (sender_id, client_msg_id) WHERE client_msg_id <> '' DO UPDATE SET client_msg_id = excluded.client_msg_id
RETURNING msg_id, created_at
"""


@dataclass(frozen=True)
class Sent:
    """A stored message. `fresh` only the first time; else what it says is what this request said."""

    msg_id: int
    created_at: datetime
    kind: str
    content: Mapping[str, Any]
    jump: Jump | None = None
    fresh: bool = False

    @property
    def create_time(self) -> int:
        return int(self.created_at.timestamp())


def send(*, sender: User, recipient_id: int, kind: str, content: Mapping[str, Any], client_msg_id: str = "") -> Sent:
    """Stores the message and tells both. The same `client_msg_id` again, whatever it says, is the first message:
    same answer, nobody is told or charged anew, even where the two have fallen out since."""
    if not allowed(settings.INSTANT_MESSAGES, "instant messages", str(sender.pk)):
        raise TooManyRequests
    if recipient_id == sender.pk:
        raise InvalidParameter
    if client_msg_id and kind not in contents.AT_HAND and (first := _first(sender, client_msg_id)):
        return first
    said = contents.read(sender, recipient_id, kind, content)
    if not 0 < recipient_id < 2**31:
        raise UserUnknown
    with telling():
        sent = store(sender.pk, recipient_id, kind, said.content, client_msg_id or said.name())
        if sent.fresh:
            addressee = _addressee(sender, recipient_id)
            said.settle(sent.msg_id, recipient_id)
            _note_and_tell(sender, addressee, sent, client_msg_id)
    return sent


def _first(sender: User, client_msg_id: str) -> Sent | None:
    """What was stored under this name: a repeat is not refused for a file or a purse of today."""
    for stored in InstantMessage.objects.filter(sender=sender, client_msg_id=client_msg_id):
        return Sent(stored.pk, stored.created_at, stored.kind, stored.content)
    return None


def store(
    sender_id: int,
    recipient_id: int,
    kind: str,
    content: Mapping[str, Any],
    client_msg_id: str = "",
    *,
    jump: Jump | None = None,
    collapse: str = "",
) -> Sent:
    """Within telling(). The row counts as that of a repeated request: it is locked before everything else."""
    msg_id = unguessable_id()
    row: dict[str, Any] = {
        "msg_id": msg_id,
        "sender": sender_id,
        "recipient": recipient_id,
        "kind": kind,
        "content": orjson.dumps(content).decode(),
        "jump": orjson.dumps(jump).decode() if jump else None,
        "collapse": collapse,
        "client_msg_id": client_msg_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STORE, row)
        stored_id, created_at = cursor.fetchone()
    return Sent(stored_id, created_at, kind, content, jump, fresh=stored_id == msg_id)


def _addressee(sender: User, recipient_id: int) -> Addressee:
    """Asked after storing, so that a repeat gets its first answer first; a refusal takes the row back."""
    addressee = find_addressee(sender.pk, recipient_id)
    if addressee is None:
        raise UserUnknown
    if addressee.blocked:
        raise NotPermitted
    return addressee


def _note_and_tell(sender: User, addressee: Addressee, sent: Sent, client_msg_id: str) -> None:
    """In both lists, unread in one. `isFollowed` in each copy is how its reader stands to the other."""
    recipient = addressee.person
    unlisted = entries.note(
        entries.News(sender.pk, recipient.pk, Entry.Kind.IM, message_id=sent.msg_id),
        entries.News(recipient.pk, sender.pk, Entry.Kind.IM, message_id=sent.msg_id, unread=1),
    )
    if unlisted and (topic := openings.pick()) and not _wrote_before(sender.pk, recipient.pk, sent.msg_id):
        opening = store(sender.pk, recipient.pk, InstantMessage.Kind.TOPIC, {"text": f"#{topic}#"})
        _tell(sender, addressee, opening)
    _tell(sender, addressee, sent, client_msg_id)


def _wrote_before(one_id: int, other_id: int, but: int) -> bool:
    between = Q(sender=one_id, recipient=other_id) | Q(sender=other_id, recipient=one_id)
    return InstantMessage.objects.filter(between).exclude(pk=but).exists()


def _tell(sender: User, addressee: Addressee, sent: Sent, client_msg_id: str = "") -> None:
    recipient = addressee.person
    publish(copy(sent, sender, recipient, followed=addressee.follows_sender), to=person(recipient))
    mine = copy(sent, sender, recipient, follows=addressee.followed_by_sender, client_msg_id=client_msg_id)
    publish(mine, to=person(sender))


def copy(
    sent: Sent, sender: User, recipient: User, *, followed: bool = False, follows: bool = False, client_msg_id: str = ""
) -> Event:
    """The message as one of the two reads it: whether the sender is `followed` by them, or `follows` the recipient."""
    cards = [talker_card(sender, followed=followed), talker_card(recipient, followed=follows)]
    more: dict[str, Any] = {"jump": sent.jump} if sent.jump else {}
    if client_msg_id:
        more["client_msg_id"] = client_msg_id
    return OF_KIND[sent.kind](
        msg_id=sent.msg_id,
        from_user_id=sender.pk,
        to_user_id=recipient.pk,
        content=sent.content,
        create_time=sent.create_time,
        users={str(card["id"]): card for card in cards},
        **more,
    )


def echo(sender: User, sent: Sent, client_msg_id: str) -> Event:
    """The sender's copy of a message that was stored before: who repeats it has not heard of the first."""
    stored = InstantMessage.objects.select_related("recipient").get(pk=sent.msg_id)
    recipient = stored.recipient
    first = Sent(stored.pk, stored.created_at, stored.kind, stored.content)
    follows = recipient.followers.filter(follower=sender).exists()
    return copy(first, sender, recipient, follows=follows, client_msg_id=client_msg_id)
