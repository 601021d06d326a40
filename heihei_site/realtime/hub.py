"""The hub of one process: hears every message on the bus once and hands it to the sockets it is for.

No database on this path: what must be looked up (`_stand`, `_catch_up`) runs beside it, in threads.
"""

import asyncio
import contextvars
import uuid
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import django.db
import redis
import structlog
from django.conf import settings

from heihei_site.realtime import memberships, sessions
from heihei_site.realtime.bus import Line, Message
from heihei_site.realtime.database import ask
from heihei_site.realtime.outlet import ENDED, Outlet

log = structlog.get_logger(__name__)

BEACON_SECONDS = 2.0
SILENCE_SECONDS = 6.0  # without a beacon of our own: hang up and subscribe again
OPEN_SECONDS = 3.0
RETRY_SECONDS = 0.5
STATE_SECONDS = 0.5  # between two state messages of the same room and action
SESSION_CHECK_BEACONS = 15  # every so many beacons, ask which sessions live: an `end` may have been lost
LINE_ERRORS = (redis.RedisError, OSError)  # TimeoutError is an OSError


@dataclass
class State:
    """The last value of one state message in one room, and the newer one that waits for its turn."""

    version: int = -1
    sent_at: float = -STATE_SECONDS
    waiting: bytes | None = None


@dataclass
class Room:
    outlets: set[Outlet] = field(default_factory=set)
    states: dict[str, State] = field(default_factory=dict)

    def deliver(self, element: bytes) -> None:
        for outlet in self.outlets:
            outlet.put(element)


@dataclass
class Session:
    newest: int = 0
    outlets: set[Outlet] = field(default_factory=set)


class Hub:
    def __init__(self) -> None:
        self.rooms: dict[int, Room] = {}
        self.people: dict[int, set[Outlet]] = {}  # without silent outlets
        self.sessions: dict[int, Session] = {}
        self._name = uuid.uuid4().hex
        self._loop = asyncio.get_running_loop()
        self._line = Line()
        self._heard_at = 0.0
        self._listening = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._handlers: dict[str, Callable[[Message], None]] = {
            "deliver": self._deliver,
            "enter": self._enter,
            "leave": self._leave,
            "close": self._close_room,
            "end": self._end,
            "newest": self._newest,
            "beacon": self._beacon,
        }

    # --- sockets come and go --------------------------------------------------------------------------------

    async def attach(self, outlet: Outlet) -> None:
        """From here on the outlet gets what its person's rooms get, unless the session has a newer one."""
        connection = outlet.connection
        session = self.sessions.setdefault(connection.session_id, Session())
        session.outlets.add(outlet)
        if connection.number > session.newest:
            self.people.setdefault(connection.user_id, set()).add(outlet)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._listening.wait()
        except TimeoutError:
            log.warning("socket_without_bus")  # _catch_up makes good for it
        await self._stand([outlet])
        self._number(connection.session_id, connection.number)
        await self._announce([(connection.session_id, connection.number)])

    def detach(self, outlet: Outlet) -> None:
        self._silence(outlet)
        session = self.sessions.get(outlet.connection.session_id)
        if session is not None:
            session.outlets.discard(outlet)
            if not session.outlets:
                del self.sessions[outlet.connection.session_id]

    def _silence(self, outlet: Outlet) -> None:
        for room_id in list(outlet.rooms):
            self._move_out(outlet, room_id)
        others = self.people.get(outlet.connection.user_id, set())
        others.discard(outlet)
        if not others:
            self.people.pop(outlet.connection.user_id, None)

    def _speaks(self, outlet: Outlet) -> bool:
        return outlet in self.people.get(outlet.connection.user_id, ())

    def _move_in(self, outlet: Outlet, room_id: int) -> None:
        outlet.rooms.add(room_id)
        self.rooms.setdefault(room_id, Room()).outlets.add(outlet)

    def _move_out(self, outlet: Outlet, room_id: int) -> None:
        outlet.rooms.discard(room_id)
        room = self.rooms.get(room_id)
        if room is not None:
            room.outlets.discard(outlet)
            if not room.outlets:
                del self.rooms[room_id]

    # --- what the bus says ----------------------------------------------------------------------------------

    def _deliver(self, message: Message) -> None:
        room = self.rooms.get(message["room"])
        if room is None:
            return
        if "state" in message:
            self._deliver_state(room, message)
        else:
            room.deliver(message["element"])

    def _deliver_state(self, room: Room, message: Message) -> None:
        """The first at once, then the latest at most every STATE_SECONDS; no older version after a newer."""
        state = room.states.setdefault(message["state"], State())
        if message["version"] < state.version:
            return
        state.version = message["version"]
        due = state.sent_at + STATE_SECONDS
        if state.waiting is not None:
            state.waiting = message["element"]
        elif due > self._loop.time():
            state.waiting = message["element"]
            self._loop.call_at(due, self._deliver_latest, room, state)
        else:
            state.sent_at = self._loop.time()
            room.deliver(message["element"])

    def _deliver_latest(self, room: Room, state: State) -> None:
        if state.waiting is not None:
            room.deliver(state.waiting)
        state.waiting, state.sent_at = None, self._loop.time()

    def _enter(self, message: Message) -> None:
        for outlet in self.people.get(message["user"], ()):
            outlet.moved.add(message["room"])
            self._move_in(outlet, message["room"])

    def _leave(self, message: Message) -> None:
        for outlet in self.people.get(message["user"], ()):
            outlet.moved.add(message["room"])
            self._move_out(outlet, message["room"])

    def _close_room(self, message: Message) -> None:
        room = self.rooms.get(message["room"])
        for outlet in list(room.outlets) if room else ():
            self._move_out(outlet, message["room"])

    def _end(self, message: Message) -> None:
        for session_id in message["sessions"]:
            session = self.sessions.get(session_id)
            for outlet in session.outlets if session else ():
                outlet.close(ENDED)

    def _newest(self, message: Message) -> None:
        for session_id, number in message["sessions"]:
            self._number(session_id, number)

    def _number(self, session_id: int, number: int) -> None:
        """Connection `number` of the session exists somewhere: older ones fall silent and stay so (D11).
        Where a newer one is known here, whoever announced this one is told so."""
        session = self.sessions.get(session_id)
        if session is None:
            return
        if number < session.newest:
            self._soon(self._announce([(session_id, session.newest)]))
        session.newest = max(session.newest, number)
        for outlet in session.outlets:
            if outlet.connection.number < session.newest:
                self._silence(outlet)

    def _beacon(self, message: Message) -> None:
        if message["hub"] == self._name:
            self._heard_at = self._loop.time()
            if not self._listening.is_set():
                self._listening.set()
                log.info("bus_heard")
                self._soon(self._catch_up())

    # --- beside the delivery path ---------------------------------------------------------------------------

    async def _stand(self, outlets: list[Outlet]) -> None:
        """Bring these outlets to what the database says: session alive, rooms. What the bus says meanwhile is
        newer than the answer and stands."""
        await self._check_sessions({outlet.connection.session_id for outlet in outlets})
        for outlet in outlets:
            async with outlet.lookup:
                outlet.moved.clear()
                rooms = await ask(memberships.rooms_of, outlet.connection.user_id)
                if self._speaks(outlet):
                    for room_id in outlet.rooms - rooms - outlet.moved:
                        self._move_out(outlet, room_id)
                    for room_id in rooms - outlet.rooms - outlet.moved:
                        self._move_in(outlet, room_id)

    async def _check_sessions(self, session_ids: set[int]) -> None:
        if session_ids:
            alive = await ask(sessions.store().alive, list(session_ids))
            self._end({"sessions": session_ids - alive})

    async def _check_all_sessions(self) -> None:
        try:
            await self._check_sessions(set(self.sessions))
        except django.db.Error as error:
            log.warning("sessions_not_checked", reason=type(error).__name__)

    async def _catch_up(self) -> None:
        """The bus is back (or new): ask the database, until it answers, for what the bus did not tell."""
        await self._announce([(session_id, session.newest) for session_id, session in self.sessions.items()])
        while self._listening.is_set():
            try:
                await self._stand([outlet for outlets in self.people.values() for outlet in outlets])
                await self._check_sessions(set(self.sessions))
                return
            except django.db.Error as error:
                log.warning("catch_up_postponed", reason=type(error).__name__)
                await asyncio.sleep(BEACON_SECONDS)

    async def _announce(self, newest: list[tuple[int, int]]) -> None:
        try:
            await self._line.say({"do": "newest", "sessions": newest})
        except LINE_ERRORS as error:
            log.warning("newest_not_announced", reason=type(error).__name__)  # the next _catch_up does

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        nobodys = contextvars.Context()  # and not the log context of the socket that happened to ask
        task = self._loop.create_task(work, context=nobodys)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the line to the bus --------------------------------------------------------------------------------

    def start(self) -> None:
        self._soon(self._run())

    async def _run(self) -> None:
        """Keep the line open until the loop ends; after every loss open it again and catch up."""
        try:
            while True:
                next_try = self._loop.time() + RETRY_SECONDS
                await self._listen()
                await asyncio.sleep(max(0, next_try - self._loop.time()))
        finally:
            _hubs.pop(self._loop, None)

    async def _listen(self) -> None:
        """Until the line is lost, for whatever reason."""
        ear: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._line.open()
            ear = asyncio.create_task(self._hear())
            await self._beat(ear)
        except Exception as error:
            if not isinstance(error, LINE_ERRORS):
                log.exception("hub_failed")
            elif self._listening.is_set():
                log.warning("bus_lost", reason=type(error).__name__)
        finally:
            self._listening.clear()
            await self._line.close()
            if ear is not None:
                ear.cancel()

    async def _beat(self, ear: "asyncio.Task[None]") -> None:
        """Speak to ourselves over the bus, until that fails or is not heard."""
        self._heard_at = self._loop.time()
        beats = 0
        while self._loop.time() - self._heard_at < SILENCE_SECONDS:
            with suppress(redis.TimeoutError):  # slow is not gone: SILENCE_SECONDS decide
                await self._line.say({"do": "beacon", "hub": self._name})
            beats += 1
            if beats % SESSION_CHECK_BEACONS == 0:
                self._soon(self._check_all_sessions())
            await asyncio.wait([ear], timeout=BEACON_SECONDS)
            if ear.done():
                ear.result()  # raises what it died of
        raise TimeoutError

    async def _hear(self) -> None:
        """Every message that waits, then the writers' turn at least once a frame's worth of bytes."""
        budget = settings.SOCKET_FRAME_BYTES
        while True:
            message = await self._line.hear()
            handler = self._handlers.get(message["do"])
            if handler is not None:  # None: from a newer release, during a deployment
                handler(message)
            budget -= len(message.get("element", b"")) + 1
            if budget <= 0:
                await asyncio.sleep(0)
                budget = settings.SOCKET_FRAME_BYTES


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def current() -> Hub:
    """The hub of the running event loop; the first to ask starts it."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
        _hubs[loop].start()
    return _hubs[loop]
