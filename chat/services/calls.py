"""Who is in a call with whom: how calls begin, what ends them, and that nobody is in two (I7, I8).

Who begins one holds the rows of both people, in primary-key order, so that nothing begins or is refused beside it. Who
changes one holds its row. What is over by the database's clock is closed by whoever meets it, before anybody is called
busy; a sweep comes by for the rest.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from chat.events import CallChanged, CallConnected, CallEnded, CallOff, SomebodyAway
from chat.models import Chat, Seeker, Side
from chat.serializers import call_status, side_cards
from chat.services import audio, topics
from heihei_site.realtime import publish as realtime
from heihei_site.realtime.events import Expired
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from messages.room_events import by
from messages.services import call_log
from users.models import Follow, User

Outcome, State, Status = Chat.Outcome, Chat.State, Side.Status
Given = ParamSpec("Given")
Result = TypeVar("Result")


class Over(Exception):
    """What was met is over and still has to be closed. Never leaves `closing_what_is_over`."""

    def __init__(self, chats: Iterable[Chat]) -> None:
        self.chat_ids = [chat.pk for chat in chats]


def closing_what_is_over(deed: Callable[Given, Result]) -> Callable[Given, Result]:
    """Decorates a transaction: where it meets calls whose time is over, they are closed, each in a transaction of its
    own, and it begins anew."""

    @wraps(deed)
    def on_time(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        while True:
            try:
                return deed(*args, **kwargs)
            except Over as over:
                for chat_id in over.chat_ids:
                    close_overdue(chat_id)

    return on_time


# --- Holding -----------------------------------------------------------------------------------------------------


def lock_people(ids: Collection[int]) -> dict[int, User]:
    """The people by id, their rows held until the transaction ends: no call of theirs begins meanwhile."""
    people = User.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    return {user.pk: user for user in people}


def hold(chat_id: int) -> Chat | None:
    """The call's row, held until the transaction ends; None for none. Raises Over."""
    return next(iter(_held_in_time(Q(pk=chat_id))), None)


def held_calls(ids: Collection[int]) -> list[Chat]:
    """What these people ring, are rung for, or talk in, held until the transaction ends. Raises Over."""
    theirs = Side.objects.filter(user_id__in=ids, busy=True).values("chat_id")
    return [chat for chat in _held_in_time(Q(pk__in=theirs)) if chat.is_current]


def close_overdue_of(ids: Collection[int]) -> None:
    """In transactions of its own, so before the one that asks who is busy."""
    theirs = Side.objects.filter(user_id__in=ids, busy=True).values("chat_id")
    for chat_id in Chat.objects.overdue().filter(pk__in=theirs).values_list("pk", flat=True):
        close_overdue(chat_id)


def busy(ids: Collection[int]) -> set[int]:
    """Those of the people who ring, are rung, or talk."""
    return set(Side.objects.filter(user_id__in=ids, busy=True).values_list("user_id", flat=True))


def _held_in_time(which: Q) -> list[Chat]:
    held = list(Chat.objects.with_overdue().filter(which).order_by("pk").select_for_update(no_key=True, of=("self",)))
    if over := [chat for chat in held if chat.overdue]:
        raise Over(over)
    return held


def sides_of(chat: Chat) -> list[Side]:
    """Who called first comes first, with `user`; `is_silent` says whose heart-beats stopped, `is_lost` for too long."""
    silent = ExpressionWrapper(Q(lease_until__lte=Now()), output_field=BooleanField())
    lost = ExpressionWrapper(Q(lease_until__lte=Now() - settings.CHAT_RECONNECT), output_field=BooleanField())
    sides = chat.sides.select_related("user").annotate(is_silent=silent, is_lost=lost)  # type: ignore[no-redef]
    return sorted(sides, key=lambda side: side.user_id != chat.caller_id)


# --- Beginning ---------------------------------------------------------------------------------------------------


def open_running(first: User, second: User, kind: str) -> Chat:
    """A call between two people who both want it now. Both rows are held, and neither is busy."""
    chat = create(first.pk, second.pk, kind=kind, state=State.RUNNING)
    connect(chat)
    return chat


def create(caller_id: int, callee_id: int, *, kind: str, state: Chat.State) -> Chat:
    """Both are busy with it from now on. What one of them missed of the other is over with it."""
    between = Q(caller=caller_id, callee=callee_id) | Q(caller=callee_id, callee=caller_id)
    Chat.objects.filter(between, state=State.MISSED).update(state=State.ENDED, deadline=None)
    deadline = Now() + settings.CHAT_RING if state == State.RINGING else None
    chat = Chat.objects.create(caller_id=caller_id, callee_id=callee_id, kind=kind, state=state, deadline=deadline)
    Side.objects.bulk_create(Side(chat=chat, user_id=user_id) for user_id in (caller_id, callee_id))
    return chat


def connect(chat: Chat) -> None:
    """Both are told to come in, and what they could talk about is chosen. The call's row is held or new."""
    chat.topic = topics.pick()
    chat.state, chat.deadline = State.RUNNING, None
    Chat.objects.filter(pk=chat.pk).update(state=State.RUNNING, deadline=None, topic=chat.topic, answered_at=Now())
    chat.sides.update(status=Status.ENTERING, lease_until=Now() + settings.CHAT_RING)
    Seeker.objects.filter(user_id__in=chat.people).delete()  # neither looks for anybody else
    for user_id in sorted(chat.people):
        realtime.enter_room(user_id, chat.pk)
        publish(CallConnected(joined_chat_id=chat.pk), to=person(user_id))


# --- Telling -----------------------------------------------------------------------------------------------------


def tell_sides(chat: Chat, sides: list[Side], *, but: int = 0) -> None:
    """How each of the two is in the call now. The call's row is held; to `but` nothing is told."""
    Chat.objects.filter(pk=chat.pk).update(changes=F("changes") + 1)
    chat.changes += 1
    status = call_status(chat, sides)
    told = SomebodyAway if status in (Status.AWAY, Status.GONE) else CallChanged
    follows = _follows(chat)
    for side in sides:
        if side.user_id != but:
            followed = {followee for follower, followee in follows if follower == side.user_id}
            news = told(
                version=_version(chat),
                chat_id=chat.pk,
                room_id=chat.pk,
                status=status,
                sides=side_cards(sides, followed),
            )
            publish(news, to=person(side.user_id))


def _follows(chat: Chat) -> list[tuple[int, int]]:
    between = Follow.objects.filter(follower__in=chat.people, followee__in=chat.people)
    return list(between.values_list("follower_id", "followee_id"))


def _version(chat: Chat) -> int:
    """Grows within a call, and from one call of a person to the next."""
    assert chat.answered_at is not None
    return int(chat.answered_at.timestamp() * 1000) * 1000 + chat.changes


def _tell_end(chat: Chat, sides: list[Side], *, but: int) -> None:
    """Kept for who is not connected, unlike the last of the states, which keeps an earlier one from coming late."""
    cards = side_cards(sides)
    for card in cards:
        card["status"] = min(card["status"], Status.AWAY) if card["status"] == Status.GONE else card["status"]
    for user_id in sorted(set(chat.people) - {but}):
        news = CallEnded(chat_id=chat.pk, room_id=chat.pk, status=Status.GONE, sides=cards)
        publish(news, to=person(user_id))
    tell_sides(chat, sides, but=but)


# --- Ending ------------------------------------------------------------------------------------------------------


@telling()
def close_overdue(chat_id: int) -> bool:
    """Looks again with the row held: an answer or a heart-beat may have come between. The second time it is closed."""
    found = Chat.objects.with_overdue().filter(pk=chat_id).select_for_update(no_key=True, of=("self",))
    chat = found.first()
    if chat is None or not chat.overdue:
        return False
    if chat.state == State.RUNNING:
        return _end_lost(chat)
    if chat.state == State.MISSED:
        Chat.objects.filter(pk=chat.pk).update(state=State.ENDED, deadline=None)
    else:
        _nobody_answered(chat)
    return True


def _nobody_answered(chat: Chat) -> None:
    """Who was called may call back for a while, once."""
    publish(Expired(chat_id=chat.pk), to=person(chat.waits_for_answer))
    chat.sides.filter(user_id=chat.rings_for).update(status=Status.LOST)
    assert chat.deadline is not None
    if chat.called_back:
        _write_end(chat, Outcome.MISSED, at=chat.deadline)
    else:
        chat.outcome = Outcome.MISSED
        until = chat.deadline + settings.CHAT_RING_BACK
        Chat.objects.filter(pk=chat.pk).update(state=State.MISSED, outcome=Outcome.MISSED, deadline=until)
        chat.sides.update(busy=False)
    _remember(chat)


def _end_lost(chat: Chat) -> bool:
    """The line of one or both has been lost for too long; the call ended when it was."""
    sides = sides_of(chat)
    if not any(side.is_lost for side in sides):
        return False
    for side in sides:
        if side.is_silent:
            _mark(side, Status.LOST)
    _end_running(chat, sides, at=min(side.lease_until for side in sides if side.lease_until))
    return True


def hang_up(chat: Chat, by_id: int) -> None:
    """One of the two ends what runs; the other one is told. The call's row is held."""
    sides = sides_of(chat)
    for side in sides:
        if side.user_id == by_id:
            _mark(side, Status.GONE)
    _end_running(chat, sides, at=chat.now, but=by_id)


def call_off(chat: Chat, by_user: User) -> None:
    """Who called does not want to talk any more, or who is called does not want to: the other one is told. The call's
    row is held, and it rings."""
    chat.sides.filter(user_id=by_user.pk).update(status=Status.GONE)
    publish(CallOff(chat_id=chat.pk, **by(by_user), birth_day=by_user.birth_day), to=person(chat.other(by_user.pk)))
    refused = by_user.pk == chat.rings_for
    _write_end(chat, Outcome.REFUSED if refused else Outcome.CANCELLED, at=chat.now)
    _remember(chat)


def give_up(chat: Chat, user: User) -> None:
    """Whatever the call is, this person is out of it and it is over. The call's row is held."""
    if chat.state == State.RUNNING:
        hang_up(chat, user.pk)
    elif chat.state in Chat.PENDING:
        call_off(chat, user)
    elif chat.state == State.MISSED:
        Chat.objects.filter(pk=chat.pk).update(state=State.ENDED, deadline=None)


def _mark(side: Side, status: Side.Status) -> None:
    side.status = status
    Side.objects.filter(pk=side.pk).update(status=status)


def _end_running(chat: Chat, sides: list[Side], *, at: datetime, but: int = 0) -> None:
    if chat.started_at is not None:
        at = max(at, chat.started_at)
    _write_end(chat, Outcome.TALKED if chat.started_at else Outcome.MISSED, at=at)
    audio.revoke_soon(chat)
    _tell_end(chat, sides, but=but)
    realtime.close_room(chat.pk)
    _remember(chat)


def _write_end(chat: Chat, outcome: Chat.Outcome, *, at: datetime) -> None:
    chat.state, chat.outcome, chat.ended_at, chat.deadline = State.ENDED, outcome, at, None
    Chat.objects.filter(pk=chat.pk).update(state=State.ENDED, outcome=outcome, ended_at=at, deadline=None)
    chat.sides.update(busy=False, lease_until=None)


def _remember(chat: Chat) -> None:
    """The last change of a transaction (call_log). Nobody has missed a stranger whom they were to be given."""
    if chat.kind == Chat.Kind.MATCH and chat.outcome != Outcome.TALKED:
        return
    seconds = int(chat.length.total_seconds())
    outcome = call_log.Outcome(chat.outcome)
    call_log.remember(chat.pk, chat.waits_for_answer, chat.rings_for, outcome, seconds)
