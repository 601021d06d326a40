"""IM over the real socket, with the real sessions and rows: D12, D14; interface.md 18, 19."""

import pytest

from heihei_site.api.errors import TokenInvalid
from messages import socket
from messages.models import InstantMessage
from tests import factories
from tests.answers import ok, refused
from tests.messages.conftest import frame, nothing_happened, send, texts
from tests.realtime.conftest import wait_until
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = {"msgType": "action", "action": "refused"}
CANNOT_BE_SENT = [
    *(({"toUserId": nobody}, 710) for nobody in (1, 2**31, 2**53 - 1)),
    *(({"toUserId": no_id}, 700) for no_id in ("abc", -1, 2**60, 1.5, True, None, [10001], {})),
    *(({"msgType": other}, 700) for other in ("audio", "sysnotify", "", 1, None, ["text"], {})),
    *(({"content": no_text}, 700) for no_text in (None, "在吗", [], {}, 5, {"text": 5}, {"text": ["x"]})),
    *(({"content": {"text": unreadable}}, 700) for unreadable in ("", " \n", "a\0", "字" * 501)),
    *(({"clientMsgId": no_name}, 700) for no_name in ("k" * 65, {}, ["k"], True)),
]


def to(user, text="在吗", **changes):
    return {"toUserId": user.pk, "msgType": "text", "content": {"text": text}} | changes


def refusal(phone):
    """What the socket was told instead: code, text and whose message it was."""
    message = phone.message()
    assert {key: message[key] for key in REFUSED} == REFUSED
    return message["errorcode"], message["errormsg"], message["clientMsgId"]


def test_reaches_both_and_only_the_sender_gets_the_client_msg_id(talk, sockets):
    mine, hers = sockets.of(talk.mine), sockets.of(talk.hers)
    send(mine, to(talk.her, clientMsgId="c-1"))
    echo, heard = mine.element(), hers.element()
    row = InstantMessage.objects.get()
    assert (row.sender, row.recipient, row.content) == (talk.me, talk.her, {"text": "在吗"})
    for element in (echo, heard):
        assert set(element) == {"msgType", "msg", "users", "timeStamp", "seq"}
        assert (element["msgType"], element["seq"]) == ("IM", 1)
        assert set(element["users"]) == {str(talk.me.pk), str(talk.her.pk)}
    assert echo["msg"].pop("clientMsgId") == "c-1"
    assert echo["msg"] == heard["msg"]
    assert (heard["msg"]["msgId"], heard["msg"]["createTime"]) == (row.pk, int(row.created_at.timestamp()))


def test_what_was_written_over_http_is_the_same(talk, sockets):
    mine, hers = sockets.of(talk.mine), sockets.of(talk.hers)
    answer = ok(talk.write(clientMsgId="c-1"))
    assert hers.message()["msgId"] == mine.message()["msgId"] == answer["msgId"]


def test_is_stored_once_whichever_way_it_is_repeated(talk, sockets):
    mine, hers = sockets.of(talk.mine), sockets.of(talk.hers)
    send(mine, to(talk.her, clientMsgId="k"), to(talk.her, clientMsgId="k"), to(talk.her, "又", clientMsgId="k"))
    first = mine.element()["msg"]
    for _ in range(2):  # who repeats it has not heard of it, and is told again: this socket alone, without a number
        again = mine.element()
        assert "seq" not in again and again["msg"] == first
    assert ok(talk.write(clientMsgId="k"))["msgId"] == first["msgId"]
    send(mine, to(talk.her, "完", clientMsgId="l"))
    assert hers.message()["content"] == {"text": "在吗"}
    assert hers.message()["content"] == {"text": "完"}
    assert mine.message()["clientMsgId"] == "l"


def test_all_elements_of_a_frame_and_all_frames_arrive_in_order(talk, sockets):
    mine, hers = sockets.of(talk.mine), sockets.of(talk.hers)
    for start in range(0, 40, 10):
        send(mine, *(to(talk.her, f"{number}") for number in range(start, start + 10)))
    heard = [hers.element() for _ in range(40)]
    assert [element["msg"]["content"]["text"] for element in heard] == [f"{number}" for number in range(40)]
    assert [element["seq"] for element in heard] == list(range(1, 41))
    assert [mine.element()["seq"] for _ in range(40)] == list(range(1, 41))


def test_who_was_away_gets_it_with_since_and_only_then(talk, sockets):
    ok(talk.write("一"))
    ok(talk.write("二"))
    assert sockets.of(talk.hers).hears_nothing()
    hers = sockets.of(talk.hers, since=1)
    assert (hers.element()["msg"]["content"]["text"], hers.hears_nothing()) == ("二", True)
    ok(talk.write("三"))
    assert hers.element()["seq"] == 3


def test_a_1_1_phone_hears_nothing_of_it(talk, sockets, api):
    """D14: it would misread it. What it is not told it does not count either."""
    her_old_phone = api(talk.her, version="1.1.2")
    her_old_phone.get("user/info", uid=talk.her.pk)
    mine, hers = sockets.of(talk.mine), sockets.of(her_old_phone)
    send(mine, to(talk.her, "一"))
    assert mine.message()["content"] == {"text": "一"}
    assert hers.hears_nothing(1)
    new = sockets.of(api(talk.her, version="2.0.0"), since=0)
    assert new.message()["content"] == {"text": "一"}


class TestARefusal:
    def test_reaches_the_socket_that_caused_it_and_nobody_else(self, talk, sockets):
        mine, hers = sockets.of(talk.mine), sockets.of(talk.hers)
        ok(talk.hers.post("user/block-user", userId=talk.me.pk))
        send(mine, to(talk.her, clientMsgId="c-1"))
        assert refusal(mine) == (711, "用户权限不足", "c-1")
        assert hers.hears_nothing() and mine.hears_nothing(0.1)
        assert nothing_happened()
        again = sockets.of(talk.mine, since=0)
        assert again.hears_nothing()

    def test_does_not_keep_the_others_of_the_frame_back(self, talk, sockets):
        mine, hers = sockets.of(talk.mine), sockets.of(talk.hers)
        send(mine, to(talk.her, "一"), to(talk.me, clientMsgId="self"), to(talk.her, "二"))
        assert [hers.message()["content"]["text"] for _ in range(2)] == ["一", "二"]
        elements = [mine.element() for _ in range(3)]
        assert [element["seq"] for element in elements if "seq" in element] == [1, 2]
        (told,) = [element["msg"] for element in elements if "seq" not in element]
        assert (told["errorcode"], told["clientMsgId"]) == (700, "self")
        assert texts(talk.her) == ["一", "二"]

    def test_answers_each_that_cannot_be_sent(self, talk, sockets):
        mine = sockets.of(talk.mine)
        for changes, code in CANNOT_BE_SENT:
            send(mine, to(talk.her, **{"clientMsgId": "c-1", **changes}))
            answered = refusal(mine)
            assert answered[0] == code, changes
            assert answered[2] == "c-1" or "clientMsgId" in changes
        assert nothing_happened()

    def test_answers_what_is_not_complete_and_what_is_no_message(self, talk, sockets):
        mine = sockets.of(talk.mine)
        for missing in ("toUserId", "msgType", "content"):
            send(mine, {key: value for key, value in to(talk.her).items() if key != missing})
            assert refusal(mine) == (700, "参数错误", ""), missing
        for element in ({"msgType": "IM"}, {"msgType": "IM", "msg": []}, {"msg": to(talk.her)}, 5, "IM", None):
            frame(mine, [element])
            assert refusal(mine) == (700, "参数错误", ""), element
        assert nothing_happened()

    def test_answers_who_was_banned_a_moment_ago(self, talk):
        User.objects.filter(pk=talk.me.pk).update(is_active=False)  # and nobody has closed the socket yet
        with pytest.raises(TokenInvalid):
            socket.send(talk.me.pk, {"msgType": "IM", "msg": to(talk.her)})
        assert nothing_happened()

    def test_answers_floods_and_the_limit_is_that_of_http(self, talk, sockets, settings):
        settings.INSTANT_MESSAGES = "3/minute"
        mine = sockets.of(talk.mine)
        ok(talk.write("一"))
        send(mine, to(talk.her, "二"), to(talk.her, "三"), to(talk.her, "四", clientMsgId="zu viel"))
        elements = [mine.element() for _ in range(4)]
        (told,) = [element["msg"] for element in elements if "seq" not in element]
        assert (told["errorcode"], told["errormsg"], told["clientMsgId"]) == (429, "操作太频繁", "zu viel")
        refused(talk.write("五"), 429, "操作太频繁")
        assert texts(talk.her) == ["一", "二", "三"]


def test_a_missing_null_or_blank_client_msg_id_is_none_and_a_number_is_its_text(talk, sockets):
    mine = sockets.of(talk.mine)
    send(mine, to(talk.her), to(talk.her, clientMsgId=None), to(talk.her, clientMsgId=""), to(talk.her, clientMsgId=7))
    assert [mine.message().get("clientMsgId") for _ in range(4)] == [None, None, None, "7"]


def test_the_other_may_be_named_by_the_text_of_the_id(talk, sockets):
    mine = sockets.of(talk.mine)
    send(mine, to(talk.her, toUserId=str(talk.her.pk)))
    assert mine.message()["toUserId"] == talk.her.pk


def test_300_in_a_row_pass(talk, sockets):
    mine, hers = sockets.of(talk.mine), sockets.of(talk.hers)
    for start in range(0, 300, 30):
        send(mine, *(to(talk.her, f"{number}") for number in range(start, start + 30)))
    assert [hers.message(20)["content"]["text"] for _ in range(300)] == [f"{number}" for number in range(300)]


def test_nobody_else_hears_it(talk, sockets, api):
    third = sockets.of(api(factories.person(), version="2.0.0"), since=0)
    mine = sockets.of(talk.mine)
    send(mine, to(talk.her))
    wait_until(lambda: InstantMessage.objects.exists())
    assert third.hears_nothing(0.5)
