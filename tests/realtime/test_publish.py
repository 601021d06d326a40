import time

import pytest
import redis
from django.db import transaction

from heihei_site.realtime import bus
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import close_room, end_sessions, enter_room, leave_room, publish
from tests.realtime.sample_events import Said

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rung(monkeypatch) -> list[bus.Message]:
    rung: list[bus.Message] = []
    monkeypatch.setattr(bus, "send", rung.append)
    return rung


def test_nothing_is_told_before_the_commit_and_all_in_order_after_it(rung):
    with transaction.atomic():
        enter_room(1, 77)
        publish(Said(room_id=77, text="a"), to=room(77))
        leave_room(1, 77)
        close_room(77)
        end_sessions([5])
        assert rung == []
    assert [message["do"] for message in rung] == ["enter", "deliver", "leave", "close", "end"]


def test_a_rolled_back_transaction_tells_nobody(rung):
    with transaction.atomic():
        publish(Said(room_id=77, text="a"), to=room(77))
        transaction.set_rollback(True)
    assert rung == []


def test_a_message_cannot_be_published_to_a_room_it_does_not_name(rung):
    with pytest.raises(ValueError, match="another room"):
        publish(Said(room_id=77, text="a"), to=room(78))
    assert rung == []


def test_a_dead_bus_is_neither_raised_nor_slow(valkey, settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock?db=0"
    start = time.monotonic()
    publish(Said(room_id=77, text="a"), to=room(77))
    assert time.monotonic() - start < 0.2


def test_a_bus_that_does_not_answer_costs_one_time_out_and_not_one_per_message(valkey):
    valkey.freeze()
    try:
        start = time.monotonic()
        for _ in range(20):
            publish(Said(room_id=77, text="a"), to=room(77))
        assert time.monotonic() - start < 2 * bus.PUBLISH_TIMEOUT
    finally:
        valkey.thaw()


def test_the_first_message_after_a_restart_of_the_bus_arrives(valkey):
    publish(Said(room_id=77, text="a"), to=room(77))
    valkey.kill()
    valkey.start()
    with redis.Redis.from_url(valkey.url).pubsub() as listener:
        listener.subscribe(bus.wire_form({})[0])
        assert listener.get_message(timeout=1)["type"] == "subscribe"
        publish(Said(room_id=77, text="b"), to=room(77))
        assert b'"b"' in listener.get_message(timeout=1)["data"]
