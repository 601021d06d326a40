"""What the hub promises where processes, look-ups and losses cross."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import django.db
import pytest

from heihei_site.realtime import bus, memberships
from heihei_site.realtime.hub import Hub
from heihei_site.realtime.models import StreamKind
from heihei_site.realtime.outlet import Outlet
from heihei_site.realtime.sessions import Connection
from tests.realtime.conftest import heard, in_the_room
from tests.realtime.telling import ROOM, end_sessions, enter_room, leave_room, say


def test_the_newest_connection_may_be_in_another_process(server, other_server, people):
    first = in_the_room(server, people, "t", 1)
    second = in_the_room(other_server, people, "t", 1)
    first.hears_nothing_more()
    say("once")
    assert second.texts(1) == ["once"]
    assert first.hears_nothing()


def test_an_older_connection_that_attaches_late_stays_silent(server, other_server, people):
    people.numbers[10] = 5
    newest = in_the_room(server, people, "t", 1)
    people.numbers[10] = 2  # what connects next took its number earlier and was overtaken
    overtaken = other_server.phone("t")
    time.sleep(0.3)
    newest.hears_nothing_more()
    overtaken.hears_nothing_more()
    say("once")
    assert newest.texts(1) == ["once"]
    assert overtaken.hears_nothing()


def test_everyone_in_every_process_gets_a_message_once(server, other_server, people):
    phones = [in_the_room(server, people, "a", 1), in_the_room(other_server, people, "b", 2)]
    for phone in phones:
        phone.hears_nothing_more()
    say("hello")
    assert [phone.texts(1) for phone in phones] == [["hello"], ["hello"]]
    assert all(phone.hears_nothing() for phone in phones)


def test_sign_out_reaches_a_socket_in_another_process(server, other_server, people):
    phone = in_the_room(other_server, people, "t", 1)
    in_the_room(server, people, "u", 2)
    end_sessions([10])
    assert phone.close_code(2) == 4401


def test_moves_during_the_look_up_of_rooms_win_over_its_answer(server, people, monkeypatch):
    people.sign_in("u", 2, 5)
    heard(server.phone("u"), 5)  # the hub listens already
    people.sign_in("t", 1, 5, 6)
    asked, answer = threading.Event(), threading.Event()

    def slowly(user_id: int) -> list[int]:
        rooms = people.rooms_of(user_id)
        asked.set()
        assert answer.wait(5)
        return rooms

    monkeypatch.setitem(memberships._registered, "test", slowly)
    with ThreadPoolExecutor(1) as aside:  # the handshake is answered when the rooms are known
        dialling = aside.submit(server.phone, "t")
        assert asked.wait(5)
        enter_room(1, 7)
        leave_room(1, 6)
        say("already inside", 7)
        time.sleep(0.1)
        answer.set()
        phone = dialling.result(5)
    heard(phone, 5)
    say("left", 6)
    say("stayed", 5)
    say("entered", 7)
    assert phone.texts(2) == ["stayed", "entered"]


def test_without_a_database_a_socket_is_told_to_come_again(server, people, monkeypatch):
    people.sign_in("t", 1, ROOM)

    def down(user_id: int) -> list[int]:
        raise django.db.OperationalError("down")

    monkeypatch.setattr(people, "connect", down)
    assert server.phone("t").close_code() == 1012


def test_a_message_of_a_newer_release_is_passed_over(server, people, plain_redis):
    phone = in_the_room(server, people, "t", 1)
    bus.send([{"do": "something new"}])
    plain_redis.publish(bus.wire_form({})[0], bus.wire_form({"another": "shape"})[1])
    say("fine")
    assert phone.texts(1) == ["fine"]


def test_what_is_always_there_to_hear_leaves_the_writers_their_turn(people, transactional_db):
    """A frame's worth at most is written at once, however much the bus has to say."""

    async def scenario() -> list[int]:
        writes = []

        class Counting:
            def open(self, outlet):
                outlet.resume()

            def write(self, frames):
                writes.append(sum(len(frame) for frame in frames))

            def close(self, code):
                raise AssertionError(code)

        here = Hub()
        here._line = Endless()
        outlet = Outlet(Counting(), Connection(user_id=1, session_id=1, number=1))
        outlet.open()
        here._move_in(outlet, (StreamKind.ROOM, ROOM), 0)
        with pytest.raises(ZeroDivisionError):
            await asyncio.create_task(here._hear())
        await asyncio.sleep(0)
        return writes

    class Endless:
        told = 0

        async def hear(self):
            self.told += 1
            if self.told > 1000:
                raise ZeroDivisionError
            to = [[StreamKind.ROOM, ROOM, self.told]]
            return {"acts": [{"do": "tell", "to": to, "element": b'{"' + b"1" * 1000 + b'"}', "needs": 0}], "at": 0}

    writes = asyncio.run(scenario())
    assert sum(writes) > 1_000_000
    assert max(writes) < 70_000
