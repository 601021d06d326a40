"""People who listen to a room with a link and without an account: `/ws/guest`."""

import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from heihei_site.realtime import doorkeeper, guests
from heihei_site.realtime.outlet import ENDED, TOO_MANY, TRY_AGAIN
from heihei_site.realtime.turnstile import Turnstile
from tests.realtime.conftest import in_the_room, wait_until
from tests.realtime.phone import TEXT, Phone
from tests.realtime.telling import ROOM, close_room, say


class Door:
    """Opens with the room's number as the key, and shows texts without who said them."""

    def room_of(self, query: Mapping[str, str]) -> int | None:
        key = query.get("key", "")
        return int(key) if key.isdigit() else None

    def shown(self, element: bytes) -> bytes | None:
        text = orjson.loads(element)["msg"].get("text")
        return None if text is None or text.startswith("secret") else orjson.dumps({"text": text})


@pytest.fixture(autouse=True)
def door(monkeypatch):
    monkeypatch.setattr(doorkeeper, "_registered", [Door()])
    monkeypatch.setattr(guests, "turnstile", Turnstile(at_once=50))
    monkeypatch.setattr(guests, "_here", Counter())


@pytest.fixture
def guest(server):
    phones: list[Phone] = []

    def come(**query: Any) -> Phone:
        phones.append(Phone(server.port, f"/ws/guest?{urlencode(query)}"))
        return phones[-1]

    yield come
    for phone in phones:
        phone.drop()


def texts(phone: Phone, count: int) -> list[str]:
    return [phone.element()["text"] for _ in range(count)]


def test_a_guest_hears_what_is_shown_to_everybody_and_members_hear_all(server, people, guest):
    member, stranger = in_the_room(server, people, "t", 1), guest(key=ROOM)
    for words in ("one", "secret", "two"):
        say(words)
    assert texts(stranger, 2) == ["one", "two"]
    assert stranger.hears_nothing(0.1)
    assert member.texts(3) == ["one", "secret", "two"]


def test_of_other_rooms_a_guest_hears_nothing_and_neither_what_was_said_before(people, guest):
    say("before")
    stranger = guest(key=ROOM)
    say("elsewhere", ROOM + 1), say("now")
    assert texts(stranger, 1) == ["now"]


@pytest.mark.parametrize("query", [{}, {"key": ""}, {"key": "x"}])
def test_without_a_good_link_nobody_comes_in(people, guest, query):
    assert guest(**query).close_code() == ENDED


def test_a_guest_who_says_something_has_to_go(people, guest):
    stranger = guest(key=ROOM)
    stranger.send(TEXT, b'[{"msgType":"IM"}]')
    assert stranger.close_code() == TOO_MANY


def test_when_the_room_closes_guests_hear_the_last_word_and_the_line_ends(people, guest):
    stranger = guest(key=ROOM)
    say("bye")
    close_room(ROOM)
    assert texts(stranger, 1) == ["bye"]
    assert stranger.close_code() == 1000


def test_guests_without_members_are_reached_too_and_nothing_is_kept_when_they_go(people, guest):
    """The room has nobody with an account in this process."""
    stranger = guest(key=ROOM)
    say("hello")
    assert texts(stranger, 1) == ["hello"]
    assert guests._here == Counter({"127.0.0.1": 1})
    stranger.drop()
    wait_until(lambda: not guests._here)
    again = guest(key=ROOM)
    say("again")
    assert texts(again, 1) == ["again"]


def test_more_than_so_many_do_not_come_in(people, guest, settings):
    settings.GUEST_SOCKETS_AN_ADDRESS = 2
    first, second = guest(key=ROOM), guest(key=ROOM)
    assert guest(key=ROOM).close_code() == TOO_MANY
    settings.GUEST_SOCKETS = 2
    assert guest(key=ROOM).close_code() == TRY_AGAIN
    say("still here")
    assert texts(first, 1) == texts(second, 1) == ["still here"]


def test_nor_do_more_who_come_while_the_first_are_still_looked_up(people, guest, settings, monkeypatch):
    settings.GUEST_SOCKETS_AN_ADDRESS = 2
    looked_up, look_up = threading.Event(), doorkeeper.room_of
    monkeypatch.setattr(doorkeeper, "room_of", lambda query: looked_up.wait(30) and look_up(query))
    with ThreadPoolExecutor(3) as strangers:
        coming = [strangers.submit(guest, key=ROOM) for _ in range(3)]
        try:
            [turned_away], _ = wait(coming, timeout=10, return_when=FIRST_COMPLETED)
        finally:
            looked_up.set()
    assert turned_away.result().close_code() == TOO_MANY
    say("hello")
    assert [texts(one.result(), 1) for one in coming if one is not turned_away] == [["hello"]] * 2


def test_who_connects_in_a_loop_is_held_up(people, guest, monkeypatch):
    monkeypatch.setattr(guests, "turnstile", Turnstile(at_once=3, a_second=0.001))
    strangers = [guest(key=ROOM) for _ in range(4)]
    assert strangers[3].close_code() == TRY_AGAIN
    say("hello")
    assert [texts(stranger, 1) for stranger in strangers[:3]] == [["hello"]] * 3


def test_what_the_bus_lost_reaches_guests_from_the_rows(server, people, guest, valkey):
    stranger = guest(key=ROOM)
    say("one")
    assert texts(stranger, 1) == ["one"]
    valkey.kill()
    say("two")
    valkey.start()
    assert stranger.element(20)["text"] == "two"


def test_a_process_that_goes_asks_them_to_come_back(server, people, guest, settings):
    settings.SOCKET_DRAIN = 0.1
    stranger = guest(key=ROOM)
    server.go()
    assert stranger.close_code() == TRY_AGAIN
