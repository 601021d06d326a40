"""Real uvicorn, raw sockets: what a phone sees."""

import json
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import django.db
import pytest

from heihei_site.realtime import bus, hub
from heihei_site.realtime.events import element
from heihei_site.realtime.models import StreamKind
from tests.realtime.conftest import heard, in_the_room, wait_until
from tests.realtime.phone import BINARY, CLOSE, PING, PONG, TEXT, Phone
from tests.realtime.sample_events import Said
from tests.realtime.telling import ROOM, close_room, end_sessions, enter_room, leave_room, say


def test_a_room_message_comes_as_an_array_of_one_element(server, people):
    phone = in_the_room(server, people, "t", 1)
    say("你好")
    opcode, payload = phone.frame()
    assert opcode == TEXT
    [element] = json.loads(payload)
    assert element["msg"]["text"] == "你好"
    assert element["msg"]["roomId"] == ROOM
    assert set(element) == {"msg", "timeStamp", "roomSeq"}


@pytest.mark.parametrize("query", ["?token=wrong", "?token=", "", "?other=1", "?token=%00%FF"])
def test_a_bad_token_is_accepted_then_closed_with_4401(server, query):
    phone = Phone(server.port, f"/ws/channel{query}")
    assert phone.status == 101
    assert phone.close_code() == 4401


def test_an_unknown_path_is_refused(server):
    assert Phone(server.port, "/ws/other").status == 403


def test_a_ping_is_answered_with_its_own_payload(server, people):
    phone = in_the_room(server, people, "t", 1)
    phone.send(PING, b"ping")
    assert phone.frame() == (PONG, b"ping")


@pytest.mark.parametrize("payload", [b"\x00\x00", b"", struct.pack(">H", 1000)])
def test_a_close_of_the_app_ends_at_once_and_is_no_error(server, people, payload):
    phone = in_the_room(server, people, "t", 1)
    start = time.monotonic()
    phone.send(CLOSE, payload)
    assert phone.frame()[0] == CLOSE
    assert phone.frame() == (0, b"")
    wait_until(lambda: server.connections == 0)
    assert time.monotonic() - start < 5


def test_code_0_is_answered_as_an_ordinary_close(server, people):
    phone = in_the_room(server, people, "t", 1)
    phone.send(CLOSE, b"\x00\x00")
    assert phone.frame() == (CLOSE, b"")


def test_a_handshake_too_long_to_read_is_answered(server):
    assert server.phone("x" * 9000).status == 400


@pytest.mark.parametrize(
    "payload",
    [
        b"[not json",
        b'{"msgType":"IM"}',
        b'"text"',
        b"[" * 60000,
        b"[7]",
        b"[" + b",".join([b"7"] * 30000) + b"]",
        b'[{"msgType":"nothing we know","msg":{}}]',
        b'[{"msgType":"IM"}]',
        b'[{"msgType":["IM"],"msg":{}}]',
    ],
)
def test_a_text_frame_that_is_nothing_we_know_is_refused_once_and_harms_nobody(server, people, payload):
    phone, other = in_the_room(server, people, "t", 1), in_the_room(server, people, "u", 2)
    phone.send(TEXT, payload)
    assert set(phone.element()) == {"msg", "timeStamp"}
    phone.send(TEXT, b"[7]")
    refused = phone.message()
    assert refused.pop("msgId")
    assert refused == {
        "msgType": "action",
        "action": "refused",
        "errorcode": 700,
        "errormsg": "参数错误",
        "clientMsgId": "",
    }
    say("still here")
    assert phone.texts(1) == other.texts(1) == ["still here"]


@pytest.mark.parametrize(("opcode", "payload"), [(TEXT, b""), (TEXT, b"[]"), (BINARY, b"\x00\xff" * 100), (PONG, b"!")])
def test_frames_that_say_nothing_are_passed_over(server, people, opcode, payload):
    phone = in_the_room(server, people, "t", 1)
    phone.send(opcode, payload)
    say("still here")
    assert phone.texts(1) == ["still here"]


def test_a_frame_over_64_kb_ends_the_connection_with_1009(server, people):
    phone = in_the_room(server, people, "t", 1)
    phone.send(TEXT, b"x" * 65537)
    assert phone.close_code() == 1009


def test_a_text_that_is_not_utf8_ends_that_connection_only(server, people):
    phone, other = in_the_room(server, people, "t", 1), in_the_room(server, people, "u", 2)
    phone.send(TEXT, b"\xff\xfe")
    assert phone.close_code() == 1007
    say("fine")
    assert other.texts(1)[-1] == "fine"


def test_a_silent_socket_stays_open_for_longer_than_any_redis_time_out(server, people):
    phone = in_the_room(server, people, "t", 1)
    assert phone.hears_nothing(7)
    say("good morning")
    assert phone.texts(1) == ["good morning"]


def test_of_two_sockets_of_a_session_only_the_newest_gets_messages(server, people):
    first = in_the_room(server, people, "t", 1)
    second = in_the_room(server, people, "t", 1)
    first.hears_nothing_more()
    say("once")
    assert second.texts(1) == ["once"]
    assert first.hears_nothing()
    second.send(CLOSE, b"\x00\x00")
    wait_until(lambda: server.connections == 1)
    say("nobody")
    assert first.hears_nothing()  # never promoted, and still open:
    first.send(PING, b"ping")
    assert first.frame() == (PONG, b"ping")


def test_entering_is_heard_from_the_next_message_on_and_leaving_ends_it(server, people):
    people.sign_in("t", 1, 5)
    phone = server.phone("t")
    heard(phone, 5)
    say("before")
    enter_room(1, ROOM)
    say("inside")
    leave_room(1, ROOM)
    say("after")
    say("other room", 5)
    assert phone.texts(2) == ["inside", "other room"]


def test_a_closed_room_still_gets_its_last_message(server, people):
    phone = in_the_room(server, people, "t", 1)
    say("goodbye")
    close_room(ROOM)
    say("ghost")
    assert phone.texts(1) == ["goodbye"]
    assert phone.hears_nothing()


def test_sign_out_closes_every_socket_of_the_session_within_two_seconds(server, people):
    first = in_the_room(server, people, "t", 1)
    second = in_the_room(server, people, "t", 1)
    other = in_the_room(server, people, "u", 2)
    start = time.monotonic()
    end_sessions([10])
    assert first.close_code() == 4401
    assert second.close_code() == 4401
    assert time.monotonic() - start < 2
    say("you stay")
    assert other.texts(1)[-1] == "you stay"


def test_a_session_that_ended_while_connecting_is_closed(server, people):
    people.sign_in("t", 1, ROOM)
    people.ended.add(10)
    assert server.phone("t").close_code() == 4401


def ring(plain_redis, texts: list[str], first_seq: int = 1) -> None:
    """As many publishers at the same moment."""
    burst = plain_redis.pipeline(transaction=False)
    for seq, text in enumerate(texts, start=first_seq):
        told = element(Said(room_id=ROOM, text=text))
        act = {"do": "tell", "to": [[StreamKind.ROOM.value, ROOM, seq]], "element": told, "needs": 0}
        burst.publish(*bus.wire_form(bus.message_of([act])))
    burst.execute()


def test_a_burst_travels_in_few_full_frames_and_in_order(server, people, plain_redis):
    phone = in_the_room(server, people, "t", 1)
    sent = [f"{number} " + "啊" * 200 for number in range(500)]
    ring(plain_redis, sent)
    sizes, got = [], []
    while len(got) < len(sent):
        opcode, payload = phone.frame()
        assert opcode == TEXT
        sizes.append(len(payload))
        got += [one["msg"]["text"] for one in json.loads(payload)]
    assert got == sent
    assert len(sizes) < 50
    assert 30_000 < max(sizes) <= 65536


def test_a_burst_larger_than_the_queue_does_not_close_who_reads(server, people, plain_redis):
    phone = in_the_room(server, people, "t", 1)
    sent = [f"{number} " + "x" * 4000 for number in range(120)]
    with ThreadPoolExecutor(1) as aside:
        reading = aside.submit(phone.texts, len(sent))
        ring(plain_redis, sent)
        assert reading.result(10) == sent


def test_the_room_goes_on_by_itself_when_the_bus_comes_back(server, people, valkey, record_property):
    phone = in_the_room(server, people, "t", 1)
    gone = in_the_room(server, people, "u", 2)
    valkey.kill()
    people.rooms[1] = {ROOM, 78}  # entered another room and
    people.ended.add(20)  # signed out: the bus told nobody
    say("lost")
    time.sleep(1)
    valkey.start()
    record_property("seconds_until_the_room_went_on", round(heard(phone), 2))
    assert gone.close_code() == 4401
    heard(phone, 78)


def test_the_room_goes_on_by_itself_when_the_bus_hung_for_long(server, people, valkey, monkeypatch, record_property):
    monkeypatch.setattr(hub, "SILENCE_SECONDS", 2.0)
    monkeypatch.setattr(hub, "BEACON_SECONDS", 0.5)
    phone = in_the_room(server, people, "t", 1)
    valkey.freeze()
    time.sleep(4)
    valkey.thaw()
    record_property("seconds_until_the_room_went_on", round(heard(phone), 2))


def test_a_socket_that_connects_without_a_bus_hears_its_rooms_once_there_is_one(server, people, valkey):
    valkey.kill()
    people.sign_in("t", 1, ROOM)
    phone = server.phone("t")
    assert phone.status == 101
    time.sleep(0.5)
    valkey.start()
    heard(phone)


def test_after_the_bus_the_database_is_asked_until_it_answers(server, people, valkey, monkeypatch):
    monkeypatch.setattr(hub, "BEACON_SECONDS", 0.3)
    phone = in_the_room(server, people, "t", 1)
    attempts = []

    def down_twice(session_ids: list[int]) -> set[int]:
        attempts.append(session_ids)
        if len(attempts) < 3:
            raise django.db.OperationalError("down")
        return set()

    valkey.kill()
    monkeypatch.setattr(people, "alive", down_twice)
    valkey.start()
    assert phone.close_code() == 4401
    assert len(attempts) >= 3


def test_an_end_of_session_that_the_bus_lost_is_found_anyway(server, people, monkeypatch):
    monkeypatch.setattr(hub, "BEACON_SECONDS", 0.1)
    phone = in_the_room(server, people, "t", 1)
    people.ended.add(10)
    assert phone.close_code() == 4401
