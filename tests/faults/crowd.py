"""Many people at once, each with a phone of version 2.0 whose socket comes back where it was cut (D12). They talk, and
what they must not see is noted as they see it. A loop in a thread of its own: the test meanwhile pulls plugs."""

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.faults.mail import PROMISE, Book, Line, Thread
from tests.processes import wait_until

FRAME_BYTES = 65536
PATIENCE = 2.0  # seconds until a phone takes a call for lost and repeats it
STUBBORN = 60.0  # seconds until it gives up
UNREACHABLE = (OSError, WebSocketException, TimeoutError, ValueError, asyncio.IncompleteReadError)

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Card:
    """Who somebody is, and the token they are signed in with."""

    id: int
    token: str


class Person:
    """`places` are the ports of web processes; when one hangs up, the phone tries the next."""

    def __init__(self, card: Card, places: Sequence[int], book: Book) -> None:
        self.id, self.token = card.id, card.token
        self.places = list(places)
        self.book = book
        self.room = 0
        self.seqs, self.room_seqs = Thread(0), Thread()
        self.unread = 0  # what the server told last
        self.connects = 0
        self.closes: list[tuple[float, int]] = []  # when, and with which code; 1006 for a cut
        self.refusals: Counter[int] = Counter()
        self.socket: ClientConnection | None = None
        self.unsure: dict[str, asyncio.Event] = {}  # lines that wait to be acknowledged

    async def stay_connected(self) -> None:
        pause = 0.1
        while True:
            try:
                async with self._dial() as self.socket:
                    self.connects += 1
                    pause = 0.1
                    await self._listen(self.socket)
            except UNREACHABLE:
                pause = min(2 * pause, 2.0)
            self.socket = None
            self.places.append(self.places.pop(0))
            await asyncio.sleep(random.uniform(0.5, 1.5) * pause)

    def _dial(self) -> connect:
        query = {"token": self.token, "since": self.seqs.position}
        if self.room and self.room_seqs.position is not None:
            query["room"] = f"{self.room}:{self.room_seqs.position}"
        address = f"ws://127.0.0.1:{self.places[0]}/ws/channel?{urlencode(query)}"
        return connect(
            address, compression=None, ping_interval=None, proxy=None, open_timeout=20, close_timeout=1, max_size=None
        )

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            while True:
                self._read(await socket.recv(decode=False))
        except ConnectionClosed:
            self.closes.append((time.monotonic(), socket.close_code or 1006))

    def _read(self, frame: bytes) -> None:
        if len(frame) > FRAME_BYTES:
            self._complain(f"a frame of {len(frame)} bytes")
        for element in json.loads(frame):
            message = element["msg"]
            if "seq" in element:
                self._complain(self.seqs.follow(element["seq"]))
            if "roomSeq" in element and int(message["roomId"]) == self.room:
                self._complain(self.room_seqs.follow(element["roomSeq"]))
            self._take(message, numbered="seq" in element or "roomSeq" in element)

    def _take(self, message: dict[str, Any], *, numbered: bool) -> None:
        """A text without a number only answers the phone that repeated itself: the message was told before."""
        if message["msgType"] == "text":
            content = message.get("content")
            if numbered:
                self.book.heard(self.id, content["text"] if content else message["text"])
            if "clientMsgId" in message:
                self._acknowledged(message["clientMsgId"])
        elif message.get("action") == "message-unread-count":
            self.unread = message["count"]
        elif message.get("action") == "refused":
            self.refusals[message["errorcode"]] += 1
        elif message.get("action") == "resync":
            self._complain(f"resync {message}")

    def _complain(self, what: str) -> None:
        if what:
            self.book.complaints.append(f"{self.id}: {what}")

    def _acknowledged(self, key: str) -> None:
        if key in self.book.lines:
            self.book.acknowledged(key)
        if key in self.unsure:
            self.unsure[key].set()

    # --- Saying something ------------------------------------------------------------------------------------

    async def write(self, other: int, many: int = 1) -> None:
        """So many lines to one person, repeated over socket and HTTP until all are acknowledged."""
        lines = [self.book.say(self.id, f"u{other}", frozenset({self.id, other})) for _ in range(many)]
        self.unsure.update((line.key, asyncio.Event()) for line in lines)
        try:
            async with asyncio.timeout(STUBBORN):
                while lines := [line for line in lines if not self.unsure[line.key].is_set()]:
                    over = self._over_socket if random.random() < 0.5 else self._over_http
                    with suppress(*UNREACHABLE):
                        await over(lines, other)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            self._complain(f"{lines[0].key} is not acknowledged after {STUBBORN:g} s")
        finally:
            for line in lines:
                self.unsure.pop(line.key, None)

    async def _over_socket(self, lines: list[Line], other: int) -> None:
        if self.socket is None:
            return
        messages = [self._message(line, other) | {"content": {"text": f"晚上好 {line.key}"}} for line in lines]
        await self.socket.send(json.dumps([{"msgType": "IM", "msg": message} for message in messages]))
        async with asyncio.timeout(PATIENCE):
            for line in lines:
                await self.unsure[line.key].wait()

    async def _over_http(self, lines: list[Line], other: int) -> None:
        for line in lines:
            content = json.dumps({"text": f"晚上好 {line.key}"})
            if await self.call("msg/send-msg", **self._message(line, other), content=content) != 0:
                return
            self._acknowledged(line.key)

    @staticmethod
    def _message(line: Line, other: int) -> dict[str, Any]:
        return {"toUserId": other, "msgType": "text", "clientMsgId": line.key}

    async def say(self, everyone: frozenset[int]) -> None:
        """A line to the room. Once: who repeats a text after ten seconds says it twice (D26)."""
        line = self.book.say(self.id, f"r{self.room}", everyone)
        with suppress(*UNREACHABLE):
            if await self.call("msg/send-msg", text=line.key, roomId=self.room, liveId=self.room) == 0:
                self.book.acknowledged(line.key)

    async def call(self, path: str, **params: object) -> int:
        """The errorcode of the answer."""
        return int((await self.ask(path, **params))["errorcode"])

    async def ask(self, path: str, **params: object) -> dict[str, Any]:
        body = urlencode({"token": self.token, **params}).encode()
        head = (
            f"POST /api/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nversion: 2.0.0\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        async with asyncio.timeout(5 * PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.places[0])
            try:
                writer.write(head.encode() + body)
                _, _, text = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
        answer: dict[str, Any] = json.loads(text)
        if answer["errorcode"]:
            self.refusals[answer["errorcode"]] += 1
        return answer


class Crowd(AbstractContextManager["Crowd"]):
    """`places(n)`: the ports that the n-th person's phone knows, the first one first. The last `away` of them have no
    socket until they come home."""

    def __init__(self, cards: Sequence[Card], places: Callable[[int], Sequence[int]], away: int = 0) -> None:
        self.book = Book()
        self._away = away
        self.people = [Person(card, places(n), self.book) for n, card in enumerate(cards)]
        self.everyone = frozenset(person.id for person in self.people)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> "Crowd":
        self._thread.start()
        for person in self.present:
            self.start(person.stay_connected())
        return self

    @property
    def present(self) -> "list[Person]":
        return self.people[: len(self.people) - self._away]

    @property
    def away(self) -> "list[Person]":
        return self.people[len(self.people) - self._away :]

    def come_home(self) -> None:
        """Those who were away hear all that they missed."""
        for person in self.away:
            self.start(person.stay_connected())

    def __exit__(self, *_: object) -> None:
        self.run(self._go_home())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _go_home(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def run(self, work: Coroutine[Any, Any, Answer], seconds: float = 90) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        async def begin() -> None:
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._ended)

        self.run(begin())

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.book.complaints.append(f"somebody's phone died: {error!r}")

    def look(self, question: Callable[[], Answer]) -> Answer:
        """Asked in the crowd's own thread, so that nothing moves meanwhile."""

        async def ask() -> Answer:
            return question()

        return self.run(ask())

    # --- An evening ------------------------------------------------------------------------------------------

    def gather(self, seconds: float) -> None:
        wait_until(lambda: all(person.socket for person in self.present), seconds, "everybody is connected")

    def open_room(self) -> int:
        """The first one goes on air."""
        return self.run(self._open_room(self.people[0]))

    async def _open_room(self, host: Person) -> int:
        created = await host.ask("live/create-live", title="雨夜电台")
        room = int(created["live"]["liveId"])
        assert await host.call("live/start-live", liveId=room) == 0
        return room

    def enter(self, room: int) -> None:
        """All join the live, and have heard something there, so that they know from where to resume."""
        self.run(self._enter(room))
        self.run(self.people[0].say(self.everyone))
        wait_until(lambda: all(person.room_seqs.position for person in self.people), 10, "all hear the room")

    async def _enter(self, room: int) -> None:
        for person in self.people:
            person.room = room
            assert await person.call("live/join-live", liveId=room) == 0

    @contextmanager
    def talking(self, *, pause: float = 0.5) -> Iterator[None]:
        """Each says something to somebody every `pause` seconds or so. In the end all let each other finish."""
        done = asyncio.Event()
        talks = [asyncio.run_coroutine_threadsafe(self._talk(one, done, pause), self._loop) for one in self.people]
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(done.set)
            for talk in talks:
                talk.result(STUBBORN + 30)

    async def _talk(self, person: Person, done: asyncio.Event, pause: float) -> None:
        others = sorted(self.everyone - {person.id})
        while not done.is_set():
            if person.room and random.random() < 0.2:
                await person.say(self.everyone)
            else:
                await person.write(random.choice(others), many=random.choice([1, 1, 1, 3]))
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), random.uniform(0.5, 1.5) * pause)

    def settle(self, *, at_least: int, within: float = PROMISE) -> None:
        """I1: everybody who had to hear an acknowledged line heard it once, in order, in time; `at_least` so many."""
        with suppress(AssertionError):
            wait_until(lambda: not self.look(self.book.missing), within + 5, "everything arrives")
        found = self.look(lambda: [*self.book.complaints, *self.book.missing(), *self.book.turned_around()])
        assert not found, f"{len(found)}: {found[:20]}"
        late = self.look(lambda: self.book.late(within))
        assert not late, f"{len(late)}: {late[:20]}"
        assert len(self.book.given) >= at_least, f"{len(self.book.given)} lines of {len(self.book.lines)}"
