"""What the shipped app suffers from a server that is not like its own, in messages and pushes: B20–B27, B52, B53, B62,
B65, B70 (android_client.md). A real socket, read byte by byte."""

import json
import struct

import pytest

from messages.models import Push
from tests import factories
from tests.answers import ok
from tests.messages import push_vendor
from tests.messages.conftest import Talk
from tests.messages.test_lists import call, entries
from tests.realtime.phone import CLOSE, PING, PONG, TEXT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def old(talk, api) -> Talk:
    """Both with the shipped app, just started."""
    phones = api(talk.me, version="1.1.2"), api(talk.her, version="1.1.2")
    for phone in phones:
        ok(phone.get("init", ap="heihei", version="1.1.2"))
    return Talk(talk.me, talk.her, *phones)


def in_a_room(old):
    live = factories.live(old.me)
    factories.inside(live, old.her)
    return live


def say(old, live, text):
    ok(old.mine.post("msg/send-msg", liveId=live.pk, roomId=live.pk, text=text))


def test_b20_b62_nobodys_app_crashes_at_a_binary_frame_or_at_what_it_does_not_know(old, sockets):
    live = in_a_room(old)
    heard = sockets.of(old.hers)
    newer = Talk(old.me, old.her, old.mine, old.hers)
    call(old.me, old.her)  # an entry, an IM for newer clients, a count
    ok(newer.write("面向新版"))
    say(old, live, "大家好")
    actions = set()
    while "text" not in actions:
        opcode, payload = heard.frame()
        assert opcode == TEXT
        for element in json.loads(payload):
            assert isinstance(element["msg"]["msgType"], str)
            assert element.get("msgType") != "IM"
            actions.add(element["msg"].get("action", element["msg"]["msgType"]))
    assert actions == {"message", "message-unread-count", "text"}


def test_b21_b22_nobody_is_cut_off_every_30_seconds_for_a_ping_without_its_echo(old, sockets):
    heard = sockets.of(old.hers)
    for payload in (b"", b"\x00\x01", b"x" * 125):
        heard.send(PING, payload)
        assert heard.frame() == (PONG, payload)
    heard.send(TEXT, b"ping")  # what other protocols say is answered as any strange frame and ends nothing
    assert heard.element()["msg"]["action"] == "refused"
    say(old, in_a_room(old), "还在")


def test_b23_nobody_who_closes_with_code_0_is_shut_out(old, sockets):
    first = sockets.of(old.hers)
    first.send(CLOSE, struct.pack(">H", 0))
    assert first.frame()[0] in (CLOSE, 0)
    second = sockets.of(old.hers)
    call(old.me, old.her)
    assert second.element()["msg"]["action"] == "message"


def test_b24_nobody_sees_everything_twice_for_having_two_sockets(old, sockets):
    live = in_a_room(old)
    elder, newest = sockets.of(old.hers), sockets.of(old.hers)
    say(old, live, "一次")
    assert newest.element()["msg"]["text"] == "一次"
    assert newest.hears_nothing() and elder.hears_nothing()


def test_b25_b26_b27_nobody_sits_in_a_silent_room_or_calls_a_wrong_number(old, sockets):
    live = in_a_room(old)
    heard = sockets.of(old.hers)
    say(old, live, "大家好")
    message = heard.element()["msg"]
    assert type(message["roomId"]) is int and message["roomId"] == live.pk < 2**53
    chat_id = ok(old.mine.post("chat/due-chat", userId=factories.person().pk))["chatId"]
    assert type(chat_id) is int and 0 < chat_id < 2**53
    assert type(message["msgId"]) is int and 0 < message["msgId"] < 2**53


def test_b52_b53_nobodys_list_is_blank_or_of_the_year_50000(old):
    call(old.me, old.her)
    ok(old.write("给旧版的人也写"))
    for phone in (old.mine, old.hers):
        (row,) = entries(phone)
        assert row["data"]["text"] and isinstance(row["data"]["text"], str)
        assert 1_700_000_000 < row["timeStamp"] < 5_000_000_000


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.1.2"])
def test_b65_nobodys_app_crashes_at_a_push(old, version):
    push_vendor.phone(old.her, version=version)
    ok(old.write("在吗"))
    call(old.me, old.her)
    push_vendor.sweep()
    assert set(push_vendor.outcomes()) <= {"UNFIT"}
    assert not Push.objects.filter(outcome=Push.Outcome.SENT).exists()


def test_b70_nobody_is_deaf_for_sending_no_origin_subprotocol_or_first_frame(old, sockets):
    heard = sockets.of(old.hers)  # sends the six headers a handshake needs, and nothing after
    assert heard.status == 101
    call(old.me, old.her)
    assert heard.element()["msg"]["action"] == "message"
