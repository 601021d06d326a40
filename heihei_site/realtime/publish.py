"""The only way out to the sockets. Everything here happens when the transaction commits, else never.

    with telling():
        ...
        publish(GiftSent(...), to=room(live))

`telling` is a transaction. As its last step it numbers and stores what was published inside: counters are locked after
everything else, in primary-key order, and not for longer than the commit takes (docs/adr/0007-what-is-durable.md).
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from heihei_site.realtime import bus, mass, pushing, storage, tasks
from heihei_site.realtime.events import Event, Kind, element
from heihei_site.realtime.groups import Audience, Person, Room
from heihei_site.realtime.models import StreamKind

_FOR: dict[Kind, tuple[type, ...]] = {Kind.ROOM: (Room,), Kind.STATE: (Room, Person), Kind.PERSONAL: (Person, Audience)}


class _Open(threading.local):
    """What this thread's transaction has to tell, in order; None outside of `telling`."""

    acts: list[bus.Act] | None = None
    savepoints = 0


_open = _Open()


@contextmanager
def telling() -> Iterator[None]:
    """A transaction that may publish; also a decorator: `@telling()`. One inside another is part of it."""
    if _open.acts is not None:
        yield from _telling_inside(_open.acts)
        return
    acts: list[bus.Act] = []
    _open.acts = acts
    try:
        with transaction.atomic():
            _open.savepoints = len(connection.savepoint_ids)
            yield
            _open.acts = None  # what runs on commit may tell something itself
            if acts and not transaction.get_rollback():
                _settle(acts)
    finally:
        _open.acts = None


def _telling_inside(acts: list[bus.Act]) -> Iterator[None]:
    told_before, outside = len(acts), _open.savepoints
    try:
        with transaction.atomic():
            _open.savepoints = len(connection.savepoint_ids)
            yield
            if transaction.get_rollback():
                del acts[told_before:]
    except BaseException:
        del acts[told_before:]
        raise
    finally:
        _open.savepoints = outside


def publish(event: Event, to: Room | Person | Audience, *, one_of_many: bool = False) -> None:
    """Tell everyone in the room, the person, or everyone in the audience. The values are those of this moment.

    A personal or room message is a row when the transaction commits; a dead bus only delays it. The latest value of a
    state is not kept anywhere: a dead bus loses it, and the next one makes good for it. An audience costs one row,
    however large it is; workers tell its people soon after (mass.py). What of a personal message is to be pushed is
    written down with it; nobody is pushed what they did themselves. Pushes of what is `one_of_many`, said
    to each person of a crowd in turn, wait behind those to one.
    """
    if isinstance(to, Room) and getattr(event, "room_id", None) != to.id:
        raise ValueError(f"{type(event).__name__} carries another room than the one it is published to")
    if not isinstance(to, _FOR.get(event.kind, ())):
        raise ValueError(f"{type(event).__name__} is not for {type(to).__name__}")
    act: bus.Act = {"element": element(event), "needs": storage.as_number(event.needs)}
    expires = getattr(event, "expire_time", None)
    if isinstance(to, Audience):
        _act("mass", audience=to.name, source_id=to.source_id, expires=expires, push=_push_of(event), **act)
    elif event.kind is Kind.STATE:
        name = event.state_name
        _act("state", to=[to.kind.value, to.id], name=name, version=getattr(event, "version"), **act)  # noqa: B009
    else:
        _tell(event, to, expires, act, one_of_many)


def _push_of(event: Event) -> dict[str, Any] | None:
    push = event.push()
    return pushing.as_json(push, msg_id=event.msg_id, needs=event.needs) if push else None


def _tell(event: Event, to: Room | Person, expires: int | None, act: bus.Act, one_of_many: bool) -> None:
    _act("tell", to=[[to.kind.value, to.id, 0]], expires=expires, **act)
    if isinstance(to, Person) and (push := _push_of(event)) and push["from_user_id"] != to.id:
        _act("push", push=pushing.ToPush([to.id], push, expires, one_of_many))


def enter_room(user_id: int, room_id: int) -> None:
    """The person's sockets get what the room gets from now on."""
    _act("enter", user=user_id, room=room_id)


def leave_room(user_id: int, room_id: int) -> None:
    _act("leave", user=user_id, room=room_id)


def close_room(room_id: int) -> None:
    """Nobody gets anything from this room after what was published before."""
    _act("close", room=room_id)


def end_sessions(session_ids: list[int]) -> None:
    """Every socket of these sessions is closed with 4401."""
    if session_ids:
        _act("end", sessions=session_ids)


def _act(do: str, **what: Any) -> None:
    if _open.acts is None:
        raise RuntimeError(f"{do!r} outside of telling()")
    if len(connection.savepoint_ids) != _open.savepoints:
        raise RuntimeError(f"{do!r} in an atomic() inside of telling(): its rollback would not take this back")
    _open.acts.append({"do": do, **what})


def _settle(acts: list[bus.Act]) -> None:
    """The last step of the transaction: rows for what is kept, counters last. The rest happens on commit."""
    to_audiences = [act for act in acts if act["do"] == "mass"]
    if to_audiences:
        mass.write(to_audiences)
    if to_push := [act for act in acts if act["do"] == "push"]:
        pushing.write([act["push"] for act in to_push])
    if ring := [act for act in acts if act["do"] not in ("mass", "push")]:
        _number(ring)
        at = time.time()
        transaction.on_commit(lambda: bus.send(ring, at=at), robust=True)
    if to_audiences:
        transaction.on_commit(tasks.nudge, robust=True)


def _number(acts: list[bus.Act]) -> None:
    """Numbers and stores what is to be told, and says from which number on those who enter a room hear it."""
    entered = {act["room"] for act in acts if act["do"] == "enter"}
    heard = storage.last_seqs([(StreamKind.ROOM, room_id) for room_id in entered]) if entered else {}
    told: Counter[tuple[int, int]] = Counter()
    for act in acts:
        if act["do"] == "enter":
            key = (StreamKind.ROOM.value, act["room"])
            act["seq"] = heard.get(key, 0) + told[key]
        elif act["do"] == "tell":
            told.update((kind, owner_id) for kind, owner_id, _ in act["to"])
    if told:
        storage.store([act for act in acts if act["do"] == "tell"], told)
