"""What the hub promises where processes, look-ups and losses cross."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import django.db
import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings

from heihei_site.realtime import bus, memberships
from heihei_site.realtime.groups import room
from heihei_site.realtime.hub import Hub
from heihei_site.realtime.outlet import Outlet
from tests.realtime.telling import end_sessions, enter_room, leave_room, publish
from heihei_site.realtime.routing import application
from heihei_site.realtime.sessions import Connection
from tests.realtime.sample_events import Said
from tests.realtime.test_socket import ROOM, heard, in_the_room, say


def test_the_application_speaks_to_any_asgi_server(people, committed):
    people.sign_in("t", 1, ROOM)

    async def scenario():
        phone = WebsocketCommunicator(application, "/ws/channel?token=t")
        assert await phone.connect() == (True, None)
        while await phone.receive_nothing(0.05):
            publish(Said(room_id=ROOM, text="anyone?"), to=room(ROOM))
        [element] = await phone.receive_json_from()
        assert element["msg"]["text"] == "anyone?"
        await phone.disconnect()

    asyncio.run(scenario())
    asyncio.run(scenario())  # a hub for each loop, and none left behind


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


def test_a_message_of_a_newer_release_is_passed_over(server, people):
    phone = in_the_room(server, people, "t", 1)
    bus.send({"do": "something new"})
    say("fine")
    assert phone.texts(1) == ["fine"]


def test_what_is_always_there_to_hear_leaves_the_writers_their_turn(people):
    async def scenario() -> int:
        sent = []

        async def send(message):
            sent.append(message)

        here = Hub()
        here._line = Endless()
        outlet = outlet_with(send)
        here._move_in(outlet, ROOM)
        writer, ear = asyncio.create_task(outlet.write()), asyncio.create_task(here._hear())
        with pytest.raises(ZeroDivisionError):
            await ear
        await asyncio.sleep(0)
        writer.cancel()
        return sum(len(message["text"]) for message in sent)

    class Endless:
        left = 1000

        async def hear(self):
            self.left -= 1
            if not self.left:
                raise ZeroDivisionError
            return {"do": "deliver", "room": ROOM, "element": b"1" * 1000}

    assert asyncio.run(scenario()) > 999_000


def outlet_with(send) -> Outlet:
    return Outlet(send, Connection(user_id=1, session_id=1, number=1))


def test_what_waits_travels_in_full_frames_split_between_elements():
    async def scenario() -> list[str]:
        frames: list[str] = []

        async def send(message):
            frames.append(message["text"])
            await asyncio.sleep(0)

        outlet = outlet_with(send)
        for _ in range(20):
            outlet.put(b'"' + b"x" * 9998 + b'"')
        writer = asyncio.create_task(outlet.write())
        await asyncio.sleep(0.05)
        writer.cancel()
        return frames

    frames = asyncio.run(scenario())
    assert [len(frame) for frame in frames] == [60007, 60007, 60007, 20003]
    assert all(frame[0] == "[" and frame[-1] == "]" for frame in frames)


def test_a_frame_is_filled_to_the_last_byte():
    limit = settings.SOCKET_FRAME_BYTES

    async def scenario() -> list[str]:
        frames: list[str] = []

        async def send(message):
            frames.append(message["text"])

        outlet = outlet_with(send)
        outlet.put(b"1" * (limit // 2))
        outlet.put(b"2" * (limit // 2 - 3))
        outlet.put(b"3")
        writer = asyncio.create_task(outlet.write())
        await asyncio.sleep(0.05)
        writer.cancel()
        return frames

    assert [len(frame) for frame in asyncio.run(scenario())] == [limit, 3]


def test_a_full_queue_keeps_nothing_and_closes_with_4429():
    async def scenario() -> list[dict]:
        sent = []

        async def send(message):
            sent.append(message)

        outlet = outlet_with(send)
        for _ in range(1000):
            outlet.put(b"x" * 1000)
        await outlet.write()
        return sent

    assert asyncio.run(scenario()) == [{"type": "websocket.close", "code": 4429}]
