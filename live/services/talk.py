"""What is said and lit up in a room."""

from django.conf import settings
from django.db.models import F

from heihei_site.api.errors import LiveInvalid, NotInRoom
from heihei_site.api.throttles import allowed
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from live.events import Liked, RoomText, by
from live.models import Live
from live.selectors import is_inside
from users.models import User
from users.services import repeats

LIKE_WORDS = {1: "点亮了", 2: "又点亮了", 3: "用了洪荒之力点亮了"}


class LiveRooms:
    """Live rooms as a kind of room that texts can be said in (`messages.rooms.RoomKind`)."""

    @telling()
    def say(self, *, sender: User, room_id: int, text: str) -> bool:
        live = Live.objects.on_air().filter(pk=room_id).first()
        if live is None:
            return False
        if not is_inside(live, sender.pk):
            raise NotInRoom
        if repeats.recognise(sender.pk, "text", live.pk, text).fresh:
            publish(text_by(sender, live, text), to=room(live))
        return True


def text_by(sender: User, live: Live, text: str, gift_id: int | None = None) -> RoomText:
    return RoomText(room_id=live.pk, **by(sender), text=text, gift_id=gift_id)


def like(*, user: User, live: Live, kind: int) -> None:
    """Counts it; shows at most a few a second to the room (D27, D42)."""
    if not Live.objects.on_air().filter(pk=live.pk).exists():
        raise LiveInvalid
    if not is_inside(live, user.pk):
        raise NotInRoom
    is_shown = allowed(settings.ROOM_LIKES_SHOWN, "likes", str(live.pk))  # asked before the room's row is held
    with telling():
        Live.objects.filter(pk=live.pk).update(likes=F("likes") + 1)
        if is_shown:
            shown = Liked(room_id=live.pk, **by(user), birth_day=user.birth_day, text=LIKE_WORDS[kind])
            publish(shown, to=room(live))
