"""Two people who know each other, what each of them was told, and the real socket."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from heihei_site.realtime.models import Message, StreamKind
from messages.models import InstantMessage
from tests import factories
from tests.answers import ok
from tests.conftest import Api
from tests.realtime.conftest import Server
from tests.realtime.phone import TEXT, Phone
from tests.uploads import samples
from users.models import User


@dataclass
class Talk:
    me: User
    her: User
    mine: Api
    hers: Api

    def write(self, text: str = "在吗", *, phone: Api | None = None, **changes: Any) -> dict[str, Any]:
        """I write to her, if nothing else is said."""
        said = {"toUserId": self.her.pk, "content": content(text)} | changes
        return (phone or self.mine).post("msg/send-msg", **{key: value for key, value in said.items() if value != ""})


def content(text: str) -> str:
    return json.dumps({"text": text})


def told(user: User) -> list[dict[str, Any]]:
    """The elements that were told to a person, in order."""
    rows = Message.objects.filter(kind=StreamKind.PERSON, owner_id=user.pk).order_by("seq")
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    return [json.loads(row.element) for row in rows]


def texts(user: User) -> list[str]:
    return [element["msg"]["content"]["text"] for element in told(user)]


def nothing_happened() -> bool:
    return not InstantMessage.objects.exists() and not Message.objects.exists()


@pytest.fixture
def talk(api: Callable[..., Api], db: None) -> Talk:
    me, her = factories.person("小白", cover_url="http://cdn/a.jpg"), factories.person("阿嘿", experience=2404)
    return Talk(me, her, api(me, version="2.0.0"), api(her, version="2.0.0"))


FILES = {"image": ("jpg", samples.picture), "audio": ("m4a", samples.m4a), "video": ("mp4", samples.video)}


@pytest.fixture
def signs(talk: Talk, put: Callable[[str, bytes], int]) -> Callable[..., str]:
    """The sign of a file of mine, by kind of message. For tests on a disk of their own (tests.uploads)."""

    def of(kind: str, phone: Api | None = None, content: bytes | None = None) -> str:
        name, make = FILES[kind]
        file = ok((phone or talk.mine).post("sys/oss-token", format=name, module="message"))["FileInfo"]
        assert put(file["uploadUrl"], content or make()) == 200
        return str(file["sign"])

    return of


class Sockets:
    """The server, and phones that hear what is told from now on."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def of(self, phone: Api, since: int | None = None) -> Phone:
        """One that passes over how much is unread, which comes whenever it comes."""
        heard = self.server.phone(str(phone.token), since)
        next_element = heard.element

        def element(seconds: float = 5) -> dict[str, Any]:
            while (one := next_element(seconds))["msg"].get("action") == "message-unread-count":
                pass
            return one

        heard.element = element  # type: ignore[method-assign]
        return heard


def send(phone: Phone, *messages: Any) -> None:
    """One frame with an IM element for each message object."""
    frame(phone, [{"msgType": "IM", "msg": message} for message in messages])


def frame(phone: Phone, elements: Any) -> None:
    phone.send(TEXT, json.dumps(elements).encode())


@pytest.fixture
def sockets(transactional_db: None) -> Iterator[Sockets]:
    server = Server()
    yield Sockets(server)
    server.stop()
