"""`msg/*`: what people say."""

from typing import Annotated

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import NotInRoom, RoomInvalid
from heihei_site.api.params import Id, Word, text_field
from heihei_site.api.throttles import Limit
from messages import rooms

api = Endpoints("message", prefix="msg")

Text = Annotated[str, Word(text_field(settings.ROOM_TEXT_LENGTH))]


@api.post(
    also=["message/send-msg"],
    raises=[RoomInvalid, NotInRoom],
    limits=[Limit(settings.ROOM_TEXTS)],
)
def send_msg(caller: Caller, *, text: Text, room_id: Id, live_id: Id) -> Nothing:
    """Says a text to everybody in a room. `roomId` and `liveId` are the same number; where they differ: 733.

    The 1.1 app sends it up to three times; an identical text within 3 s is the same text and is shown once (D26).
    """
    if room_id != live_id:
        raise RoomInvalid
    rooms.say(sender=caller.person, room_id=room_id, text=text)
    return {}
