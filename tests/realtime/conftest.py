"""A bus of its own that can be killed, a server of its own, and doubles for what the apps above register."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import uvicorn

from heihei_site import embedded
from heihei_site.realtime import bus, memberships, sessions
from heihei_site.realtime.routing import application
from heihei_site.realtime.server import Socket
from heihei_site.realtime.sessions import Connection
from tests.realtime.phone import Phone


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
        self.tokens: dict[str, tuple[int, int]] = {}
        self.numbers: dict[int, int] = {}
        self.ended: set[int] = set()
        self.rooms: dict[int, set[int]] = {}

    def sign_in(self, token: str, user_id: int, *rooms: int) -> None:
        self.tokens[token] = (user_id, user_id * 10)
        self.rooms.setdefault(user_id, set()).update(rooms)

    def connect(self, token: str) -> Connection | None:
        if token not in self.tokens:
            return None
        user_id, session_id = self.tokens[token]
        self.numbers[session_id] = self.numbers.get(session_id, 0) + 1
        return Connection(user_id=user_id, session_id=session_id, number=self.numbers[session_id])

    def alive(self, session_ids: list[int]) -> set[int]:
        return set(session_ids) - self.ended

    def rooms_of(self, user_id: int) -> list[int]:
        return sorted(self.rooms.get(user_id, ()))


class Server:
    """uvicorn with an event loop of its own, as in production but in a thread."""

    def __init__(self) -> None:
        config = uvicorn.Config(
            application,
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

    def phone(self, token: str, **options: object) -> Phone:
        phone = Phone(self.port, f"/ws/channel?token={token}", **options)
        self._phones.append(phone)
        return phone

    @property
    def connections(self) -> int:
        return len(self._uvicorn.server_state.connections)

    def stop(self) -> None:
        for phone in self._phones:
            phone.drop()
        self._uvicorn.should_exit = True
        self._thread.join(10)


def wait_until(condition, seconds: float = 10) -> float:
    """Seconds until it held."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - start


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
def on_the_bus(valkey, settings, monkeypatch):
    settings.REDIS_URL = valkey.url
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": valkey.url, "socket_timeout": None}], "prefix": "heihei"},
        }
    }
    monkeypatch.setattr(bus, "_mute_until", 0.0)


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
