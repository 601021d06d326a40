"""Conversations with their last message, and how far the other one has read."""

import pytest

from messages.models import Entry
from tests import factories
from tests.answers import ok
from tests.messages.conftest import told as stream_of
from tests.messages.test_lists import call, counts, unread
from users.models import Block, Follow

pytestmark = pytest.mark.django_db


def conversations(phone, **page):
    return ok(phone.get("msg/conversation-list", **page))["conversations"]


def reads(told, user):
    return [(one["fromUserId"], one["readMsgId"]) for one in told
            if one.get("person") == user.pk and one.get("action") == "read-conversation"]  # fmt: skip


class TestTheList:
    def test_has_the_other_one_and_the_last_message(self, talk):
        Follow.objects.create(follower=talk.her, followee=talk.me)
        ok(talk.write("一"))
        answer = ok(talk.write("二"))
        (row,) = conversations(talk.hers)
        assert row.pop("timeStamp") >= answer["createTime"]
        assert row == {
            "user": {
                "id": talk.me.pk, "displayName": "小白", "heiNum": talk.me.hei_num, "coverUrl": "http://cdn/a.jpg",
                "level": 1, "gender": "Female", "honours": [], "isFollowed": True,
            },
            "msg": {
                "msgType": "text", "msgId": answer["msgId"], "fromUserId": talk.me.pk, "toUserId": talk.her.pk,
                "content": {"text": "二"}, "createTime": answer["createTime"], "recalled": False,
                "tips": "【文本消息】不支持的消息类型，请升级最新客户端。",
            },
            "unread": 2,
            "readMsgId": 0,
        }  # fmt: skip
        assert [one["unread"] for one in conversations(talk.mine)] == [0]

    def test_ends_somewhere(self, talk, settings):
        settings.MESSAGE_LIST_DEPTH = 3
        for _ in range(5):
            ok(talk.write(toUserId=factories.person().pk))
        assert [len(conversations(talk.mine, offset=offset, limit=2)) for offset in (0, 2, 4)] == [2, 1, 0]

    def test_has_the_newest_first_and_pages(self, talk):
        people = [factories.person() for _ in range(3)]
        for person in people:
            ok(talk.write(toUserId=person.pk))
        ok(talk.write(toUserId=people[0].pk))
        order = [people[0].pk, people[2].pk, people[1].pk]
        assert [row["user"]["id"] for row in conversations(talk.mine)] == order
        assert [row["user"]["id"] for row in conversations(talk.mine, offset=1, limit=1)] == order[1:2]
        assert conversations(talk.mine, offset=3) == []

    def test_has_no_calls(self, talk):
        call(talk.me, talk.her)
        assert conversations(talk.hers) == []
        ok(talk.write("一"))
        call(talk.me, talk.her)
        assert conversations(talk.hers)[0]["msg"]["content"] == {"text": "一"}

    def test_leads_where_a_notice_leads(self, talk):
        from tests.messages.test_notices import like

        like(talk.her, talk.me)
        assert conversations(talk.hers)[0]["msg"]["jump"] == {"text": "查看", "link": "wmlivesheihei://topic/7"}


class TestReading:
    def read(self, talk):
        ok(talk.hers.post("msg/read-conversation", userId=talk.me.pk))

    @pytest.mark.django_db(transaction=True)
    def test_is_told_to_both(self, talk, told):
        ok(talk.write("一"))
        second = ok(talk.write("二"))["msgId"]
        told.clear()
        self.read(talk)
        assert (counts(told, talk.her), reads(told, talk.me)) == ([0], [(talk.her.pk, second)])
        assert (unread(talk.hers), conversations(talk.mine)[0]["readMsgId"]) == (0, second)
        told.clear()
        self.read(talk)
        assert told == []

    def test_reads_the_history_too(self, talk, api):
        third = factories.person()
        ok(talk.write("一"))
        ok(talk.write("二", phone=api(third, version="2.0.0")))
        self.read(talk)
        answer = ok(talk.hers.get("msg/history-msg"))
        assert answer["unReadCount"] == 1
        assert [one["msg"]["fromUserId"] for one in answer["unReadMsg"]] == [third.pk]
        ok(talk.write("三"))
        ok(talk.hers.post("msg/read-one-msg", msgId=answer["readMsg"][0]["msg"]["msgId"]))
        assert unread(talk.hers) == 2  # 一 was read before

    def test_all_of_the_list_is_seen_by_the_others_when_they_look(self, talk):
        msg_id = ok(talk.write("一"))["msgId"]
        ok(talk.hers.post("msg/message-read-all"))
        assert conversations(talk.mine)[0]["readMsgId"] == msg_id

    def test_is_told_to_nobody_with_whom_one_has_fallen_out(self, talk, told):
        ok(talk.write("一"))
        Block.objects.create(user=talk.her, target=talk.me)
        told.clear()
        self.read(talk)
        assert (unread(talk.hers), reads(told, talk.me)) == (0, [])
        assert conversations(talk.mine)[0]["readMsgId"] == 0

    def test_of_nobody_and_of_who_wrote_nothing_is_nothing(self, talk):
        for user_id in (talk.me.pk, talk.her.pk, 1, 2**31):
            ok(talk.hers.post("msg/read-conversation", userId=user_id))
        assert not Entry.objects.exists() and stream_of(talk.me) == []

    def test_what_was_deleted_takes_nothing_off_what_came_later(self, talk):
        first = ok(talk.write("一"))["msgId"]
        ok(talk.hers.post("msg/message-del", userId=talk.me.pk))
        ok(talk.write("二"))
        ok(talk.hers.post("msg/read-one-msg", msgId=first))
        assert unread(talk.hers) == 1
