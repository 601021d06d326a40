import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.api.server import Server

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call() -> Call:
    """`call("kit/show", data, content_type=...)`: the answer to a POST of these very bytes."""

    def post(
        path: str,
        body: bytes | str = b"",
        content_type: str | None = "application/x-www-form-urlencoded",
        *,
        query: str = "",
        method: str = "POST",
        **headers: str,
    ) -> dict[str, Any]:
        sent = body.encode() if isinstance(body, str) else body
        response = Client(raise_request_exception=False).generic(
            method, f"/api/{path}", sent, content_type=content_type or "", QUERY_STRING=query, headers=headers
        )
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"
        return dict(orjson.loads(response.content))

    return post


@pytest.fixture(scope="session")
def server(django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    with django_db_blocker.unblock():  # its threads may still have connections, and look after them
        server = Server()
        yield server
        server.stop()


@pytest.fixture
def printed() -> Iterator[Callable[[], list[str]]]:
    """The log lines so far as they are printed."""
    console = next(handler for handler in logging.getLogger().handlers if handler.name == "console")
    assert isinstance(console, logging.StreamHandler)
    stream = StringIO()
    former = console.setStream(stream)
    yield lambda: stream.getvalue().splitlines()
    console.setStream(former)
