"""What Django is told of a request."""

import asyncio
import threading
from io import BytesIO
from typing import Any

import pytest

from heihei_site.api import edge
from heihei_site.api.edge import Edge, environ_of


def environ(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    scope = {"method": "GET", "path": "/", "http_version": "1.1", "headers": headers, "client": ("10.0.0.9", 1)}
    return environ_of(scope, BytesIO())


def test_a_header_with_underscores_does_not_pass_for_the_real_one():
    """A proxy sets and removes `X-Forwarded-For`; it lets `X_Forwarded_For` through, and WSGI has one name for both."""
    forged = environ((b"x_forwarded_for", b"6.6.6.6"), (b"X_Forwarded_Proto", b"https"), (b"content_length", b"9"))
    assert not [name for name in forged if name.startswith("HTTP_")]
    assert forged["CONTENT_LENGTH"] == "0"
    for order in (1, -1):
        both = ((b"x-forwarded-for", b"10.1.1.1"), (b"x_forwarded_for", b"6.6.6.6"))[::order]
        assert environ(*both)["HTTP_X_FORWARDED_FOR"] == "10.1.1.1"


def test_headers_of_the_app_arrive():
    sent = environ((b"version", b"1.1.2"), (b"x-jiyu-uid", b""), (b"model", "华为".encode()))
    assert (sent["HTTP_VERSION"], sent["HTTP_X_JIYU_UID"]) == ("1.1.2", "")
    assert sent["HTTP_MODEL"].encode("latin-1").decode() == "华为"


# --- A server that is behind with its work ---------------------------------------------------------------------------


class Busy:
    """An edge of one thread, which works for somebody until `free` is set, and what it began."""

    def __init__(self) -> None:
        self.free, self.began = threading.Event(), list[str]()
        self.fails_with: type[Exception] | None = None
        self.edge = Edge(self.app)

    def app(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.began.append(environ["PATH_INFO"])
        assert self.free.wait(10)
        if self.fails_with:
            raise self.fails_with
        start_response("200 OK", [])
        return [b"done"]


@pytest.fixture
def busy(settings, monkeypatch):
    settings.API_THREADS = 1
    monkeypatch.setattr(edge, "PATIENCE", 0.05)
    there = Busy()
    yield there
    there.free.set()
    there.edge.threads.shutdown()


class Phone:
    def __init__(self, path: str) -> None:
        self.scope = {"method": "GET", "path": path, "http_version": "1.1", "headers": ()}
        self.hangs_up, self.heard, self.asked = asyncio.Event(), list[bytes](), False

    async def receive(self) -> dict[str, Any]:
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b""}
        await self.hangs_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.heard.append(message.get("body", b""))

    def calls(self, busy: Busy) -> asyncio.Task[None]:
        return asyncio.ensure_future(busy.edge(self.scope, self.receive, self.send))


def test_who_gave_up_while_in_line_is_not_worked_for(busy):
    """And who did so while it was worked for has it done: half a deed is none."""

    async def evening() -> None:
        first, gone, patient = Phone("/first"), Phone("/gone"), Phone("/patient")
        at_work, forgotten, waiting = first.calls(busy), gone.calls(busy), patient.calls(busy)
        first.hangs_up.set()
        gone.hangs_up.set()
        await asyncio.wait_for(forgotten, 5)
        assert not at_work.done() and not waiting.done()
        busy.free.set()
        await asyncio.wait_for(asyncio.gather(at_work, waiting), 5)
        assert (gone.heard, patient.heard[1:]) == ([], [b"done"])

    asyncio.run(evening())
    assert busy.began == ["/first", "/patient"]


def test_a_call_that_fails_after_long_fails(busy):
    async def evening() -> None:
        call = Phone("/fails").calls(busy)
        await asyncio.sleep(3 * edge.PATIENCE)
        busy.free.set()
        with pytest.raises(LookupError):
            await call

    busy.fails_with = LookupError
    asyncio.run(evening())
