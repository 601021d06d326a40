"""Uploads through a web process of its own: bodies arrive on disk, and memory stays what it is."""

import http.client
import os
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from heihei_site.uploads import claims
from heihei_site.uploads.claims import Media
from tests import factories
from tests.processes import memory_of, processes_of, wait_until
from tests.site.web import serving
from tests.uploads import samples
from tests.uploads.conftest import files

pytestmark = pytest.mark.django_db(transaction=True)
MEGABYTE = 1024 * 1024
ROOM = 48 * MEGABYTE  # of memory a few connections and their pieces may take


@pytest.fixture
def disk(settings) -> Path:
    """Where the other process keeps uploads."""
    return Path(settings.STORAGES["uploads"]["OPTIONS"]["location"])


@pytest.fixture
def port() -> Iterator[int]:
    with serving("uvicorn") as port:
        yield port


def process(port: int) -> int:
    found = processes_of(Path(os.environ["HEIHEI_VAR"]))
    return next(pid for pid, command in found.items() if f"--port {port}" in command)


def put(port: int, url: str, body: bytes | Iterable[bytes]) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        address = urlsplit(url)
        line.request("PUT", f"{address.path}?{address.query}", body)
        return line.getresponse().status
    finally:
        line.close()


def pour(port: int, url: str, declared: str, piece: bytes) -> tuple[int, bytes]:
    """A gigabyte, or as much of it as is listened to, and the answer where it could still be read."""
    address = urlsplit(url)
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        head = f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: localhost\r\n{declared}\r\n\r\n"
        line.sendall(head.encode())
        with suppress(OSError):
            while sent < 1024 * MEGABYTE:
                line.sendall(piece)
                sent += len(piece)
        with suppress(OSError):
            answer = line.recv(100)
    return sent, answer


def opened(pid: int, name: str) -> list[str]:
    """The process's open files of that name."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.append(os.readlink(entry))
    return [path for path in found if path.endswith(name)]


def test_memory_stays_what_it_is_whatever_is_poured_in(port, ask, disk):
    """Twenty megabytes are stored as they are, also eight times at once; a gigabyte, announced or not, is not listened
    to, and not stored."""
    user = factories.person()
    whole = samples.m4a() + bytes(20 * MEGABYTE - len(samples.m4a()))
    asked = [ask(user, "m4a") for _ in range(11)]
    before_files = files(disk)
    assert put(port, asked[0]["uploadUrl"], whole) == 200
    pid = process(port)
    before = memory_of(pid)

    with ThreadPoolExecutor(8) as phones:
        sent = [phones.submit(put, port, file["uploadUrl"], whole) for file in asked[1:9]]
        assert [each.result() for each in sent] == [200] * 8
    assert memory_of(pid) - before < ROOM
    stored = set(files(disk)) - set(before_files)
    assert stored == {f"message/{file['fileName']}" for file in asked[:9]}
    assert {(disk / name).stat().st_size for name in stored} == {20 * MEGABYTE}

    assert put(port, asked[9]["uploadUrl"], whole + b"x") == 413
    piece = b"\xff" * 65536
    for declared, part in [
        (f"Content-Length: {1024 * MEGABYTE}", piece),
        ("Transfer-Encoding: chunked", b"10000\r\n" + piece + b"\r\n"),
    ]:
        poured, answer = pour(port, asked[10]["uploadUrl"], declared, part)
        assert poured < 120 * MEGABYTE
        assert answer[:12] in (b"HTTP/1.1 413", b"")  # b"": gone before it could be read
        assert memory_of(pid) - before < ROOM
    assert set(files(disk)) - set(before_files) == stored


def test_a_file_is_sent_in_pieces_and_from_where_a_player_wants(port, ask, disk):
    user = factories.person()
    whole = samples.m4a() + os.urandom(20 * MEGABYTE - len(samples.m4a()))
    file = ask(user, "m4a")
    assert put(port, file["uploadUrl"], whole) == 200
    claims.find(owner_id=user.pk, sign=file["sign"], media=Media.AUDIO)
    pid = process(port)
    path = f"/data/message/{file['fileName']}"
    before = memory_of(pid)
    listeners = []
    for _ in range(12):  # who begin to listen and then do not read on
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        line.request("GET", path)
        assert line.getresponse().status == 200
        listeners.append(line)
    assert memory_of(pid) - before < ROOM
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("GET", path, headers={"Range": "bytes=10000000-"})
    answer = line.getresponse()
    assert (answer.status, answer.read()) == (206, whole[10_000_000:])
    line.request("GET", path)
    assert line.getresponse().read() == whole
    assert len(opened(pid, file["fileName"])) >= len(listeners)
    for each in [*listeners, line]:
        each.close()
    wait_until(lambda: not opened(pid, file["fileName"]), 20, "what nobody listens to any more is closed")
