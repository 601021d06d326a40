"""A bus of its own that can be killed, a server of its own, and doubles for what the apps above register."""

import logging
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
import uvicorn
from django.db import connections

from heihei_site import embedded
from heihei_site.api.clients import NEWEST, Generation
from heihei_site.realtime import bus, consumers, database, memberships, sessions
from heihei_site.realtime.routing import application
from heihei_site.realtime.server import Socket
from heihei_site.realtime.sessions import Connection
from heihei_site.realtime.turnstile import Turnstile
from tests.realtime.phone import Phone
from tests.realtime.telling import ROOM, say

OF_LIBRARIES = ["Unexpected exception in receive task", "Invalid UTF-8 sequence received from client."]


class Bus:
    """A Valkey that tests may kill, stop answering and start again."""

    def __init__(self, var: Path) -> None:
        prepared = embedded.prepare(var, durable=False)
        [self._program] = prepared.programs
        self.url = prepared.addresses.redis_url
        self._answers = prepared.answering
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = self._program.start()
        wait_until(self._answers)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)


class People:
    """Who is signed in and in which rooms: stands for the apps above, and counts like the database."""

    def __init__(self) -> None:
        self.tokens: dict[str, tuple[int, int, Generation]] = {}
        self.numbers: dict[int, int] = {}
        self.ended: set[int] = set()
        self.rooms: dict[int, set[int]] = {}

    def sign_in(
        self, token: str, user_id: int, *rooms: int, session_id: int = 0, generation: Generation = NEWEST
    ) -> None:
        self.tokens[token] = (user_id, session_id or user_id * 10, generation)
        self.rooms.setdefault(user_id, set()).update(rooms)

    def connect(self, token: str) -> Connection | None:
        if token not in self.tokens:
            return None
        user_id, session_id, generation = self.tokens[token]
        self.numbers[session_id] = self.numbers.get(session_id, 0) + 1
        return Connection(user_id, session_id, self.numbers[session_id], generation)

    def alive(self, session_ids: list[int]) -> set[int]:
        return set(session_ids) - self.ended

    def rooms_of(self, user_id: int) -> list[int]:
        return sorted(self.rooms.get(user_id, ()))


class Server:
    """uvicorn with an event loop of its own, as in production but in a thread."""

    def __init__(self, app: Any = application) -> None:
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            ws=Socket,
            ws_max_size=65536,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, daemon=True)
        self._phones: list[Phone] = []
        self._thread.start()
        wait_until(lambda: self._uvicorn.started)
        self.port = self._uvicorn.servers[0].sockets[0].getsockname()[1]

    def phone(self, token: str, since: int | None = None, rooms: dict[int, int] | None = None, **options) -> Phone:
        """`since` and `rooms`: from where on it wants what it missed."""
        query = {} if since is None else {"since": since}
        places = [("room", f"{room_id}:{seq}") for room_id, seq in (rooms or {}).items()]
        phone = Phone(self.port, f"/ws/channel?{urlencode([('token', token), *query.items(), *places])}", **options)
        self._phones.append(phone)
        return phone

    @property
    def connections(self) -> int:
        return len(self._uvicorn.server_state.connections)

    def go(self) -> None:
        """As on SIGTERM."""
        self._uvicorn.should_exit = True

    def stop(self) -> None:
        for phone in self._phones:
            phone.drop()
        self.go()
        self._thread.join(10)


def wait_until(condition, seconds: float = 10) -> float:
    """Seconds until it held."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - start


def in_the_room(server: Server, people: People, token: str, user_id: int, **options) -> Phone:
    """A phone that is connected and in the room."""
    people.sign_in(token, user_id, ROOM)
    return server.phone(token, **options)


def heard(phone: Phone, room_id: int = ROOM, seconds: float = 5) -> float:
    """Seconds until the phone heard something in the room."""

    def hears() -> bool:
        say("anyone?", room_id)
        return not phone.hears_nothing(0.05)

    took = wait_until(hears, seconds)
    phone.hears_nothing_more()
    return took


@pytest.fixture(scope="session", autouse=True)
def no_connection_outlives_the_tests(django_db_setup):
    """Threads of sockets keep theirs, and a database somebody is connected to cannot be dropped."""
    yield
    together = threading.Barrier(database._threads._max_workers)

    def hang_up(number: int) -> None:
        together.wait(5)
        connections.close_all()

    list(database._threads.map(hang_up, range(together.parties)))


@pytest.fixture(scope="session")
def valkey() -> Iterator[Bus]:
    with tempfile.TemporaryDirectory(prefix="heihei-bus-") as folder, embedded.alone(Path(folder)):
        Path(folder).chmod(0o755)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("DATABASE_URL", "not wanted")
            environment.delenv("REDIS_URL", raising=False)
            valkey = Bus(Path(folder))
        valkey.start()
        yield valkey
        valkey.thaw()
        valkey.kill()


@pytest.fixture(autouse=True)
def no_errors(caplog):
    """A fault is noticed and got over; it is never an error in the log."""
    yield
    records = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in records if record.getMessage() not in OF_LIBRARIES] == []


@pytest.fixture(autouse=True)
def on_the_bus(valkey, settings, monkeypatch):
    settings.REDIS_URL = valkey.url
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": valkey.url, "socket_timeout": None}], "prefix": "heihei"},
        }
    }
    monkeypatch.setattr(bus, "_mute_until", 0.0)
    monkeypatch.setattr(consumers, "turnstile", Turnstile())


@pytest.fixture
def people(monkeypatch) -> People:
    people = People()
    monkeypatch.setattr(sessions, "_registered", [people])
    monkeypatch.setattr(memberships, "_registered", {"test": people.rooms_of})
    return people


@pytest.fixture
def server(people, transactional_db) -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def other_server(people, transactional_db) -> Iterator[Server]:
    """Another event loop with a hub of its own: to the bus it is another process."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def plain_redis(valkey) -> redis.Redis:
    return redis.Redis.from_url(valkey.url)
