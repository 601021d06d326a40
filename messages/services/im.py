"""Writing to one person (D14)."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import connection

from heihei_site.api.errors import InvalidParameter, NotPermitted, TooManyRequests, UserUnknown
from heihei_site.api.ids import unguessable_id
from heihei_site.api.throttles import allowed
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from messages.events import DueChatContent, ImText, TalkerCard, TextContent, talker_card
from messages.models import Entry, InstantMessage
from messages.selectors import Addressee, find_addressee
from messages.services import entries
from users.models import User

# One statement, so that of parallel repeats one stores and all others wait for it and get the same.
_STORE = """
INSERT INTO inbox_instantmessage (msg_id, sender_id, recipient_id, kind, content, client_msg_id)
VALUES (%(msg_id)s, %(sender)s, %(recipient)s, %(kind)s, %(content)s, %(client_msg_id)s)
ON CONFLICT (sender_id, client_msg_id) WHERE client_msg_id <> '' DO UPDATE SET client_msg_id = excluded.client_msg_id
RETURNING msg_id, created_at
"""
Content = TextContent | DueChatContent
_INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # categories of characters


@dataclass(frozen=True)
class Sent:
    """A stored message. `fresh` only the first time."""

    msg_id: int
    created_at: datetime
    fresh: bool

    @property
    def create_time(self) -> int:
        return int(self.created_at.timestamp())


def send(*, sender: User, recipient_id: int, kind: str, content: object, client_msg_id: str = "") -> Sent:
    """Stores the message and tells both. The same `client_msg_id` again, whatever it says, is the first message:
    same answer, nobody is told anew, even where the two have fallen out since."""
    if not allowed(settings.INSTANT_MESSAGES, "instant messages", str(sender.pk)):
        raise TooManyRequests
    if kind != InstantMessage.Kind.TEXT or recipient_id == sender.pk:
        raise InvalidParameter
    said = text_of(content)
    if not 0 < recipient_id < 2**31:
        raise UserUnknown
    with telling():
        sent = store(sender.pk, recipient_id, kind, said, client_msg_id)
        if sent.fresh:
            _tell(sender, _addressee(sender, recipient_id), said, sent, client_msg_id)
            _note(sender.pk, recipient_id, sent.msg_id)
    return sent


def text_of(content: object) -> TextContent:
    """The text of a text message, without what else a phone may have put beside it; InvalidParameter if it has none
    that anybody could read."""
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= settings.INSTANT_MESSAGE_LENGTH:
        raise InvalidParameter
    categories = set(map(unicodedata.category, text))
    if categories <= _INVISIBLE or "Cs" in categories or "\0" in text:  # half a character, and what is no text in SQL
        raise InvalidParameter
    return {"text": text}


def store(sender_id: int, recipient_id: int, kind: str, content: Content, client_msg_id: str) -> Sent:
    msg_id = unguessable_id()
    row: dict[str, Any] = {
        "msg_id": msg_id,
        "sender": sender_id,
        "recipient": recipient_id,
        "kind": kind,
        "content": orjson.dumps(content).decode(),
        "client_msg_id": client_msg_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STORE, row)
        stored_id, created_at = cursor.fetchone()
    return Sent(stored_id, created_at, fresh=stored_id == msg_id)


def _addressee(sender: User, recipient_id: int) -> Addressee:
    """Asked after storing, so that a repeat gets its first answer first; a refusal takes the row back."""
    addressee = find_addressee(sender.pk, recipient_id)
    if addressee is None:
        raise UserUnknown
    if addressee.blocked:
        raise NotPermitted
    return addressee


def _note(sender_id: int, recipient_id: int, msg_id: int) -> None:
    """In both lists; unread in one."""
    entries.note(
        entries.News(sender_id, recipient_id, Entry.Kind.IM, message_id=msg_id),
        entries.News(recipient_id, sender_id, Entry.Kind.IM, message_id=msg_id, unread=1),
    )


def _tell(sender: User, addressee: Addressee, said: TextContent, sent: Sent, client_msg_id: str) -> None:
    """`isFollowed` in each copy is how its reader stands to the other."""
    recipient = addressee.person
    to_recipient = [talker_card(sender, followed=addressee.follows_sender), talker_card(recipient)]
    to_sender = [talker_card(sender), talker_card(recipient, followed=addressee.followed_by_sender)]
    publish(_text(sent, sender.pk, recipient.pk, said, to_recipient), to=person(recipient))
    publish(_text(sent, sender.pk, recipient.pk, said, to_sender, client_msg_id), to=person(sender))


def echo(sender: User, sent: Sent) -> ImText:
    """The sender's copy of a message that was stored before: who repeats it has not heard of the first."""
    stored = InstantMessage.objects.select_related("recipient").get(pk=sent.msg_id)
    recipient = stored.recipient
    followed = recipient.followers.filter(follower=sender).exists()
    cards = [talker_card(sender), talker_card(recipient, followed=followed)]
    return _text(sent, sender.pk, recipient.pk, stored.content, cards, stored.client_msg_id)


def _text(
    sent: Sent, sender_id: int, recipient_id: int, said: TextContent, cards: list[TalkerCard], client_msg_id: str = ""
) -> ImText:
    return ImText(
        msg_id=sent.msg_id,
        from_user_id=sender_id,
        to_user_id=recipient_id,
        content=said,
        create_time=sent.create_time,
        client_msg_id=client_msg_id or None,
        users={str(card["id"]): card for card in cards},
    )
