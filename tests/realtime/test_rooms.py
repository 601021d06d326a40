"""What a room is told: numbered, and the last minute of it again for who was away (D12)."""

import threading
from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now

from heihei_site.realtime import storage
from heihei_site.realtime.groups import room
from heihei_site.realtime.models import Message, StreamKind
from heihei_site.realtime.publish import close_room, enter_room, leave_room, publish, telling
from tests.realtime.conftest import in_the_room, wait_until
from tests.realtime.sample_events import Said, Watching
from tests.realtime.telling import ROOM, say
from tests.realtime.telling import enter_room as enter
from tests.realtime.telling import leave_room as leave
from tests.realtime.telling import publish as publish_alone


def heard(phone, count):
    return [(one["roomSeq"], one["msg"]["text"]) for one in phone.elements(count)]


def chatter(first: int, last: int, room_id: int = ROOM) -> list[tuple[int, str]]:
    for seq in range(first, last + 1):
        say(str(seq), room_id)
    return numbers(first, last)


def numbers(first, last):
    return [(seq, str(seq)) for seq in range(first, last + 1)]


def test_the_messages_of_each_room_are_numbered_from_one(server, people):
    people.sign_in("t", 1, 5, 6)
    phone = server.phone("t")
    for room_id in (5, 6, 5):
        say(f"in {room_id}", room_id)
    assert heard(phone, 3) == [(1, "in 5"), (1, "in 6"), (2, "in 5")]


def test_room_brings_what_was_missed_and_then_what_is_new(server, people):
    chatter(1, 5)
    people.sign_in("t", 1, ROOM)
    phone = server.phone("t", rooms={ROOM: 2})
    assert heard(phone, 3) == numbers(3, 5)
    assert chatter(6, 7) == heard(phone, 2)
    assert phone.hears_nothing(0.1)


def test_without_room_only_what_comes_is_heard(server, people):
    chatter(1, 5)
    phone = in_the_room(server, people, "t", 1)
    assert chatter(6, 6) == heard(phone, 1)


def test_of_what_was_missed_only_the_last_minute_comes_again(server, people):
    chatter(1, 5)
    Message.objects.filter(kind=StreamKind.ROOM, seq__lte=3).update(created_at=Now() - timedelta(seconds=61))
    people.sign_in("t", 1, ROOM)
    phone = server.phone("t", rooms={ROOM: 1})
    assert heard(phone, 2) == numbers(4, 5)
    assert chatter(6, 6) == heard(phone, 1)


def test_a_number_the_room_has_not_reached_brings_what_is_new(server, people):
    chatter(1, 2)
    people.sign_in("t", 1, ROOM)
    phone = server.phone("t", rooms={ROOM: 99})
    assert phone.hears_nothing()
    assert chatter(3, 3) == heard(phone, 1)


def test_of_a_room_one_is_not_in_nothing_comes(server, people):
    chatter(1, 3)
    people.sign_in("t", 1, 5)
    phone = server.phone("t", rooms={ROOM: 0, 5: 0})
    chatter(4, 4)
    say("mine", 5)
    assert heard(phone, 1) == [(1, "mine")]
    assert phone.hears_nothing()


def test_several_rooms_and_the_persons_own_messages_are_resumed_together(server, people):
    chatter(1, 3, 5)
    chatter(1, 2, 6)
    chatter(1, 2, 7)
    people.sign_in("t", 1, 5, 6, 7)
    phone = server.phone("t", since=0, rooms={5: 1, 6: 1})
    said = [(one["msg"]["roomId"], one["roomSeq"]) for one in phone.elements(3)]
    assert said == [(5, 2), (5, 3), (6, 2)]
    say("3", 7)
    assert heard(phone, 1) == [(3, "3")]


def test_resuming_while_the_room_talks_leaves_nothing_out_and_tells_nothing_twice(server, other_server, people):
    many = 300
    talking = threading.Thread(target=lambda: (chatter(1, many), connection.close()))
    talking.start()
    phones = []
    for n in range(8):
        wait_until(lambda n=n: storage.kept((StreamKind.ROOM.value, ROOM))[1] >= n * 30)
        people.sign_in(f"t{n}", n + 1, ROOM)
        phones.append((n * 20, (server, other_server)[n % 2].phone(f"t{n}", rooms={ROOM: n * 20})))
    for since, phone in phones:
        assert heard(phone, many - since) == numbers(since + 1, many)
    talking.join()


def test_who_leaves_during_the_replay_hears_no_more_of_it(server, people, monkeypatch):
    chatter(1, 3)
    asked, answer = threading.Event(), threading.Event()
    read = storage.read

    def slowly(*args):
        rows = read(*args)
        asked.set()
        assert answer.wait(5)
        return rows

    people.sign_in("t", 1, ROOM, 5)
    with monkeypatch.context() as slow:
        slow.setattr(storage, "read", slowly)
        phone = server.phone("t", rooms={ROOM: 0})
        assert asked.wait(5)
        leave(1, ROOM)
        chatter(4, 4)
        enter(1, ROOM)
        say("inside", ROOM)
        answer.set()
        assert heard(phone, 1) == [(5, "inside")]
        assert phone.hears_nothing()


def test_entering_telling_and_closing_in_one_transaction_happen_in_order(server, people):
    people.sign_in("t", 1)
    phone = server.phone("t")
    with telling():
        publish(Said(room_id=ROOM, text="before"), to=room(ROOM))
        enter_room(1, ROOM)
        publish(Said(room_id=ROOM, text="inside"), to=room(ROOM))
        publish(Watching(room_id=ROOM, version=1, online_users=3), to=room(ROOM))
        leave_room(1, ROOM)
        publish(Said(room_id=ROOM, text="outside"), to=room(ROOM))
        enter_room(1, ROOM)
        publish(Said(room_id=ROOM, text="goodbye"), to=room(ROOM))
        close_room(ROOM)
        publish(Said(room_id=ROOM, text="ghost"), to=room(ROOM))
    inside, state, goodbye = phone.elements(3)
    assert (inside["roomSeq"], inside["msg"]["text"]) == (2, "inside")
    assert state["msg"]["onlineUsers"] == 3
    assert (goodbye["roomSeq"], goodbye["msg"]["text"]) == (4, "goodbye")
    assert phone.hears_nothing()


def test_who_enters_hears_nothing_of_before_though_others_here_missed_it(server, people, monkeypatch):
    """The rows a hub reads for who was inside are not for who came later."""
    inside = in_the_room(server, people, "t", 1)
    people.sign_in("u", 2)
    newcomer = server.phone("u")
    chatter(1, 1)
    enter(2, ROOM)
    assert chatter(2, 2) == heard(newcomer, 1)
    assert heard(inside, 2) == numbers(1, 2)


def test_state_messages_of_a_room_come_at_once_then_at_most_twice_a_second_and_never_older(server, people):
    phone = in_the_room(server, people, "t", 1)
    for version in [1, 2, 3, 9, 4]:
        publish_alone(Watching(room_id=ROOM, version=version, online_users=version), to=room(ROOM))
    say("between")
    first, between = phone.elements(2, seconds=0.4)
    assert set(first) == {"msg", "timeStamp"}
    assert (first["msg"]["onlineUsers"], between["msg"]["text"]) == (1, "between")
    assert phone.message()["onlineUsers"] == 9
    assert phone.hears_nothing(0.7)
