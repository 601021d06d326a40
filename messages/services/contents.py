"""What a phone may say in a message (D14), and what sending it does besides."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.conf import settings

from heihei_site.api import repeats
from heihei_site.api.errors import AccountAbnormal, GiftUnknown, InvalidParameter
from heihei_site.uploads import claims
from heihei_site.uploads.claims import Media
from messages.models import InstantMessage
from payment.models import Gift
from payment.services.gifts import Combo
from users.models import User
from users.services import giving, words

Kind = InstantMessage.Kind
WRITTEN = (Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.GIFT)  # by people; the others are ours to write
AT_HAND = (Kind.TEXT,)  # nothing but the words themselves is looked at
OUR_NAME = "heihei "  # what we name messages with begins so, and no `clientMsgId`
UPLOADS_OF_MESSAGES = "im:"  # how an upload names the message that uses it; its id follows
_MEDIA = {Kind.IMAGE: Media.IMAGE, Kind.AUDIO: Media.AUDIO, Kind.VIDEO: Media.VIDEO}
_ADDRESS = {Media.IMAGE: "img", Media.AUDIO: "audio", Media.VIDEO: "video"}
_INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # categories of characters


def _nothing(msg_id: int, recipient_id: int) -> None:
    pass


def _no_name() -> str:
    return ""


@dataclass(frozen=True)
class Said:
    """A message on its way: what both will read, what is done once it is stored (in the same transaction, before
    message lists are locked), and its name where the phone gave it none."""

    content: Mapping[str, Any]
    settle: Callable[[int, int], None] = _nothing
    name: Callable[[], str] = _no_name


def read(sender: User, recipient_id: int, kind: str, content: Mapping[str, Any]) -> Said:
    """What the phone means; InvalidParameter where that is nothing, and what each kind refuses with."""
    match kind:
        case Kind.TEXT:
            return Said({"text": words.masked(_text_of(content))})
        case Kind.GIFT:
            return _gift(sender, recipient_id, content)
        case Kind.IMAGE | Kind.AUDIO | Kind.VIDEO:
            return _file(sender, _MEDIA[Kind(kind)], content)
        case _:
            raise InvalidParameter


def _text_of(content: Mapping[str, Any]) -> str:
    """The text of a text message, without what else a phone may have put beside it; InvalidParameter if it has none
    that anybody could read."""
    text = content.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= settings.INSTANT_MESSAGE_LENGTH:
        raise InvalidParameter
    categories = set(map(unicodedata.category, text))
    if categories <= _INVISIBLE or "Cs" in categories or "\0" in text:  # half a character, and what is no text in SQL
        raise InvalidParameter
    return text


def _file(sender: User, media: Media, content: Mapping[str, Any]) -> Said:
    """An upload of the sender's own, named by its `sign`. Asks the storage."""
    sign, length = content.get("sign"), content.get("length")
    if not isinstance(sign, str) or not sign:
        raise InvalidParameter
    said: dict[str, Any] = {}
    if media is Media.AUDIO:
        said["length"] = _whole_seconds(length)
    found = claims.find(owner_id=sender.pk, sign=sign, media=media)

    def use(msg_id: int, recipient_id: int) -> None:
        claims.claim(found, used_by=f"{UPLOADS_OF_MESSAGES}{msg_id}")

    return Said({_ADDRESS[media]: found.url, **said}, settle=use)


def _whole_seconds(length: object) -> int:
    """As the phone says, until the file has been measured."""
    number = _number(length)
    if number is None or not 1 <= number <= settings.VOICE_SECONDS:
        raise InvalidParameter
    return number


def _number(said: object) -> int | None:
    """Numbers come as such or as their text; a length also with a fraction."""
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) < 10:
        return int(said)
    if isinstance(said, float) and 0 < said < 2**31:
        return ceil(said)
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def _gift(sender: User, recipient_id: int, content: Mapping[str, Any]) -> Said:
    """Paid with the message (D19, D26). A phone that gives its message no name and sends it again within seconds gives
    one gift."""
    if sender.is_protected_minor:
        raise AccountAbnormal
    gift_id = _number(content.get("giftId"))
    if gift_id is None:
        raise InvalidParameter
    gift = Gift.objects.filter(pk=gift_id, active=True).first() if 0 < gift_id < 2**31 else None
    if gift is None:
        raise GiftUnknown

    def pay(msg_id: int, receiver_id: int) -> None:
        giving.pay(
            sender_id=sender.pk,
            receiver_id=receiver_id,
            place=f"im:{receiver_id}",
            gift=gift,
            combo=Combo("", 1),
            repeat_key=str(msg_id),
        )

    def name() -> str:
        return f"{OUR_NAME}gift {repeats.recognise(sender.pk, 'im gift', recipient_id, gift_id).key}"

    return Said({"text": f"我送你{gift.name}", "gift_id": gift.pk}, settle=pay, name=name)
