"""What one person is told: each message once, in order, whatever was missed (D12, I1)."""

import threading
import time
from datetime import timedelta

import django.db
import pytest
from django.db import connection
from django.db.models.functions import Now

from heihei_site.realtime import bus, hub, metrics, storage
from heihei_site.realtime.groups import person
from heihei_site.realtime.models import Message, Stream, StreamKind
from tests.realtime.conftest import wait_until
from tests.realtime.phone import PING, PONG
from tests.realtime.sample_events import Invited, NewlyNoted, Noted, Unread
from tests.realtime.telling import note, publish


def dial(server, people, token="t", user_id=1, since=None, **options):
    people.sign_in(token, user_id, **options)
    return server.phone(token, since=since)


def heard(phone, count):
    return [(one["seq"], one["msg"]["text"]) for one in phone.elements(count)]


def numbers(first, last):
    return [(seq, str(seq)) for seq in range(first, last + 1)]


@pytest.fixture
def lost_rings(monkeypatch):
    """As long as it is set, what is told is committed and the bus hears nothing of it."""
    lost = threading.Event()
    send = bus.send
    monkeypatch.setattr(bus, "send", lambda acts, at=None: None if lost.is_set() else send(acts, at))
    return lost


def test_personal_messages_are_numbered_from_one(server, people):
    phone = dial(server, people)
    note(1, "a", "b", "c")
    elements = phone.elements(3)
    assert [(one["seq"], one["msg"]["text"]) for one in elements] == [(1, "a"), (2, "b"), (3, "c")]
    assert all(set(one) == {"msg", "timeStamp", "seq"} for one in elements)


def test_nobody_else_is_told(server, people):
    mine, other = dial(server, people), dial(server, people, "u", 2)
    note(1, "a")
    assert heard(mine, 1) == [(1, "a")]
    assert other.hears_nothing()


def test_every_session_of_a_person_is_told(server, other_server, people):
    phone, tablet = dial(server, people), dial(other_server, people, "u", 1, session_id=11)
    note(1, "a")
    assert heard(phone, 1) == heard(tablet, 1) == [(1, "a")]


def test_without_since_nothing_is_replayed(server, people):
    note(1, "a", "b")
    phone = dial(server, people)
    note(1, "c")
    assert heard(phone, 1) == [(3, "c")]


@pytest.mark.parametrize("since", ["", "x", "-1", "1.0", "9" * 30, "٣"])
def test_a_since_that_is_no_number_asks_for_nothing(server, people, since):
    note(1, "a")
    phone = dial(server, people, since=since)
    note(1, "b")
    assert heard(phone, 1) == [(2, "b")]


def test_since_zero_replays_everything_that_is_kept(server, people):
    note(1, *(text for _, text in numbers(1, 450)))
    assert heard(dial(server, people, since=0), 450) == numbers(1, 450)
    retire(1, until=100)
    assert heard(dial(server, people, since=0), 350) == numbers(101, 450)


def test_since_zero_of_somebody_who_was_never_told_anything_is_quiet(server, people):
    phone = dial(server, people, since=0)
    note(1, "a")
    assert heard(phone, 1) == [(1, "a")]


def test_since_brings_the_rest_and_then_what_is_new(server, people):
    note(1, *(text for _, text in numbers(1, 10)))
    phone = dial(server, people, since=7)
    note(1, "11")
    assert heard(phone, 4) == numbers(8, 11)
    assert phone.hears_nothing()


def test_since_the_last_message_brings_only_what_is_new(server, people):
    note(1, "1", "2")
    phone = dial(server, people, since=2)
    assert phone.hears_nothing()
    note(1, "3")
    assert heard(phone, 1) == numbers(3, 3)


def retire(user_id: int, until: int) -> None:
    Message.objects.filter(kind=StreamKind.PERSON, owner_id=user_id, seq__lte=until).delete()
    Stream.objects.filter(kind=StreamKind.PERSON, owner_id=user_id).update(first_seq=until + 1)


@pytest.mark.parametrize("since", [11, 9_000_000_000_000_000, 1, 4])
def test_a_since_beyond_the_end_or_before_what_is_kept_is_told_to_start_anew(server, people, since):
    note(1, *(text for _, text in numbers(1, 10)))
    retire(1, until=5)
    phone = dial(server, people, since=since)
    resync = phone.element()
    assert set(resync) == {"msg", "timeStamp"}
    assert resync["msg"] == {"msgType": "action", "action": "resync", "seq": 10, "msgId": resync["msg"]["msgId"]}
    note(1, "11")
    assert heard(phone, 1) == numbers(11, 11)


@pytest.mark.parametrize("since", [5, 9])
def test_a_since_from_which_everything_is_kept_needs_no_new_start(server, people, since):
    note(1, *(text for _, text in numbers(1, 10)))
    retire(1, until=5)
    assert heard(dial(server, people, since=since), 10 - since) == numbers(since + 1, 10)


def test_resuming_while_messages_come_leaves_nothing_out_and_tells_nothing_twice(server, other_server, people):
    many = 400
    errors = []

    def write() -> None:
        try:
            for _, text in numbers(1, many):
                note(1, text)
        except django.db.Error as error:
            errors.append(error)
        finally:
            connection.close()

    writing = threading.Thread(target=write)
    writing.start()
    phones = []
    for n in range(12):
        wait_until(lambda n=n: storage.kept((StreamKind.PERSON.value, 1))[1] >= n * 25)
        where, since = (server, other_server)[n % 2], n * 20
        phones.append((since, dial(where, people, f"t{n}", 1, since=since, session_id=100 + n)))
    for since, phone in phones:
        assert heard(phone, many - since) == numbers(since + 1, many)
    writing.join()
    assert not errors
    assert all(phone.hears_nothing(0.05) for _, phone in phones)


def test_a_phone_that_comes_and_goes_pieces_everything_together(server, other_server, people):
    many, got = 300, []
    writing = threading.Thread(target=lambda: (note(1, *(text for _, text in numbers(1, many))), connection.close()))
    writing.start()
    for n in range(60):
        if len(got) == many:
            break
        phone = dial((server, other_server)[n % 2], people, f"t{n % 6}", since=len(got))
        got += heard(phone, min(7, many - len(got)))
        phone.drop()
    writing.join()
    got += heard(dial(server, people, since=len(got)), many - len(got))
    assert got == numbers(1, many)


# --- invitations --------------------------------------------------------------------------------------------------


def pass_deadline(seq: int, *, left: timedelta) -> None:
    Message.objects.filter(owner_id=1, seq=seq).update(expires_at=Now() + left)


def test_an_invitation_is_told_with_its_time_and_replayed_with_what_remains(server, people):
    phone = dial(server, people)
    publish(Invited(live_id=7, expire_time=30), to=person(1))
    told = phone.element()
    assert told["msg"]["expireTime"] == 30
    pass_deadline(1, left=timedelta(seconds=9.5))
    again = dial(server, people, "u", 1, since=0, session_id=11).element()
    assert again["msg"].pop("expireTime") in (9, 10)
    del told["msg"]["expireTime"]
    assert again == told


def test_an_invitation_that_is_over_is_replayed_as_expired_and_rings_no_phone(server, people):
    invitation = Invited(live_id=7, expire_time=30)
    publish(invitation, to=person(1))
    note(1, "2")
    pass_deadline(1, left=timedelta(seconds=-0.01))
    phone = dial(server, people, since=0)
    expired = phone.element()
    assert expired.pop("timeStamp")
    assert expired == {
        "msg": {"msgType": "action", "action": "expired", "msgId": invitation.msg_id, "liveId": 7},
        "seq": 1,
    }
    assert heard(phone, 1) == numbers(2, 2)


# --- what a client is too old for ---------------------------------------------------------------------------------


def test_what_a_client_would_misread_it_never_gets_live_nor_replayed(server, people):
    old = dial(server, people, "old", 1, generation=(1, 1))
    new = dial(server, people, "new", 1, session_id=11, generation=(2, 0))
    for seq in range(1, 4):
        event = NewlyNoted if seq == 2 else Noted
        publish(event(text=str(seq)), to=person(1))
    assert heard(new, 3) == numbers(1, 3)
    assert heard(old, 2) == [(1, "1"), (3, "3")]
    assert heard(dial(server, people, "old2", 1, since=0, session_id=12, generation=(1, 1)), 2) == [(1, "1"), (3, "3")]
    assert heard(dial(server, people, "new2", 1, since=0, session_id=13), 3) == numbers(1, 3)


# --- lost, early and late ------------------------------------------------------------------------------------------


def test_a_message_whose_ring_was_lost_is_found_within_eight_seconds(server, people, lost_rings):
    phone = dial(server, people)
    note(1, "1")
    assert heard(phone, 1) == numbers(1, 1)
    lost_rings.set()
    note(1, "2", "3")
    assert [(one["seq"], one["msg"]["text"]) for one in phone.elements(2, seconds=8)] == numbers(2, 3)


def test_the_next_message_brings_the_lost_one_before_it(server, people, lost_rings):
    phone = dial(server, people)
    lost_rings.set()
    note(1, "1", "2")
    lost_rings.clear()
    start = time.monotonic()
    note(1, "3")
    assert heard(phone, 3) == numbers(1, 3)
    assert time.monotonic() - start < 4


def test_messages_that_overtake_each_other_on_the_bus_wait_for_their_turn(server, people, monkeypatch):
    phone = dial(server, people)
    monkeypatch.setattr(hub, "GAP_SECONDS", 5.0)
    rung = []
    with monkeypatch.context() as held:
        held.setattr(bus, "send", lambda acts, at=None: rung.append(acts))
        note(1, "1", "2", "3")
    for acts in (rung[2], rung[1], rung[1], rung[0], rung[2]):
        bus.send(acts)
    assert heard(phone, 3) == numbers(1, 3)
    assert phone.hears_nothing()


def test_a_hub_that_is_behind_what_a_phone_has_heard_elsewhere_catches_up_first(server, people, lost_rings):
    at_home = dial(server, people)
    lost_rings.set()
    note(1, "1", "2", "3")
    lost_rings.clear()
    start = time.monotonic()
    phone = dial(server, people, "u", 1, since=2, session_id=11)
    assert heard(phone, 1) == numbers(3, 3)
    assert heard(at_home, 3) == numbers(1, 3)
    assert time.monotonic() - start < 4
    note(1, "4")
    assert heard(phone, 1) == heard(at_home, 1) == numbers(4, 4)
    assert phone.hears_nothing(0.1)


def test_more_than_a_phone_takes_at_once_is_read_piece_by_piece_and_closes_nobody(server, people):
    long = "x" * 5000
    for seq in range(1, 401):  # 2 MB, eight times the queue
        note(1, f"{seq} {long}")
    phone = dial(server, people, since=0)
    note(1, "401 new")
    time.sleep(1)
    assert [text.split()[0] for text in phone.texts(401)] == [str(seq) for seq in range(1, 402)]


def test_without_a_database_to_replay_from_a_phone_is_told_to_come_again(server, people, monkeypatch):
    note(1, "1")

    def down(*args):
        raise django.db.OperationalError("down")

    monkeypatch.setattr(storage, "read", down)
    phone = dial(server, people, since=0)
    assert phone.close_code() == 1012


def test_while_the_bus_is_away_nothing_is_lost(server, people, valkey):
    phone = dial(server, people)
    valkey.kill()
    note(1, "1", "2")
    valkey.start()
    assert [(one["seq"], one["msg"]["text"]) for one in phone.elements(2, seconds=15)] == numbers(1, 2)
    note(1, "3")
    assert heard(phone, 1) == numbers(3, 3)


# --- states --------------------------------------------------------------------------------------------------------


def test_a_state_of_a_person_is_the_latest_and_never_an_older_one(server, people):
    phone = dial(server, people)
    start = time.monotonic()
    for version in [1, 2, 9, 4]:
        publish(Unread(version=version, count=version), to=person(1))
    first = phone.element()
    assert set(first) == {"msg", "timeStamp"}
    assert first["msg"]["count"] == 1
    assert "version" not in first["msg"]
    assert phone.message()["count"] == 9
    assert time.monotonic() - start > 0.45
    publish(Unread(version=8, count=8), to=person(1))
    assert phone.hears_nothing(0.7)


def test_a_gap_is_counted(server, people, lost_rings):
    phone = dial(server, people)
    before = metrics.gaps._value.get()
    lost_rings.set()
    note(1, "1")
    lost_rings.clear()
    note(1, "2")
    assert heard(phone, 2) == numbers(1, 2)
    assert metrics.gaps._value.get() == before + 1
    phone.send(PING, b"")
    assert phone.frame()[0] == PONG
