"""The microphone beside the owner's: asking for it, agreeing, joining, being heard, hanging up (D25).

Whoever changes a link holds the live's row. Deadlines are the database's. Whoever comes next ends what is over, and
that stays so even where their own deed is refused; the sweep comes by for the rest (I8). A deed that is sent again
answers as it did and does nothing.

Where the two hear each other: mic_rooms.py.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from heihei_site.api.errors import (
    AlreadyConnected,
    ConnectionFailed,
    InvalidParameter,
    LiveInvalid,
    Muted,
    NotInRoom,
    Refusal,
    StateWrong,
    TooLate,
)
from heihei_site.realtime.groups import person, room
from heihei_site.realtime.publish import publish, telling
from live.events import MicAgreed, MicChanged, MicFound, MicHungUp, MicOffered
from live.models import Live, MicLink
from live.querysets import MicLinkQuerySet
from live.selectors import is_inside, is_muted, mic_links, whole_seconds
from live.serializers import conference
from live.services import mic_rooms
from live.services.audience import hold, tell_microphone
from users.models import User

State = MicLink.State


@dataclass(frozen=True)
class Microphone:
    """What is under way in a live whose row is held; what was over has been ended."""

    live: Live
    running: MicLink | None  # agreed on, whosever it is
    theirs: MicLink | None  # of the viewer it is about: running, or asked for


@contextmanager
def _held(live: Live, user_id: int) -> Iterator[Microphone]:
    """A transaction for one deed. A refusal inside is raised after the commit: nothing may be changed before it."""
    refusal: Refusal | None = None
    with telling():
        held = hold(live.pk)
        links = mic_links(held.pk, user_id)
        if over := [link for link in links if link.over]:
            _end(held, over, tell={held.owner_id, *(link.user_id for link in over)})
            tell_microphone(held)
        links = [link for link in links if not link.over]
        try:
            yield Microphone(
                live=held,
                running=next((link for link in links if link.is_linked), None),
                theirs=next((link for link in links if link.user_id == user_id), None),
            )
        except Refusal as refused:
            refusal = refused
    if refusal is not None:
        raise refusal


def _must_be_on_air(live: Live) -> None:
    if live.status != Live.Status.PLAYING:
        raise LiveInvalid


# --- Asking ------------------------------------------------------------------------------------------------------


def request(*, user: User, live: Live) -> int:
    """A viewer asks the owner. Returns the seconds in which it can be accepted; 0 where the owner had asked them."""
    with _held(live, user.pk) as mic:
        _must_be_on_air(mic.live)
        if not is_inside(mic.live, user.pk):
            raise NotInRoom
        link = mic.theirs
        if link is not None and link.state != State.INVITED:
            return _left(link)
        if is_muted(mic.live.pk, user.pk):
            raise Muted
        if mic.running is not None:
            raise StateWrong
        if link is not None:
            _agree(mic.live, link)
            return 0
        _ask(mic.live, user.pk, State.REQUESTED)
    return whole_seconds(settings.MIC_WAIT)


def invite(*, owner: User, live: Live, user_id: int | None) -> int:
    """The owner asks a viewer. Returns the seconds in which they can accept; 0 where they had asked already, and both
    are told to join."""
    if user_id is None or user_id == owner.pk:
        raise InvalidParameter
    with _held(live, user_id) as mic:
        _must_be_on_air(mic.live)
        link = mic.theirs
        if link is not None and link.state != State.REQUESTED:
            return _left(link)
        if mic.running is not None or not is_inside(mic.live, user_id):
            raise StateWrong
        if link is not None:
            _agree(mic.live, link)
            return 0
        _ask(mic.live, user_id, State.INVITED)
        publish(MicOffered(live_id=live.pk), to=person(user_id))
    return whole_seconds(settings.MIC_WAIT)


def _left(link: MicLink) -> int:
    """What the first of two equal calls was told: seconds to wait, or 0 where there is nothing to wait for."""
    return 0 if link.is_linked else whole_seconds(link.left)


def _ask(live: Live, user_id: int, state: MicLink.State) -> None:
    MicLink.objects.create(live=live, user_id=user_id, state=state, deadline=Now() + settings.MIC_WAIT)
    tell_microphone(live)


# --- Answering ---------------------------------------------------------------------------------------------------


def accept(*, by: User, live: Live, user_id: int | None) -> None:
    """The owner accepts a viewer's request, or a viewer the owner's invitation; both are told to join.

    Refuses with TooLate what was there and is not any more, also an invitation whose microphone somebody else has got;
    with AlreadyConnected the owner who is linked with somebody else.
    """
    guest_id, awaited = _other_side(by, live, user_id)
    with _held(live, guest_id) as mic:
        _must_be_on_air(mic.live)
        link = mic.theirs
        if link is not None and link.is_linked:
            return
        if link is None:
            raise TooLate if _was_asked(live, guest_id) else StateWrong
        if link.state != awaited:
            raise StateWrong
        if mic.running is not None:
            raise AlreadyConnected if by.pk == live.owner_id else TooLate
        _agree(mic.live, link)


def refuse(*, by: User, live: Live, user_id: int) -> None:
    """Either of the two says no, or takes back what they asked. What is not asked any more is refused already."""
    guest_id, awaited = _other_side(by, live, user_id)
    with _held(live, guest_id) as mic:
        link = mic.theirs
        if link is None:
            _must_be_a_repeat(mic.live, guest_id)
        elif link.is_linked:
            raise StateWrong
        else:
            _end(mic.live, [link], tell=[])
            if link.state == State.INVITED != awaited:  # the owner takes it back: the viewer's phone may be ringing
                publish(MicHungUp(live_id=live.pk), to=person(guest_id))
            tell_microphone(mic.live)


def _other_side(by: User, live: Live, user_id: int | None) -> tuple[int, MicLink.State]:
    """Whose link it is about, and what it is when the caller is the one to answer."""
    if by.pk != live.owner_id:
        return by.pk, State.INVITED
    if user_id is None:
        raise InvalidParameter
    return user_id, State.REQUESTED


def _was_asked(live: Live, user_id: int) -> bool:
    return MicLink.objects.filter(live=live, user_id=user_id).exists()


def _must_be_a_repeat(live: Live, user_id: int | None) -> None:
    """Nothing is under way with them, or with anybody. It is over then, if there ever was something."""
    links = MicLink.objects.filter(live=live)
    if not (links if user_id is None else links.filter(user_id=user_id)).exists():
        raise StateWrong if live.status == Live.Status.PLAYING else LiveInvalid


def _agree(live: Live, link: MicLink) -> None:
    MicLink.objects.filter(pk=link.pk).update(state=State.JOINING, deadline=Now() + settings.MIC_JOIN)
    for user_id in sorted((live.owner_id, link.user_id)):
        publish(MicAgreed(live_id=live.pk), to=person(user_id))
    tell_microphone(live)


# --- Being heard -------------------------------------------------------------------------------------------------


def join(*, by: User, live: Live) -> MicLink:
    """One of the two enters, or enters again with a fresh token. With the first begin the seconds until both must hear
    each other; when both have, the room is told who is coming.

    Refuses with ConnectionFailed whose link is over, or never was; with StateWrong who still waits for an answer.
    """
    with _held(live, by.pk) as mic:
        _must_be_on_air(mic.live)
        link = _link_of(by, mic)
        _mark_joined(mic.live, link, by_owner=by.pk == live.owner_id)
    return link


def _mark_joined(live: Live, link: MicLink, *, by_owner: bool) -> None:
    first = not (link.owner_joined or link.user_joined)
    if link.owner_joined if by_owner else link.user_joined:
        return
    if by_owner:
        link.owner_joined = True
    else:
        link.user_joined = True
    changes = {"deadline": Now() + settings.MIC_CONNECT} if first else {}
    if link.owner_joined and link.user_joined:
        link.state = State.WAITING
    MicLink.objects.filter(pk=link.pk).update(
        state=link.state, owner_joined=link.owner_joined, user_joined=link.user_joined, **changes
    )
    if link.state == State.WAITING:
        _tell_room(live, link)


def succeed(*, by: User, live: Live) -> MicLink:
    """One of the two is heard. Once both are, they are connected and the room is told."""
    with _held(live, by.pk) as mic:
        _must_be_on_air(mic.live)
        link = _link_of(by, mic)
        by_owner = by.pk == live.owner_id
        if not (link.owner_joined if by_owner else link.user_joined):
            raise StateWrong
        _mark_succeeded(mic.live, link, by_owner=by_owner)
    return link


def _mark_succeeded(live: Live, link: MicLink, *, by_owner: bool) -> None:
    if link.owner_succeeded if by_owner else link.user_succeeded:
        return
    if by_owner:
        link.owner_succeeded = True
    else:
        link.user_succeeded = True
    marks: dict[str, Any] = {"owner_succeeded": link.owner_succeeded, "user_succeeded": link.user_succeeded}
    if link.owner_succeeded and link.user_succeeded:  # so both have joined
        link.state = State.CONNECTED
        marks |= {"state": State.CONNECTED, "deadline": None, "connected_at": Now()}
    MicLink.objects.filter(pk=link.pk).update(**marks)
    if link.state == State.CONNECTED:
        _tell_room(live, link)


def _link_of(by: User, mic: Microphone) -> MicLink:
    if mic.running is not None and by.pk in (mic.live.owner_id, mic.running.user_id):
        return mic.running
    raise StateWrong if mic.theirs is not None else ConnectionFailed


def _tell_room(live: Live, link: MicLink) -> None:
    publish(MicChanged(room_id=live.pk, **conference(link)), to=room(live))


def greet(live: Live, user_id: int) -> None:
    """Somebody has come into a live whose row is held: they are told who is at the microphone, as the room was."""
    link = next((link for link in mic_links(live.pk, user_id) if link.is_linked and not link.over), None)
    if link is not None and link.state != State.JOINING:
        publish(MicFound(version=int(time.time() * 1000), **conference(link)), to=person(user_id))


# --- Hanging up --------------------------------------------------------------------------------------------------


def hang_up(*, by: User, live: Live) -> None:
    """Either of the two ends the link, or a viewer what they had asked or were asked; the second time it is over."""
    with _held(live, by.pk) as mic:
        link = mic.running if mic.running and by.pk == mic.live.owner_id else mic.theirs
        if link is None:
            _must_be_a_repeat(mic.live, None if by.pk == mic.live.owner_id else by.pk)
        else:
            _end(mic.live, [link], tell={mic.live.owner_id, link.user_id} - {by.pk})
            tell_microphone(mic.live)


def let_go(live: Live, people: Collection[int]) -> None:
    """Whatever is under way with these people ends: they have left, or were made to. The live's row is held, and its
    audience is told by the caller."""
    links = _current(live)
    gone = list(links if live.owner_id in people else links.filter(user_id__in=people))
    if gone:
        _end(live, gone, tell={live.owner_id, *(link.user_id for link in gone)} - set(people))


def end_all(live: Live) -> None:
    """The live is over; its row is held."""
    if links := list(_current(live)):
        _end(live, links, tell={live.owner_id, *(link.user_id for link in links)})


def _current(live: Live) -> MicLinkQuerySet:
    return MicLink.objects.current().filter(live=live).select_related("user").order_by("pk")


def _end(live: Live, links: Sequence[MicLink], *, tell: Collection[int]) -> None:
    """Ends them. Where one was agreed on, the room is told, `tell` says which of the two are told to hang up, and the
    RTC vendor is to throw out who has a token."""
    MicLink.objects.filter(pk__in=[link.pk for link in links]).update(state=State.ENDED, ended_at=Now())
    for link in links:
        if link.is_linked:
            publish(MicChanged(room_id=live.pk, **conference(link, ended=True)), to=room(live))
            for user_id in sorted({live.owner_id, link.user_id} & set(tell)):
                publish(MicHungUp(live_id=live.pk), to=person(user_id))
            if link.owner_joined or link.user_joined:
                mic_rooms.revoke_soon(link)


# --- What nobody has come for ------------------------------------------------------------------------------------


def lives_overdue() -> list[int]:
    """Lives in which somebody has not answered, joined or been heard in time."""
    return list(MicLink.objects.overdue().values_list("live_id", flat=True).distinct()[:500])


@telling()
def end_overdue(live_id: int) -> int:
    """Ends what is overdue in one live. Returns how many."""
    live = hold(live_id)
    links = list(_current(live).filter(deadline__lte=Now()))
    if links:
        _end(live, links, tell={live.owner_id, *(link.user_id for link in links)})
        tell_microphone(live)
    return len(links)
