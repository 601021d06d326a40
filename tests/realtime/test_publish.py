import json
import time

import pytest
import redis
from django.db import DatabaseError, transaction

from heihei_site.realtime import bus
from heihei_site.realtime.groups import person, room
from heihei_site.realtime.models import Message, Stream, StreamKind
from heihei_site.realtime.publish import close_room, end_sessions, enter_room, leave_room, publish, telling
from tests.races.crowd import at_once
from tests.realtime.sample_events import Invited, NewlyNoted, Noted, Said, Unread, Watching
from tests.realtime.telling import note, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rung(monkeypatch) -> list[list[bus.Act]]:
    """The messages on the bus."""
    rung: list[list[bus.Act]] = []
    monkeypatch.setattr(bus, "send", lambda acts, at=None: rung.append(acts))
    return rung


def stored(kind: StreamKind, owner_id: int) -> list[tuple[int, str]]:
    rows = Message.objects.filter(kind=kind, owner_id=owner_id).order_by("seq").values_list("seq", "element")
    return [(seq, json.loads(text)["msg"]["text"]) for seq, text in rows]


def test_nothing_is_told_before_the_commit_and_all_in_order_in_one_message_after_it(rung):
    with telling():
        enter_room(1, 77)
        publish(Said(room_id=77, text="a"), to=room(77))
        publish(Watching(room_id=77, version=1, online_users=2), to=room(77))
        publish(Noted(text="b"), to=person(1))
        leave_room(1, 77)
        close_room(77)
        end_sessions([5])
        assert rung == []
    [acts] = rung
    assert [act["do"] for act in acts] == ["enter", "tell", "state", "tell", "leave", "close", "end"]


def test_a_rolled_back_transaction_tells_nobody_and_leaves_no_number_out(rung):
    note(1, "a")
    with telling():
        publish(Noted(text="never"), to=person(1))
        publish(Said(room_id=77, text="never"), to=room(77))
        transaction.set_rollback(True)
    with pytest.raises(ZeroDivisionError), telling():
        publish(Noted(text="never"), to=person(1))
        raise ZeroDivisionError
    note(1, "b")
    assert len(rung) == 2
    assert stored(StreamKind.PERSON, 1) == [(1, "a"), (2, "b")]
    assert not Stream.objects.filter(kind=StreamKind.ROOM).exists()


def test_a_transaction_around_has_the_last_word(rung):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        note(1, "never")
        assert rung == []
        raise ZeroDivisionError
    assert rung == []
    assert stored(StreamKind.PERSON, 1) == []


def test_persons_and_rooms_are_numbered_each_for_itself(rung):
    with telling():
        publish(Noted(text="a"), to=person(1))
        publish(Noted(text="b"), to=person(2))
        publish(Said(room_id=1, text="c"), to=room(1))
        publish(Noted(text="d"), to=person(1))
    note(1, "e")
    assert stored(StreamKind.PERSON, 1) == [(1, "a"), (2, "d"), (3, "e")]
    assert stored(StreamKind.PERSON, 2) == [(1, "b")]
    assert stored(StreamKind.ROOM, 1) == [(1, "c")]
    told = [target for act in rung[0] for target in act["to"]]
    assert told == [[1, 1, 1], [1, 2, 1], [2, 1, 1], [1, 1, 2]]


def test_a_state_is_not_kept(rung):
    publish_in_one(Unread(version=1, count=3), person(1))
    publish_in_one(Watching(room_id=77, version=1, online_users=2), room(77))
    assert len(rung) == 2
    assert not Message.objects.exists()
    assert not Stream.objects.exists()


def publish_in_one(event, to) -> None:
    with telling():
        publish(event, to=to)


def test_a_row_says_who_may_have_it_and_until_when(rung):
    publish_in_one(NewlyNoted(text="a"), person(1))
    publish_in_one(Invited(live_id=7, expire_time=30), person(1))
    new, invitation = Message.objects.order_by("seq")
    assert (new.needs, new.expires_at) == (20000, None)
    assert invitation.needs == 0
    assert (invitation.expires_at - invitation.created_at).total_seconds() == pytest.approx(30, abs=1)


def test_any_number_of_recipients_is_one_statement(rung, django_assert_num_queries):
    with django_assert_num_queries(3):  # with BEGIN and COMMIT
        with telling():
            for user_id in range(500, 0, -1):
                publish(Noted(text="a"), to=person(user_id))
                publish(Said(room_id=77, text="b"), to=room(77))
    assert Message.objects.count() == 1000
    assert len(rung) == 1


@pytest.mark.parametrize(
    "deed",
    [
        lambda: publish(Noted(text="a"), to=person(1)),
        lambda: publish(Watching(room_id=77, version=1, online_users=2), to=room(77)),
        lambda: enter_room(1, 77),
        lambda: leave_room(1, 77),
        lambda: close_room(77),
        lambda: end_sessions([1]),
    ],
)
def test_nothing_can_be_told_outside_of_telling_or_where_a_rollback_would_not_take_it_back(rung, deed):
    with pytest.raises(RuntimeError, match="outside of telling"):
        deed()
    with transaction.atomic(), pytest.raises(RuntimeError, match="outside of telling"):
        deed()
    with telling():
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside of telling"):
            deed()
        with telling(), transaction.atomic(), pytest.raises(RuntimeError, match="inside of telling"):
            deed()
    assert rung == []


def test_one_telling_inside_another_takes_back_only_its_own(rung):
    with telling():
        publish(Noted(text="before"), to=person(1))
        with pytest.raises(ZeroDivisionError), telling():
            publish(Noted(text="never"), to=person(1))
            with telling():
                publish(Noted(text="never either"), to=person(1))
            raise ZeroDivisionError
        with telling():
            publish(Noted(text="nor this"), to=person(1))
            transaction.set_rollback(True)
        with telling():
            publish(Noted(text="inside"), to=person(1))
        publish(Noted(text="after"), to=person(1))
        with transaction.atomic():
            pass
    assert stored(StreamKind.PERSON, 1) == [(1, "before"), (2, "inside"), (3, "after")]
    assert len(rung) == 1


def test_what_runs_on_commit_may_tell_for_itself(rung):
    with telling():
        publish(Noted(text="a"), to=person(1))
        transaction.on_commit(lambda: note(1, "b"))
    assert stored(StreamKind.PERSON, 1) == [(1, "a"), (2, "b")]
    assert len(rung) == 2


def test_telling_decorates_services(rung):
    @telling()
    def greet(text: str) -> str:
        publish(Noted(text=text), to=person(1))
        return "done"

    assert greet("a") == greet("b") == "done"
    assert stored(StreamKind.PERSON, 1) == [(1, "a"), (2, "b")]


def test_two_who_write_to_each_other_at_once_never_wait_for_each_other_in_a_circle(rung):
    """In whatever order a transaction tells, counters are locked in one order; what the numbers say is the order of
    commits."""

    def both_ways(number: int):
        def deed() -> None:
            first, second = (1, 2) if number % 2 else (2, 1)
            with telling():
                publish(Noted(text="a"), to=person(first))
                publish(Said(room_id=77, text="b"), to=room(77))
                publish(Noted(text="c"), to=person(second))

        return deed

    try:
        at_once([both_ways(number) for number in range(200)], together=8)
    except DatabaseError as error:
        pytest.fail(str(error))
    for kind, owner_id in [(StreamKind.PERSON, 1), (StreamKind.PERSON, 2), (StreamKind.ROOM, 77)]:
        assert [seq for seq, _ in stored(kind, owner_id)] == list(range(1, 201))
    assert len(rung) == 200


def test_a_message_cannot_be_published_to_a_room_it_does_not_name(rung):
    with telling(), pytest.raises(ValueError, match="another room"):
        publish(Said(room_id=77, text="a"), to=room(78))
    assert rung == []


def test_what_is_for_a_person_cannot_go_to_a_room_nor_the_other_way_round(rung):
    with telling():
        with pytest.raises(ValueError, match="another room"):
            publish(Noted(text="a"), to=room(77))
        with pytest.raises(ValueError, match="not for Person"):
            publish(Said(room_id=77, text="a"), to=person(77))
    assert rung == []


def test_a_dead_bus_is_neither_raised_nor_slow(valkey, settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock?db=0"
    start = time.monotonic()
    say("a")
    assert time.monotonic() - start < 1
    assert stored(StreamKind.ROOM, 77) == [(1, "a")]


def test_a_bus_that_does_not_answer_costs_one_time_out_and_not_one_per_message(valkey):
    valkey.freeze()
    try:
        start = time.monotonic()
        for _ in range(20):
            say("a")
        assert time.monotonic() - start < 8 * bus.PUBLISH_TIMEOUT
    finally:
        valkey.thaw()


def test_the_first_message_after_a_restart_of_the_bus_arrives(valkey):
    say("a")
    valkey.kill()
    valkey.start()
    with redis.Redis.from_url(valkey.url).pubsub() as listener:
        listener.subscribe(bus.wire_form({})[0])
        assert listener.get_message(timeout=1)["type"] == "subscribe"
        say("b")
        assert b'"b"' in listener.get_message(timeout=1)["data"]
