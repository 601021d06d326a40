"""The hub of one process: hears every message on the bus once and hands it to the sockets it is for.

No database on this path: what must be looked up (`_stand`, `_fill`, `_resume`) runs beside it, in threads.
"""

import asyncio
import contextvars
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import uniform
from typing import Any

import django.db
import redis
import structlog
from django.conf import settings

from heihei_site.realtime import memberships, metrics, sessions, storage
from heihei_site.realtime.bus import Act, Line
from heihei_site.realtime.database import ask
from heihei_site.realtime.events import Resync, element
from heihei_site.realtime.feeds import Feed, Told
from heihei_site.realtime.frames import frames
from heihei_site.realtime.models import StreamKind
from heihei_site.realtime.outlet import ENDED, OVER, TOO_MANY, TRY_AGAIN, Outlet
from heihei_site.realtime.presence import Lease
from heihei_site.realtime.storage import Key

log = structlog.get_logger(__name__)

BEACON_SECONDS = 2.0
SILENCE_SECONDS = 6.0  # without a beacon of our own: hang up and subscribe again
OPEN_SECONDS = 3.0
RETRY_SECONDS = 0.5
GAP_SECONDS = 0.05  # a message that came before its turn waits this long for the bus, then the rows are read
COMPARE_BEACONS = 3  # every so many beacons, ask the database what the bus may have kept from us
SESSION_CHECK_BEACONS = 15  # and which sessions live: an `end` may have been lost
ROWS = 200  # messages read at once
SESSION_SOCKETS = 8  # of one session in this process; with one more, the oldest has to go
LINE_ERRORS = (redis.RedisError, OSError)  # TimeoutError is an OSError


@dataclass
class Session:
    newest: int = 0
    outlets: set[Outlet] = field(default_factory=set)


class Hub:
    def __init__(self) -> None:
        self.feeds: dict[Key, Feed] = {}
        self.people: dict[int, set[Outlet]] = {}  # without silent outlets
        self.sessions: dict[int, Session] = {}
        self.guests: set[Outlet] = set()
        self.draining = False
        self._name = uuid.uuid4().hex
        self._loop = asyncio.get_running_loop()
        self._line = Line()
        self._lease = Lease(self._name)
        self._heard_at = 0.0
        self._listening = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._bursting: set[Feed] = set()
        self._handlers: dict[str, Callable[[Act, float], None]] = {
            "tell": self._tell,
            "state": self._tell_state,
            "enter": self._enter,
            "leave": self._leave,
            "close": self._close_room,
            "end": self._end,
            "newest": self._newest,
            "beacon": self._beacon,
        }

    # --- sockets come and go --------------------------------------------------------------------------------

    async def attach(self, outlet: Outlet, resuming: Iterable[Key] = ()) -> None:
        """From here on the outlet gets what its person and their rooms get, unless the session has a newer one. The
        streams in `resuming` it gets from `resume` on."""
        connection = outlet.connection
        outlet.resuming = set(resuming)
        outlet.leave_at = self._loop.time() + settings.SOCKET_MAX_AGE * uniform(0.75, 1.0)
        session = self.sessions.setdefault(connection.session_id, Session())
        session.outlets.add(outlet)
        here = [each for each in session.outlets if not each.closed]
        if len(here) > SESSION_SOCKETS:
            min(here, key=lambda each: each.connection.number).close(TOO_MANY)
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

    async def resume(self, outlet: Outlet, since: Mapping[Key, int]) -> None:
        """Replays each stream from after the given number, then joins it: nothing twice, nothing left out (D12)."""
        metrics.resumes.inc()
        try:
            for key, position in since.items():
                first, last = await ask(storage.kept, key)
                if key[0] == StreamKind.PERSON and (position > last or 0 < position < first - 1):
                    _tell_to_resync(outlet, last)
                    position = last
                await self._resume(outlet, key, max(min(position, last), first - 1), last)
        except django.db.Error as error:
            log.warning("resume_broken_off", reason=type(error).__name__)
            outlet.close(TRY_AGAIN)
        except Exception:  # it would wait for messages in vain
            log.exception("resume_broken_off")
            outlet.close(TRY_AGAIN)

    def detach(self, outlet: Outlet) -> None:
        outlet.hang_up()
        self._silence(outlet)
        session = self.sessions.get(outlet.connection.session_id)
        if session is not None:
            session.outlets.discard(outlet)
            if not session.outlets:
                del self.sessions[outlet.connection.session_id]

    async def admit(self, outlet: Outlet, room_id: int) -> None:
        """From here on a guest's outlet gets what is shown of the room to everybody."""
        outlet.leave_at = self._loop.time() + settings.SOCKET_MAX_AGE * uniform(0.75, 1.0)
        self.guests.add(outlet)
        key = _room(room_id)
        positions = await ask(storage.last_seqs, [key])
        feed = self._feed(key, positions.get(key, 0))
        feed.flush()
        feed.guests.add(outlet)
        outlet.feeds.add(key)

    def dismiss(self, outlet: Outlet) -> None:
        outlet.hang_up()
        self.guests.discard(outlet)
        for key in outlet.feeds:
            if (feed := self.feeds.get(key)) is not None:
                feed.guests.discard(outlet)
                self._forget_if_idle(feed)
        outlet.feeds.clear()

    def drain(self) -> None:
        """This process is going: every socket is asked to connect anew, spread over SOCKET_DRAIN seconds."""
        self.draining = True
        for outlet in self.outlets():
            self._loop.call_later(uniform(0, settings.SOCKET_DRAIN), outlet.close, TRY_AGAIN)

    def outlets(self) -> list[Outlet]:
        return [*self.guests, *(outlet for session in self.sessions.values() for outlet in session.outlets)]

    def _silence(self, outlet: Outlet) -> None:
        for key in list(outlet.feeds):
            self._move_out(outlet, key)
        user_id = outlet.connection.user_id
        others = self.people.get(user_id)
        if others is not None:
            others.discard(outlet)
            if not others:
                del self.people[user_id]

    def _speaks(self, outlet: Outlet) -> bool:
        return outlet in self.people.get(outlet.connection.user_id, ()) and not outlet.closed

    def _move_in(self, outlet: Outlet, key: Key, position: int) -> None:
        """`position` counts where nobody here was in it before: from there on this process hears it."""
        if key in outlet.resuming:
            return
        feed = self._feed(key, position)
        feed.flush()
        feed.outlets.add(outlet)
        outlet.feeds.add(key)

    def _feed(self, key: Key, position: int) -> Feed:
        feed = self.feeds.get(key)
        if feed is None:
            feed = self.feeds[key] = Feed(key, position)
            self._soon(self._compare([feed]))  # what was told since `position` was read went past us
        return feed

    def _move_out(self, outlet: Outlet, key: Key) -> None:
        outlet.feeds.discard(key)
        outlet.resuming.discard(key)
        feed = self.feeds.get(key)
        if feed is not None:
            feed.flush()
            feed.outlets.discard(outlet)
            self._forget_if_idle(feed)

    def _forget_if_idle(self, feed: Feed) -> None:
        if feed.is_idle:
            self.feeds.pop(feed.key, None)

    # --- what the bus says ----------------------------------------------------------------------------------

    def _tell(self, act: Act, at: float) -> None:
        told = Told(act["element"], act["needs"], at)
        for kind, owner_id, seq in act["to"]:
            feed = self.feeds.get((kind, owner_id))
            if feed is not None:
                feed.tell(seq, told)
                self._burst(feed)
                if feed.early and not feed.waits_for_gap:
                    feed.waits_for_gap = True
                    self._loop.call_later(GAP_SECONDS, self._close_gap, feed)

    def _close_gap(self, feed: Feed) -> None:
        feed.waits_for_gap = False
        if feed.early:
            self._soon(self._fill(feed, max(feed.early)))

    def _tell_state(self, act: Act, at: float) -> None:
        kind, owner_id = act["to"]
        feed = self.feeds.get((kind, owner_id))
        if feed is not None:
            feed.tell_state(act["name"], act["version"], Told(act["element"], act["needs"], at), self._loop)
            self._burst(feed)

    def _burst(self, feed: Feed) -> None:
        """Let out what has come when everything that waits on the bus has been heard."""
        if feed.has_burst:
            if not self._bursting:
                self._loop.call_soon(self._flush)
            self._bursting.add(feed)

    def _flush(self) -> None:
        bursting, self._bursting = self._bursting, set()
        for feed in bursting:
            feed.flush()

    def _enter(self, act: Act, at: float) -> None:
        for outlet in self.people.get(act["user"], ()):
            outlet.moved.add(act["room"])
            self._move_in(outlet, _room(act["room"]), act["seq"])

    def _leave(self, act: Act, at: float) -> None:
        for outlet in self.people.get(act["user"], ()):
            outlet.moved.add(act["room"])
            self._move_out(outlet, _room(act["room"]))

    def _close_room(self, act: Act, at: float) -> None:
        feed = self.feeds.get(_room(act["room"]))
        for outlet in list(feed.outlets) if feed else ():
            self._move_out(outlet, _room(act["room"]))
        if feed is not None and feed.guests:
            feed.flush()
            for outlet in list(feed.guests):
                outlet.close(OVER)

    def _end(self, act: Act, at: float) -> None:
        for session_id in act["sessions"]:
            session = self.sessions.get(session_id)
            for outlet in session.outlets if session else ():
                outlet.close(ENDED)

    def _newest(self, act: Act, at: float) -> None:
        for session_id, number in act["sessions"]:
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

    def _beacon(self, act: Act, at: float) -> None:
        if act["hub"] == self._name:
            self._heard_at = self._loop.time()
            metrics.bus_lag.observe(max(0.0, time.time() - at))
            if not self._listening.is_set():
                self._listening.set()
                metrics.bus_up.set(1)
                log.info("bus_heard")
                self._soon(self._catch_up())

    # --- beside the delivery path ---------------------------------------------------------------------------

    async def _stand(self, outlets: list[Outlet]) -> None:
        """Bring these outlets to what the database says: session alive, streams. What the bus says meanwhile is
        newer than the answer and stands."""
        await self._check_sessions({outlet.connection.session_id for outlet in outlets})
        for outlet in outlets:
            async with outlet.lookup:
                outlet.moved.clear()
                user_id = outlet.connection.user_id
                rooms, positions = await ask(_standing, user_id)
                if self._speaks(outlet):
                    here = {_room(room_id) for room_id in rooms} | {_person(user_id)}
                    moved = {_room(room_id) for room_id in outlet.moved}
                    for key in (outlet.feeds | outlet.resuming) - here - moved:
                        self._move_out(outlet, key)
                    for key in here - outlet.feeds - outlet.resuming - moved:
                        self._move_in(outlet, key, positions.get(key, 0))

    async def _resume(self, outlet: Outlet, key: Key, after: int, last: int) -> None:
        """Row by row up to where the others are, without a pause between the last look and joining them."""
        feed = self._feed(key, last)
        feed.reserved += 1
        generation = storage.as_number(outlet.connection.generation)
        try:
            while self._is_resuming(outlet, key):
                until = max(feed.position, last)
                if after == feed.position and after >= last:
                    outlet.resuming.discard(key)
                    self._move_in(outlet, key, after)
                elif after >= until:  # nobody has told this process yet
                    await self._fill(feed, after)
                else:
                    rows = await ask(storage.read, key, after, until, ROWS)
                    if key[0] == StreamKind.PERSON and (not rows or rows[0].seq > after + 1):  # just forgotten
                        _tell_to_resync(outlet, until)
                        after = until
                        continue
                    told = [storage.numbered(key, row.seq, row.element) for row in rows if row.needs <= generation]
                    for frame in frames(told):
                        if not self._is_resuming(outlet, key):  # left, and perhaps entered again, meanwhile
                            return
                        outlet.put([frame])
                        await outlet.drained()
                    after = rows[-1].seq if len(rows) == ROWS else until
        finally:
            feed.reserved -= 1
            self._forget_if_idle(feed)

    def _is_resuming(self, outlet: Outlet, key: Key) -> bool:
        return key in outlet.resuming and self._speaks(outlet)

    async def _fill(self, feed: Feed, until: int) -> None:
        """Read what the bus did not bring, up to `until`; what it brings meanwhile is not told twice."""
        async with feed.filling:
            while feed.position < until and not feed.is_idle:
                metrics.gaps.inc()
                rows = await ask(storage.read, feed.key, feed.position, until, ROWS)
                for row in rows:
                    feed.skip_to(row.seq - 1)
                    feed.tell(row.seq, Told(row.element, row.needs))
                if len(rows) < ROWS:
                    feed.skip_to(until)
                feed.flush()
                if feed.key[0] == StreamKind.PERSON:
                    for outlet in list(feed.outlets):
                        await outlet.drained()

    async def _compare(self, feeds: Iterable[Feed]) -> None:
        """Find what was told while its ring was lost: by a publisher that died, or without a bus."""
        compared = {feed.key: feed for feed in feeds}
        behind = await ask(storage.behind, {key: feed.position for key, feed in compared.items()})
        if behind:
            await asyncio.sleep(GAP_SECONDS)  # most are on the bus just now
        for key, last in behind.items():
            if compared[key].position < last:
                self._soon(self._fill(compared[key], last))

    async def _check_sessions(self, session_ids: set[int]) -> None:
        if session_ids:
            alive = await ask(sessions.store().alive, list(session_ids))
            self._end({"sessions": session_ids - alive}, 0)

    async def _check_all_sessions(self) -> None:
        await self._check_sessions(set(self.sessions))

    async def _catch_up(self) -> None:
        """The bus is back (or new): ask the database, until it answers, for what the bus did not tell."""
        await self._announce([(session_id, session.newest) for session_id, session in self.sessions.items()])
        self._soon(self._lease.renew(list(self.people)))
        while self._listening.is_set():
            try:
                await self._compare(self.feeds.values())
                await self._check_all_sessions()
                await self._stand([outlet for outlets in self.people.values() for outlet in outlets])
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
        """Beside everything else. A database or bus that is away is somebody else's to notice, and tried again."""
        nobodys = contextvars.Context()  # and not the log context of the socket that happened to ask
        task = self._loop.create_task(_quietly(work), context=nobodys)
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
                self._look_after_sockets()
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
            if self._listening.is_set():
                metrics.bus_losses.inc()
        finally:
            self._listening.clear()
            metrics.bus_up.set(0)
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
            if ear.cancelling():  # as we are ourselves, but `asyncio.wait_for` may swallow that before Python 3.12
                raise asyncio.CancelledError
            beats += 1
            self._tend(beats)
            await asyncio.wait([ear], timeout=BEACON_SECONDS)
            if ear.done():
                ear.result()  # raises what it died of
        raise TimeoutError

    def _tend(self, beats: int) -> None:
        """What is due from time to time, with the beacon as the clock."""
        self._look_after_sockets()
        self._soon(self._lease.renew(list(self.people)))
        if beats % COMPARE_BEACONS == 0:
            self._soon(self._compare(self.feeds.values()))
        if beats % SESSION_CHECK_BEACONS == 0:
            self._soon(self._check_all_sessions())

    def _look_after_sockets(self) -> None:
        outlets, now = self.outlets(), self._loop.time()
        for outlet in outlets:
            outlet.check(now)
        waiting = [outlet.waiting_bytes for outlet in outlets]
        metrics.sockets.set(len(outlets))
        metrics.people.set(len(self.people))
        metrics.rooms.set(sum(1 for kind, _ in self.feeds if kind == StreamKind.ROOM))
        metrics.queued.set(sum(waiting))
        metrics.longest_queue.set(max(waiting, default=0))

    async def _hear(self) -> None:
        """Every message that waits, then the writers' turn at least once a frame's worth of bytes."""
        budget = settings.SOCKET_FRAME_BYTES
        while True:
            message = await self._line.hear()
            for act in message.get("acts", ()):  # a message of another release, during a deployment, may have none
                handler = self._handlers.get(act["do"])
                if handler is not None:
                    handler(act, message["at"])
                budget -= len(act.get("element", b"")) + 1
            if budget <= 0:
                await asyncio.sleep(0)
                budget = settings.SOCKET_FRAME_BYTES


def _tell_to_resync(outlet: Outlet, seq: int) -> None:
    metrics.resyncs.inc()
    outlet.put([*frames([element(Resync(seq=seq))])])


def _room(room_id: int) -> Key:
    return StreamKind.ROOM.value, room_id


def _person(user_id: int) -> Key:
    return StreamKind.PERSON.value, user_id


def _standing(user_id: int) -> tuple[set[int], dict[Key, int]]:
    """The rooms a person is in, and how far the streams that concern them have come."""
    rooms = memberships.rooms_of(user_id)
    return rooms, storage.last_seqs([*map(_room, rooms), _person(user_id)])


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (django.db.Error, *LINE_ERRORS) as error:
        log.warning("hub_work_postponed", work=work.__qualname__, reason=type(error).__name__)
    except Exception:
        log.exception("hub_work_failed", work=work.__qualname__)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def current() -> Hub:
    """The hub of the running event loop; the first to ask starts it."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
        _hubs[loop].start()
    return _hubs[loop]


def drain() -> None:
    """This process is going: its sockets are to connect elsewhere."""
    hub = _hubs.get(asyncio.get_running_loop())
    if hub is not None and not hub.draining:
        hub.drain()
