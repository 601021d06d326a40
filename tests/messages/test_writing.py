"""msg/send-msg with `toUserId`: D14, D18; interface.md 10, 12, 18."""

import json
import time

import pytest
from django.conf import settings as django_settings

from messages.models import InstantMessage
from tests import factories
from tests.answers import BANNED, ok, refused
from tests.messages.conftest import content, nothing_happened, texts, told
from users.models import Block, Follow
from users.services import bans

pytestmark = pytest.mark.django_db

WRONG = 700, "参数错误"
NOBODY = 710, "用户不存在"
NOT_PERMITTED = 711, "用户权限不足"
TIPS = "【文本消息】不支持的消息类型，请升级最新客户端。"


class TestAMessage:
    @pytest.mark.parametrize("path", ["msg/send-msg", "message/send-msg"])
    def test_is_stored_and_both_are_told(self, talk, path):
        before = int(time.time())
        answer = ok(talk.mine.post(path, toUserId=talk.her.pk, content=content("在吗"), clientMsgId="c-1"))
        assert set(answer) == {"errorcode", "errormsg", "msgId", "createTime"}
        assert 0 < answer["msgId"] < 2**53
        assert before <= answer["createTime"] <= int(time.time()) + 1
        row = InstantMessage.objects.get()
        assert (row.pk, row.sender, row.recipient, row.kind, row.content, row.client_msg_id) == (
            answer["msgId"], talk.me, talk.her, "text", {"text": "在吗"}, "c-1")  # fmt: skip
        message = {
            "msgType": "text",
            "toUserId": talk.her.pk,
            "fromUserId": talk.me.pk,
            "content": {"text": "在吗"},
            "msgId": answer["msgId"],
            "createTime": answer["createTime"],
            "tips": TIPS,
        }
        honours = {"honours": [], "isFollowed": False, "gender": "Female"}
        users = {
            str(talk.me.pk): {"id": talk.me.pk, "displayName": "小白", "heiNum": talk.me.hei_num,
                              "coverUrl": "http://cdn/a.jpg", "level": 1, **honours},
            str(talk.her.pk): {"id": talk.her.pk, "displayName": "阿嘿", "heiNum": talk.her.hei_num,
                               "coverUrl": "", "level": 5, **honours},
        }  # fmt: skip
        (hers,), (mine,) = told(talk.her), told(talk.me)
        assert abs(hers.pop("timeStamp") - answer["createTime"]) <= 1
        assert abs(mine.pop("timeStamp") - answer["createTime"]) <= 1
        assert hers == {"msgType": "IM", "msg": message, "users": users}
        assert mine == {"msgType": "IM", "msg": message | {"clientMsgId": "c-1"}, "users": users}

    def test_without_a_client_msg_id_has_none(self, talk):
        for text in ("一", "一"):
            ok(talk.write(text))
        assert [set(element["msg"]) & {"clientMsgId"} for element in told(talk.me) + told(talk.her)] == [set()] * 4
        assert texts(talk.her) == ["一", "一"]

    def test_says_to_each_whether_they_follow_the_other(self, talk):
        Follow.objects.create(follower=talk.me, followee=talk.her)
        ok(talk.write())
        ok(talk.write(phone=talk.hers, toUserId=talk.me.pk))

        def followed(reader):
            return [
                {int(key): card["isFollowed"] for key, card in element["users"].items()} for element in told(reader)
            ]

        assert followed(talk.me) == [{talk.me.pk: False, talk.her.pk: True}] * 2
        assert followed(talk.her) == [{talk.me.pk: False, talk.her.pk: False}] * 2

    def test_comes_in_order_with_all_others(self, talk):
        third = factories.person()
        for number in range(5):
            ok(talk.write(f"{number}"))
            ok(talk.write(f"an {number}", toUserId=third.pk))
            ok(talk.write(f"zurück {number}", phone=talk.hers, toUserId=talk.me.pk))
        assert texts(talk.her) == [text for n in range(5) for text in (f"{n}", f"zurück {n}")]
        assert texts(third) == [f"an {n}" for n in range(5)]

    @pytest.mark.parametrize("text", ["1" * 500, "字" * 500, "😀" * 500, " a ", "a\nb\tc", "%41+&=", "🫨", "{}", "<b>"])
    def test_keeps_every_character(self, talk, text):
        ok(talk.write(text))
        assert texts(talk.her) == texts(talk.me) == [text]
        assert InstantMessage.objects.get().content == {"text": text}

    def test_may_come_as_json(self, talk):
        body = {"token": talk.mine.token, "toUserId": str(talk.her.pk), "msgType": "text", "content": {"text": "你好"}}
        ok(talk.mine.raw("msg/send-msg", json.dumps(body).encode(), "application/json"))
        assert texts(talk.her) == ["你好"]

    def test_may_come_by_get_and_unencoded(self, talk):
        ok(talk.mine.get("msg/send-msg", toUserId=talk.her.pk, content=content("一")))
        body = f'token={talk.mine.token}&toUserId={talk.her.pk}&content={{"text":"你 好"}}'
        ok(talk.mine.raw("msg/send-msg", body.encode()))
        assert texts(talk.her) == ["一", "你 好"]

    def test_keeps_of_its_content_what_a_text_has(self, talk):
        ok(talk.write(content=json.dumps({"text": "x", "sign": "y", "audio": None})))
        assert told(talk.her)[0]["msg"]["content"] == {"text": "x"}


class TestTheSameAgain:
    def test_is_the_first_message(self, talk):
        first = ok(talk.write(clientMsgId="k"))
        assert ok(talk.write(clientMsgId="k")) == first
        assert ok(talk.write("was anderes", clientMsgId="k")) == first
        assert ok(talk.write(clientMsgId="k", toUserId=factories.person().pk)) == first
        assert (texts(talk.her), texts(talk.me)) == (["在吗"], ["在吗"])
        assert InstantMessage.objects.get().content == {"text": "在吗"}

    def test_is_the_first_message_even_when_the_two_have_fallen_out_since(self, talk):
        first = ok(talk.write(clientMsgId="k"))
        ok(talk.hers.post("user/block-user", userId=talk.me.pk))
        assert ok(talk.write(clientMsgId="k")) == first
        refused(talk.write(clientMsgId="l"), *NOT_PERMITTED)
        assert InstantMessage.objects.count() == 1

    def test_of_somebody_else_is_another(self, talk):
        ok(talk.write(clientMsgId="k"))
        ok(talk.write(clientMsgId="k", phone=talk.hers, toUserId=talk.me.pk))
        ok(talk.write(clientMsgId="K"))
        ok(talk.write(clientMsgId=" k"))
        assert InstantMessage.objects.count() == len(texts(talk.me)) == 4

    def test_of_a_refused_one_is_a_first(self, talk):
        Block.objects.create(user=talk.her, target=talk.me)
        refused(talk.write(clientMsgId="k"), *NOT_PERMITTED)
        Block.objects.all().delete()
        ok(talk.write("später", clientMsgId="k"))
        assert texts(talk.her) == ["später"]


class TestIsRefused:
    def test_to_oneself(self, talk):
        refused(talk.write(toUserId=talk.me.pk), *WRONG)
        assert nothing_happened()

    @pytest.mark.parametrize("user_id", [0, 1, 10000, 2**31 - 1, 2**31, 2**53 - 1])
    def test_to_nobody(self, talk, user_id):
        refused(talk.write(toUserId=user_id), *NOBODY)
        assert nothing_happened()

    def test_to_the_banned(self, talk):
        bans.ban(talk.her)
        refused(talk.write(), *NOBODY)
        assert nothing_happened()

    def test_of_the_banned(self, talk):
        bans.ban(talk.me)
        refused(talk.write(), 720, BANNED)
        assert nothing_happened()

    def test_to_whom_one_blocks_and_who_blocks_one(self, talk):
        """D18: it works both ways."""
        ok(talk.hers.post("user/block-user", userId=talk.me.pk))
        refused(talk.write(), *NOT_PERMITTED)
        refused(talk.write(phone=talk.hers, toUserId=talk.me.pk), *NOT_PERMITTED)
        assert nothing_happened()

    @pytest.mark.parametrize("user_id", ["abc", "1e3", "-1", str(10**20), "1.0", "", None])
    def test_to_what_is_no_id(self, talk, user_id):
        body = {"token": talk.mine.token, "toUserId": user_id, "content": {"text": "x"}}
        refused(talk.mine.raw("msg/send-msg", json.dumps(body).encode(), "application/json"), *WRONG)
        assert nothing_happened()

    @pytest.mark.parametrize(
        "text", ["", " ", "\n", "\t \r", "\u200b", "\u3000\u2028", "\x00", "a\x00b", "\x07\x1b", "字" * 501]
    )
    def test_with_a_text_that_nobody_could_read(self, talk, text):
        refused(talk.write(content=content(text)), *WRONG)
        assert nothing_happened()

    @pytest.mark.parametrize(
        "wrong",
        ["x", "[]", '["text"]', "1", "null", "true", '"text"', "{}", '{"text":', '{"text":1}', '{"text":null}',
         '{"text":["x"]}', '{"text":{"text":"x"}}', '{"TEXT":"x"}', '{"sign":"x","length":3}', '{"text":"\\ud800"}'],
    )  # fmt: skip
    def test_with_a_content_that_is_no_text(self, talk, wrong):
        refused(talk.write(content=wrong), *WRONG)
        body = f'{{"token":"{talk.mine.token}","toUserId":{talk.her.pk},"content":{wrong}}}'
        refused(talk.mine.raw("msg/send-msg", body.encode(), "application/json"), *WRONG)
        assert nothing_happened()

    @pytest.mark.parametrize(
        "kind", ["audio", "image", "video", "gift", "dueChat", "systopic", "sysnotify", "IM", "Text", "1"]
    )
    def test_of_another_kind(self, talk, kind):
        refused(talk.write(msgType=kind), *WRONG)
        assert nothing_happened()

    def test_under_a_name_of_ours_which_would_keep_a_call_out_of_both_lists(self, talk):
        chat_id = ok(talk.mine.post("chat/due-chat", userId=talk.her.pk))["chatId"]
        for outcome in ("missed", "cancelled"):
            refused(talk.write(clientMsgId=f"heihei chat {chat_id} {outcome}"), *WRONG)
            ok(talk.write(clientMsgId=f"chat {chat_id} {outcome}"))
        ok(talk.mine.post("chat/cancel-due-chat", chatId=chat_id))
        (entry,) = ok(talk.hers.get("msg/message-list"))["messages"]
        assert (entry["data"]["type"], entry["data"]["count"]) == ("calling", 1)

    def test_with_too_long_a_client_msg_id(self, talk):
        refused(talk.write(clientMsgId="k" * 65), *WRONG)
        assert nothing_happened()
        ok(talk.write(clientMsgId="k" * 64))

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"toUserId": 1},
            {"content": "{}"},
            {"text": "x"},
            {"text": "x", "roomId": 1},
            {"text": "x", "liveId": 1},
            {"roomId": 1, "liveId": 1},
            {"text": "x", "toUserId": 1},
            {"text": "x", "roomId": 1, "liveId": 1, "toUserId": 1},
            {"text": "x", "roomId": 1, "liveId": 1, "toUserId": 1, "content": '{"text":"x"}'},
            {"roomId": 1, "toUserId": 1, "content": '{"text":"x"}'},
            {"text": "x", "toUserId": 1, "content": '{"text":"x"}'},
        ],
        ids=lambda given: "+".join(given) or "nothing",
    )
    def test_to_nobody_in_particular_or_to_two_at_once(self, talk, given):
        live = factories.live(talk.her)
        factories.inside(live, talk.me)
        places = {"toUserId": talk.her.pk, "roomId": live.pk, "liveId": live.pk}
        sent = {key: places.get(key, value) for key, value in given.items()}
        refused(talk.mine.post("msg/send-msg", **sent), *WRONG)
        assert nothing_happened()

    def test_without_a_token(self, talk, api):
        refused(talk.write(phone=api()), 720, "token无效")
        assert nothing_happened()


class TestLimits:
    def test_three_hundred_in_a_row_pass(self, talk):
        for number in range(300):
            ok(talk.write(f"{number}"))
        assert texts(talk.her) == [f"{number}" for number in range(300)]

    def test_floods_do_not(self, talk, settings):
        assert django_settings.INSTANT_MESSAGES == "600/minute"
        settings.INSTANT_MESSAGES = "3/minute"
        for number in range(3):
            ok(talk.write(f"{number}"))
        refused(talk.write("zu viel"), 429, "操作太频繁")
        assert texts(talk.her) == texts(talk.me) == ["0", "1", "2"]
        ok(talk.write("ich darf", phone=talk.hers, toUserId=talk.me.pk))

    def test_those_of_rooms_are_counted_apart(self, talk, settings):
        settings.INSTANT_MESSAGES, settings.ROOM_TEXTS = "1/minute", "1/minute"
        live = factories.live(talk.her)
        factories.inside(live, talk.me)
        room = {"roomId": live.pk, "liveId": live.pk}
        ok(talk.write())
        ok(talk.mine.post("msg/send-msg", text="一", **room))
        refused(talk.mine.post("msg/send-msg", text="二", **room), 429, "操作太频繁")
        refused(talk.write(), 429, "操作太频繁")
