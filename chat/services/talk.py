"""What happens in a call: coming in, staying, being away, topics, texts, hanging up."""

from typing import ClassVar

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from chat import selectors
from chat.events import PartnerAway, PartnerBack, TopicChanged
from chat.models import Chat, Side
from chat.services import topics
from chat.services.calls import closing_what_is_over, give_up, hold, sides_of, tell_sides
from heihei_site.api import repeats
from heihei_site.api.errors import ChatInvalid, InvalidParameter
from heihei_site.realtime.groups import person, room
from heihei_site.realtime.publish import publish, telling
from messages.room_events import RoomText, by
from users.models import User

Status = Side.Status


def hold_running(chat_id: int, user_id: int) -> Chat:
    """The call that this person is in, its row held. ChatInvalid for all others. Raises calls.Over."""
    chat = hold(chat_id)
    if chat is None or chat.state != Chat.State.RUNNING or user_id not in chat.people:
        raise ChatInvalid
    return chat


@closing_what_is_over
@telling()
def join(*, user: User, chat_id: int) -> tuple[Chat, list[Side]]:
    """Comes in, or in again. From the second one's coming on the call has a length."""
    chat = hold_running(chat_id, user.pk)
    sides = sides_of(chat)
    _come_in(chat, sides, user.pk)
    return chat, sides


def _come_in(chat: Chat, sides: list[Side], user_id: int) -> None:
    first_time = Side.objects.filter(chat=chat, user_id=user_id, joined_at=None).update(joined_at=Now())
    Side.objects.filter(chat=chat, user_id=user_id).update(lease_until=Now() + settings.CHAT_LEASE)
    others = [side for side in sides if side.user_id != user_id]
    if first_time and all(side.joined_at for side in others):
        Chat.objects.filter(pk=chat.pk).update(started_at=Now())


def beat(*, user: User, chat_id: int) -> None:
    """Renews the caller's lease. The first one says that they are there, and after a silence that they are back."""
    if not _renew(chat_id, user.pk):
        _beat_with_news(user, chat_id)


def _renew(chat_id: int, user_id: int) -> bool:
    """One statement where nothing is new: they were there, and the other one is not newly silent or lost."""
    fallen_silent = Q(lease_until__lte=Now()) & ~Q(status=Status.LOST)
    lost = Q(lease_until__lte=Now() - settings.CHAT_RECONNECT)
    news = Side.objects.filter(fallen_silent | lost, chat=OuterRef("chat"))
    there = Side.objects.filter(chat=chat_id, user=user_id, busy=True, status__in=(Status.NORMAL, Status.AWAY))
    in_time = there.filter(~Exists(news), lease_until__gt=Now())
    return bool(in_time.update(lease_until=Now() + settings.CHAT_LEASE))


@closing_what_is_over
@telling()
def _beat_with_news(user: User, chat_id: int) -> None:
    chat = hold_running(chat_id, user.pk)
    sides = sides_of(chat)
    _come_in(chat, sides, user.pk)
    changed = _note_silence([side for side in sides if side.user_id != user.pk])
    for side in sides:
        if side.user_id == user.pk and side.status in (Status.ENTERING, Status.LOST):
            changed = _set(side, Status.NORMAL)
    if changed:
        tell_sides(chat, sides)


def _set(side: Side, status: Side.Status) -> bool:
    side.status = status
    return bool(Side.objects.filter(pk=side.pk).update(status=status))


def _note_silence(sides: list[Side]) -> bool:
    fallen = [side for side in sides if side.is_silent and side.status != Status.LOST]
    for side in fallen:
        _set(side, Status.LOST)
    return bool(fallen)


@closing_what_is_over
@telling()
def note_silence(chat_id: int) -> bool:
    """Whose heart-beats have stopped has lost the line, and both are told. The second time they know."""
    chat = hold(chat_id)
    if chat is None or chat.state != Chat.State.RUNNING:
        return False
    sides = sides_of(chat)
    changed = _note_silence(sides)
    if changed:
        tell_sides(chat, sides)
    return changed


@closing_what_is_over
@telling()
def pause(*, user: User, chat_id: int, paused: bool) -> None:
    """Away for a moment, or back; the other one is told. The second time nothing happens."""
    chat = hold_running(chat_id, user.pk)
    sides = sides_of(chat)
    _come_in(chat, sides, user.pk)
    (own,) = (side for side in sides if side.user_id == user.pk)
    status = Status.AWAY if paused else Status.NORMAL
    if own.status == status:
        return
    was_away = own.status == Status.AWAY
    _set(own, status)
    if paused or was_away:
        news = PartnerAway(chat_id=chat.pk) if paused else PartnerBack(chat_id=chat.pk)
        publish(news, to=person(chat.other(user.pk)))
    tell_sides(chat, sides)


@closing_what_is_over
@telling()
def change_topic(*, user: User, chat_id: int) -> None:
    """Another one out of the pool, never the one they have; both are told."""
    chat = hold_running(chat_id, user.pk)
    topic = topics.pick(but=chat.topic_id)
    if topic is not None:
        Chat.objects.filter(pk=chat.pk).update(topic=topic)
        publish(TopicChanged(room_id=chat.pk, chat_id=chat.pk, text=topic.text), to=room(chat))


@closing_what_is_over
@telling()
def stop(*, user: User, chat_id: int) -> None:
    """Hangs up, or calls off what still rings. To strangers, and when it is over, nothing happens (D24)."""
    chat = hold(chat_id)
    if chat is not None and chat.is_current and user.pk in chat.people:
        give_up(chat, user)


class CallRooms:
    """Calls as a kind of room that texts can be said in (`messages.rooms.RoomKind`)."""

    name: ClassVar[str] = "chat"

    def say(self, *, sender: User, room_id: int, text: str) -> bool:
        if not selectors.is_in(room_id, sender.pk):
            return False
        try:
            _say(sender, room_id, text)
        except ChatInvalid:
            return False
        return True

    def is_open(self, room_id: int) -> bool:
        return Chat.objects.filter(pk=room_id, state__in=(*Chat.PENDING, Chat.State.RUNNING)).exists()

    def start(self, room_id: int) -> None:
        raise InvalidParameter

    def close(self, room_id: int) -> None:
        _close(room_id)


@closing_what_is_over
@telling()
def _close(chat_id: int) -> None:
    """As if its caller hung up."""
    chat = hold(chat_id)
    if chat is not None and chat.is_current:
        give_up(chat, chat.caller)


@closing_what_is_over
@telling()
def _say(sender: User, chat_id: int, text: str) -> None:
    fresh = repeats.recognise(sender.pk, "text", chat_id, text).fresh
    chat = hold_running(chat_id, sender.pk)
    if fresh:
        publish(RoomText(room_id=chat.pk, **by(sender), text=text), to=room(chat))
