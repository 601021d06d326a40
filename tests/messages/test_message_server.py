"""Server to server: messageserver/api/msg/*.action, signed and let in once."""

import json
import time

import pytest
from django.conf import settings
from django.db.models import F
from django.test import Client
from django.utils import timezone

from chat.models import Chat
from heihei_site.realtime.models import Message, StreamKind
from live.models import Live
from messages import tasks
from messages.models import ServerCall
from tests import factories
from tests.answers import ok, refused
from tests.messages.conftest import told as stream_of
from tests.messages.servers import path_of, post, signed
from tests.races.crowd import at_once, codes

pytestmark = pytest.mark.django_db

WRONG = 701, "signature错误"
PARAMETER = 700, "参数错误"


def call(action, **given):
    return post(action, signed(action, **given))


def said(kind, message, **where):
    return json.dumps({"timeStamp": 1400939322323, "type": kind, **where, "msg": message})


def in_room(room_id):
    rows = Message.objects.filter(kind=StreamKind.ROOM, owner_id=room_id).order_by("seq")
    return [json.loads(row.element)["msg"] for row in rows]


@pytest.fixture
def live(db):
    return factories.live()


@pytest.fixture
def running(talk):
    """A call of two people, begun as they begin one."""
    chat_id = ok(talk.mine.post("chat/due-chat", userId=talk.her.pk))["chatId"]
    ok(talk.hers.post("chat/accept-chat", chatId=chat_id, userId=talk.me.pk, type=0))
    return chat_id


class TestWhoIsLetIn:
    def test_whoever_holds_the_key_by_post_and_by_get(self, live):
        assert call("open-room", roomId=live.pk) == {"errorcode": 0, "errormsg": "success"}
        ok(Client().get(path_of("open-room"), signed("open-room", roomId=live.pk, liveId=live.pk)).json())
        ok(Client().post(path_of("open-room"), signed("open-room", roomId=live.pk), "application/json").json())

    @pytest.mark.parametrize("change", [
        {"signature": "0" * 64}, {"signature": ""}, {"signature": "ä"}, {"roomId": 5}, {"nonce": "another-nonce"},
        {"timestamp": int(time.time()) - 1}, {"more": "x"},
    ])  # fmt: skip
    def test_nobody_who_changes_anything(self, live, change):
        given = signed("close-room", roomId=live.pk) | change
        refused(post("close-room", given), *WRONG)
        live.refresh_from_db()
        assert live.status == Live.Status.PLAYING

    def test_no_phone_with_a_token(self, live):
        refused(post("close-room", {"roomId": live.pk, "signature": "x", "token": factories.token(live.owner)}), *WRONG)

    def test_not_the_same_call_again(self, live):
        given = signed("send-msg", data=said("toLive", {"msgType": "system", "text": "一"}, liveId=live.pk))
        ok(post("send-msg", given))
        refused(post("send-msg", given), *WRONG)
        refused(post("send-msg", given | {"signature": given["signature"].upper()}), *WRONG)
        assert len(in_room(live.pk)) == 1

    @pytest.mark.django_db(transaction=True)
    def test_of_20_of_the_same_call_at_once_one(self, live):
        given = signed("send-msg", data=said("toLive", {"msgType": "system", "text": "一"}, liveId=live.pk))
        assert codes(at_once([lambda: post("send-msg", given)] * 20)) == {0: 1, 701: 19}
        assert len(in_room(live.pk)) == 1

    def test_not_a_call_to_another_address(self, live):
        given = signed("open-room", roomId=live.pk)
        refused(post("close-room", given), *WRONG)

    @pytest.mark.parametrize("late", [-301, 301, 10**9])
    def test_not_a_call_of_another_time(self, live, late):
        refused(call("open-room", roomId=live.pk, timestamp=int(time.time()) + late), *WRONG)

    @pytest.mark.parametrize("change", [
        {"timestamp": ""}, {"timestamp": "now"}, {"timestamp": "1e9"}, {"nonce": ""}, {"nonce": "short"},
        {"nonce": "x" * 65},
    ])  # fmt: skip
    def test_not_a_call_without_a_time_or_a_name(self, live, change):
        refused(call("open-room", roomId=live.pk, **change), *WRONG)
        assert not ServerCall.objects.exists()

    def test_names_are_kept_as_long_as_they_could_be_used_again(self, live):
        ok(call("open-room", roomId=live.pk))
        tasks.forget_server_calls()
        assert ServerCall.objects.count() == 1
        ServerCall.objects.update(created_at=F("created_at") - 4 * settings.MESSAGE_SERVER_CLOCK)
        tasks.forget_server_calls()
        assert not ServerCall.objects.exists()


class TestRooms:
    def test_of_lives_and_calls_are_open_until_they_end(self, live, running):
        ok(call("open-room", roomId=live.pk, liveId=live.pk))
        ok(call("open-room", roomId=running, chatId=running))
        for room, kind in ((live.pk, "liveId"), (running, "chatId")):
            ok(call("close-room", roomId=room))
            ok(call("close-room", roomId=room))
            refused(call("open-room", roomId=room, **{kind: room}), *PARAMETER)
        live.refresh_from_db()
        assert live.status == Live.Status.STOPPED
        assert Chat.objects.get(pk=running).state == Chat.State.ENDED
        assert "stop-live" in [message.get("action") for message in in_room(live.pk)]

    def test_are_what_they_are_said_to_be(self, live, running):
        other = factories.live()
        for wrong in ({"liveId": other.pk}, {"chatId": live.pk}, {"liveId": live.pk, "chatId": running}):
            refused(call("open-room", roomId=live.pk, **wrong), *PARAMETER)
        refused(call("open-room", roomId=5), *PARAMETER)
        ok(call("close-room", roomId=5))

    def test_that_are_no_rooms_are_a_wrong_parameter(self):
        for wrong in ("x", "", "-1", 10**20):
            refused(call("open-room", roomId=wrong), *PARAMETER)
        assert not ServerCall.objects.exists()


class TestBroadcasts:
    def test_start_and_stop(self):
        live = factories.live(status=Live.Status.TO_START)
        for _ in range(2):
            ok(call("start-live-broadcast", liveId=live.pk, roomId=live.pk))
            live.refresh_from_db()
            assert live.status == Live.Status.PLAYING
        for _ in range(2):
            ok(call("stop-live-broadcast", liveId=live.pk, roomId=live.pk))
            live.refresh_from_db()
            assert live.status == Live.Status.STOPPED
        refused(call("start-live-broadcast", liveId=live.pk, roomId=live.pk), *PARAMETER)

    def test_are_lives_and_their_rooms(self, live, running):
        refused(call("stop-live-broadcast", liveId=live.pk, roomId=5), *PARAMETER)
        refused(call("start-live-broadcast", liveId=running, roomId=running), *PARAMETER)
        ok(call("stop-live-broadcast", liveId=running, roomId=running))
        live.refresh_from_db()
        assert live.status == Live.Status.PLAYING
        assert Chat.objects.get(pk=running).state == Chat.State.RUNNING


class TestMessages:
    def test_to_one_person_are_numbered_and_kept(self, talk):
        toast = {"msgType": "toast", "text": "弹窗提示内容", "expireTime": 3, "user_status": "x"}
        ok(call("send-msg", data=said("tosingle", toast, targetUserId=talk.her.pk)))
        (element,) = stream_of(talk.her)
        assert 0 < element["msg"].pop("msgId") < 2**53
        assert element["msg"] == toast
        assert abs(element["timeStamp"] - timezone.now().timestamp()) < 5

    def test_to_a_room_say_which(self, live, running):
        system = {"msgType": "system", "text": "hello", "roomId": 5, "msgId": 7}
        ok(call("send-msg", data=said("toLive", system, liveId=live.pk)))
        ok(call("send-msg", data=said("toChat", system, chatId=running)))
        assert in_room(live.pk) == [system | {"roomId": live.pk}]
        assert in_room(running)[-1] == system | {"roomId": running}

    @pytest.mark.parametrize("kind", ["toLive", "toChat", "tosingle", "toAll", 5, None])
    def test_to_nobody_are_refused(self, live, running, kind):
        text = {"msgType": "system", "text": "x"}
        where = {"toLive": {"liveId": running}, "toChat": {"chatId": live.pk}, "tosingle": {"targetUserId": 5}}
        for data in (said(kind, text), said(kind, text, **where.get(kind, {})), said(kind, text, liveId="x")):
            before = Message.objects.count()
            refused(call("send-msg", data=data), *PARAMETER)
            assert Message.objects.count() == before

    @pytest.mark.parametrize("message", [
        None, [], "x", {}, {"text": "x"}, {"msgType": ""}, {"msgType": 5}, {"msgType": "x", "msgId": "y"},
        {"msgType": "x", "msgId": 2**53}, {"msgType": "x", "text": "x" * 17_000},
    ])  # fmt: skip
    def test_that_are_none_are_refused(self, live, message):
        refused(call("send-msg", data=said("toLive", message, liveId=live.pk)), *PARAMETER)
        assert in_room(live.pk) == []

    def test_come_as_the_text_of_an_object(self):
        for wrong in ("", "x", "[]", "5"):
            refused(call("send-msg", data=wrong), *PARAMETER)
        given = signed("send-msg") | {"data": {"type": "toLive"}}
        refused(Client().post(path_of("send-msg"), given, "application/json").json(), *WRONG)


def test_init_tells_phones_nothing_of_it(api):
    assert "messageserver" not in json.dumps(ok(api().get("init", ap="heihei")))


@pytest.mark.parametrize("change", [
    {"action": {}}, {"action": ["x"]}, {"action": 5}, {"fromUserId": "x"}, {"fromUserId": [1]}, {"fromUserId": None},
    {"gift": "x"}, {"gift": {"id": 101}}, {"gift": []},
])  # fmt: skip
def test_what_would_break_histories_and_replays_later_is_no_message(talk, live, change):
    message = {"msgType": "gift", "text": "x", **change}
    for kind, where in (("tosingle", {"targetUserId": talk.her.pk}), ("toLive", {"liveId": live.pk})):
        assert tuple(call("send-msg", data=said(kind, message, **where)).values())[:2] == PARAMETER
    assert (stream_of(talk.her), in_room(live.pk)) == ([], [])
    ok(talk.hers.get("msg/history-msg"))
