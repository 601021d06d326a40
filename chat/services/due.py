"""Calling somebody: ringing, answering, refusing, calling back what was missed (D32)."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.db.models.functions import Now

from chat.events import RING_SECONDS, CallOffered
from chat.models import Chat, Side
from chat.services.calls import (
    call_off,
    closing_what_is_over,
    connect,
    create,
    hang_up,
    held_calls,
    hold,
    lock_people,
)
from heihei_site.api.errors import (
    CalleeBroadcasting,
    CalleeBusy,
    ChatInvalid,
    InvalidParameter,
    NotPermitted,
    TokenInvalid,
    TooLate,
    UserUnknown,
)
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from messages.room_events import by
from users import activity
from users.models import User
from users.selectors import blocked_between

State = Chat.State
FIRST, BACK = 0, 1  # `type` of due-chat-notify and accept-chat


@dataclass(frozen=True)
class Ringing:
    """`seconds` are left for an answer."""

    chat_id: int
    seconds: int


@closing_what_is_over
@telling()
def call(*, caller: User, callee_id: int) -> Ringing:
    """Rings somebody; where they are just ringing the caller, both are told to come in. The second time it is the
    first call with the time it has left.

    Refuses with CalleeBroadcasting, and with CalleeBusy where either is in a call; between people of whom one blocks
    the other, always with CalleeBusy (D18). Nobody is refused for being on air themselves: the app ends their live.
    """
    if caller.pk == callee_id:
        raise InvalidParameter
    people = _people(caller.pk, callee_id)
    current = held_calls(people)
    blocked, on_air = blocked_between(caller.pk, callee_id), _is_on_air(callee_id)
    if blocked:
        raise CalleeBusy
    for chat in current:
        if set(chat.people) == set(people):
            return _of_the_two(chat, caller.pk)
    if on_air and not any(callee_id in chat.people for chat in current):
        raise CalleeBroadcasting
    if current:
        raise CalleeBusy
    chat = create(caller.pk, callee_id, kind=Chat.Kind.DUE, state=State.RINGING)
    _ring(chat.pk, people[caller.pk], callee_id, FIRST)
    return Ringing(chat.pk, RING_SECONDS)


def _people(caller_id: int, callee_id: int) -> dict[int, User]:
    people = lock_people([caller_id, callee_id])
    if callee_id not in people or not people[callee_id].is_here:
        raise UserUnknown
    if not people[caller_id].is_here:  # banned or gone while this request was on its way
        raise TokenInvalid
    return people


def _is_on_air(user_id: int) -> bool:
    doing = activity.of([user_id]).get(user_id)
    return doing is not None and doing.kind == activity.BROADCASTING


def _ring(chat_id: int, caller: User, callee_id: int, kind: int) -> None:
    publish(CallOffered(chat_id=chat_id, **by(caller), birth_day=caller.birth_day, type=kind), to=person(callee_id))


def _of_the_two(chat: Chat, caller_id: int) -> Ringing:
    """There is a call between them already. CalleeBusy for who is talking in it."""
    if chat.state == State.RUNNING:
        if _is_inside(chat, caller_id):
            raise CalleeBusy
        return Ringing(chat.pk, RING_SECONDS)
    if chat.waits_for_answer == caller_id:
        return Ringing(chat.pk, _left(chat))
    connect(chat)
    return Ringing(chat.pk, RING_SECONDS)


def _left(chat: Chat) -> int:
    assert chat.deadline is not None
    return max(ceil((chat.deadline - chat.now) / timedelta(seconds=1)), 1)


def _is_inside(chat: Chat, user_id: int) -> bool:
    return Side.objects.filter(chat=chat, user_id=user_id, joined_at__isnull=False).exists()


@closing_what_is_over
@telling()
def accept(*, user: User, chat_id: int, partner_id: int, kind: int) -> int:
    """Who is rung wants to talk: both are told to come in. Who was rung and did not answer in time calls back instead,
    and the other one is rung. Returns the seconds to wait for either. The second time it is accepted already.

    What decides is who answers what: the shipped app says `kind` 0 to everything. TooLate for what the other one called
    off; ChatInvalid for what never rang for them, and for what nobody waits for any more.
    """
    asked = Chat.objects.filter(pk=chat_id).first()
    if asked is None or user.pk not in asked.people:
        raise ChatInvalid
    if partner_id != asked.other(user.pk):
        raise InvalidParameter
    people = _people(user.pk, partner_id)
    chat = hold(chat_id)
    assert chat is not None
    if chat.state in Chat.PENDING and chat.rings_for == user.pk:
        connect(chat)
    elif chat.state == State.MISSED and chat.callee_id == user.pk and kind == FIRST:
        _call_back(chat, people)
    elif chat.state == State.RINGING_BACK:  # and it is they who called back
        return _left(chat)
    elif chat.state != State.RUNNING:
        raise TooLate if chat.outcome in (Chat.Outcome.CANCELLED, Chat.Outcome.REFUSED) else ChatInvalid
    return RING_SECONDS


def _call_back(chat: Chat, people: dict[int, User]) -> None:
    """Refuses as `call` does, for who called first is the one to be called now."""
    if blocked_between(*chat.people):
        raise CalleeBusy
    if _is_on_air(chat.caller_id):
        raise CalleeBroadcasting
    if held_calls(chat.people):
        raise CalleeBusy
    rings = {"state": State.RINGING_BACK, "called_back": True, "outcome": "", "deadline": Now() + settings.CHAT_RING}
    Chat.objects.filter(pk=chat.pk).update(**rings)
    chat.sides.update(busy=True, status=Side.Status.ENTERING)
    _ring(chat.pk, people[chat.callee_id], chat.caller_id, BACK)


@closing_what_is_over
@telling()
def cancel(*, user: User, chat_id: int) -> None:
    """Who called hangs up, or who is rung refuses; the other one is told. Also after it was accepted, before they have
    come in; after that, and when it is over, nothing happens."""
    chat = hold(chat_id)
    if chat is None:
        raise ChatInvalid
    if user.pk not in chat.people:
        raise NotPermitted
    if chat.state in Chat.PENDING:
        call_off(chat, user)
    elif chat.state == State.RUNNING and not _is_inside(chat, user.pk):
        hang_up(chat, user.pk)
