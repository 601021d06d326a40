"""`msg/*`: what people say."""

from typing import NotRequired, TypedDict

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.errors import (
    AccountAbnormal,
    FileRefused,
    GiftUnknown,
    InvalidParameter,
    Muted,
    NotEnoughGold,
    NotInRoom,
    NotPermitted,
    RoomInvalid,
    TooManyRequests,
    UserUnknown,
)
from heihei_site.api.params import Id
from heihei_site.api.throttles import allowed
from heihei_site.console.tunables import tunables
from messages import params, rooms
from messages.models import InstantMessage
from messages.services import im
from users.models import User

api = Endpoints("message", prefix="msg")


class Said(TypedDict):
    """Of a text in a room nothing, of a message to a person what it was stored as."""

    msg_id: NotRequired[int]
    create_time: NotRequired[int]


@api.post(
    also=["message/send-msg"],
    raises=[
        RoomInvalid,
        NotInRoom,
        Muted,
        UserUnknown,
        NotPermitted,
        TooManyRequests,
        FileRefused,
        GiftUnknown,
        NotEnoughGold,
        AccountAbnormal,
    ],
)
def send_msg(
    caller: Caller,
    *,
    text: params.Text | None = None,
    room_id: Id | None = None,
    live_id: Id | None = None,
    to_user_id: Id | None = None,
    msg_type: params.Kind = InstantMessage.Kind.TEXT,
    content: params.Content | None = None,
    client_msg_id: params.ClientMsgId = "",
) -> Said:
    """Says a text to everybody in a room, or writes to one person. Parameters of both at once, or neither: 700.

    To a room: `text`, `roomId` and `liveId`, which are the same number; where they differ: 733. The 1.1 app sends it
    up to three times; an identical text within 3 s is the same text and is shown once (D26). Blocked words are shown as
    stars to everybody, the sender included. 722 for who is muted there; 429 for who says more than anybody reads, and
    for everybody but owner, managers and operators while the whole room does.

    To a person (D14): `toUserId` and `content`, as JSON or its text. `msgType` says what it is: `text`, `{"text": …}`
    with 1 to 500 characters, blocked words as stars; `image`, `audio` or `video`, `{"sign": …, "length": …}` with the
    sign of an upload of one's own (102) and, of sound, 1 to 300 seconds, which count until it has been measured;
    `gift`, `{"giftId": …}`, paid with the message (730, 740; 721 for minors). `msgId` and `createTime` (seconds) are
    those of the stored message, which both get over the socket. The same `clientMsgId` (it begins with anything but
    `heihei `) again is the same message: same answer, told and paid once. 711 where either blocks the other.
    """
    match (text, room_id, live_id), (to_user_id, content):
        case (str(said), int(room), int(live)), (None, None):
            _say(caller.person, said, room, live)
            return {}
        case (None, None, None), (int(recipient_id), dict(body)):
            sent = im.send(
                sender=caller.person,
                recipient_id=recipient_id,
                kind=msg_type,
                content=body,
                client_msg_id=client_msg_id,
            )
            return {"msg_id": sent.msg_id, "create_time": sent.create_time}
        case _:
            raise InvalidParameter


def _say(speaker: User, text: str, room_id: int, live_id: int) -> None:
    if not allowed(tunables.ROOM_TEXTS, "room texts", str(speaker.pk)):
        raise TooManyRequests
    if room_id != live_id:
        raise RoomInvalid
    rooms.say(sender=speaker, room_id=room_id, text=text)
