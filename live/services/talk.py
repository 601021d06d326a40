"""What is said and lit up in a room."""

from typing import ClassVar

from django.db.models import F

from heihei_site.api import repeats
from heihei_site.api.errors import InvalidParameter, LiveInvalid, Muted, NotInRoom, TooManyRequests
from heihei_site.api.throttles import allowed
from heihei_site.console.tunables import tunables
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from live.events import Liked, RoomText, by
from live.models import Live, Member
from live.selectors import hold_place, is_inside, is_muted, may_moderate, speaker
from live.services import rooms
from users.models import User

LIKE_WORDS = {1: "点亮了", 2: "又点亮了", 3: "用了洪荒之力点亮了"}


class LiveRooms:
    """Live rooms as a kind of room that texts can be said in (`messages.rooms.RoomKind`)."""

    name: ClassVar[str] = "live"

    def say(self, *, sender: User, room_id: int, text: str) -> bool:
        """Only what nothing else refuses counts against the room's limit: nobody silences it from outside, or muted."""
        place = speaker(room_id, sender.pk)
        if place is None:
            if not Live.objects.on_air().filter(pk=room_id).exists():
                return False
            raise NotInRoom
        if place.muted:
            raise Muted
        if _is_flooded(place.live) and not may_moderate(place.live, sender):
            raise TooManyRequests
        _say(sender, place, text)
        return True

    def is_open(self, room_id: int) -> bool:
        return Live.objects.open().filter(pk=room_id).exists()

    def start(self, room_id: int) -> None:
        live = Live.objects.select_related("owner").filter(pk=room_id).first()
        if live is None:
            raise InvalidParameter
        try:
            rooms.start_live(owner=live.owner, live=live)
        except LiveInvalid:
            raise InvalidParameter from None

    def close(self, room_id: int) -> None:
        rooms.end_live(room_id)


@telling()
def _say(sender: User, place: Member, text: str) -> None:
    """Who mutes or kicks out the sender waits for the text or is before it: none is shown after they are told."""
    if not repeats.recognise(sender.pk, "text", place.live_id, text).fresh:
        return
    if not hold_place(place):
        raise NotInRoom
    if is_muted(place.live_id, sender.pk):
        raise Muted
    publish(text_by(sender, place.live, text), to=room(place.live))


def _is_flooded(live: Live) -> bool:
    """Counts one more. Without Redis no room is (`allowed`)."""
    return not allowed(tunables.ROOM_TEXTS_OF_ALL, "texts of a room", str(live.pk))


def text_by(sender: User, live: Live, text: str, gift_id: int | None = None) -> RoomText:
    return RoomText(room_id=live.pk, **by(sender), text=text, gift_id=gift_id)


def like(*, user: User, live: Live, kind: int) -> None:
    """Counts it; shows at most a few a second to the room (D27, D42)."""
    if not Live.objects.on_air().filter(pk=live.pk).exists():
        raise LiveInvalid
    if not is_inside(live, user.pk):
        raise NotInRoom
    is_shown = allowed(tunables.ROOM_LIKES_SHOWN, "likes", str(live.pk))  # asked before the room's row is held
    with telling():
        Live.objects.filter(pk=live.pk).update(likes=F("likes") + 1)
        if is_shown:
            shown = Liked(room_id=live.pk, **by(user), birth_day=user.birth_day, text=LIKE_WORDS[kind])
            publish(shown, to=room(live))
