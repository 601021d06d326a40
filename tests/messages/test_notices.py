"""What we write in people's names: notices to authors, and what two could talk about (D45)."""

from datetime import timedelta

import pytest
from django.db.models import F

from chat.models import ChatTopic
from chat.services import topics
from heihei_site.realtime.publish import telling
from messages.models import InstantMessage
from messages.services.notices import notify
from tests import factories
from tests.answers import ok
from tests.messages.conftest import nothing_happened, texts, told
from tests.messages.test_lists import shown, unread
from users.models import Block, Follow

pytestmark = pytest.mark.django_db


def like(author, actor, **changes):
    said = {"text": "我给你点赞了，", "link": "wmlivesheihei://topic/7", "img": "http://cdn/a.png"} | changes
    with telling():
        notify(recipient_id=author.pk, actor=actor, **said)


class TestANotice:
    def test_is_told_to_the_author_alone_in_the_name_of_who_did_it(self, talk):
        Follow.objects.create(follower=talk.her, followee=talk.me)
        like(talk.her, talk.me, icon="http://cdn/i.png")
        assert told(talk.me) == []
        (element,) = told(talk.her)
        row = InstantMessage.objects.get()
        assert element["msg"] == {
            "msgType": "sysnotify", "fromUserId": talk.me.pk, "toUserId": talk.her.pk, "msgId": row.pk,
            "content": {"text": "我给你点赞了，", "img": "http://cdn/a.png", "icon": "http://cdn/i.png"},
            "jump": {"text": "查看", "link": "wmlivesheihei://topic/7"},
            "createTime": int(row.created_at.timestamp()), "tips": "【通知消息】不支持的消息类型，请升级最新客户端。",
        }  # fmt: skip
        assert element["users"][str(talk.me.pk)]["isFollowed"] is True
        assert shown(talk.hers) == [("text", 1, "我给你点赞了，", False)]
        assert (shown(talk.mine), unread(talk.mine), unread(talk.hers)) == ([], 0, 1)

    def test_has_no_pictures_where_there_are_none(self, talk):
        like(talk.her, talk.me, img="")
        assert told(talk.her)[0]["msg"]["content"] == {"text": "我给你点赞了，"}

    def test_is_in_the_history_and_read_there_and_in_the_list(self, talk):
        like(talk.her, talk.me)
        answer = ok(talk.hers.get("msg/history-msg"))
        assert (answer["unReadCount"], answer["unReadMsg"][0]["msg"]["msgType"]) == (1, "sysnotify")
        ok(talk.hers.post("msg/read-one-msg", msgId=answer["unReadMsg"][0]["msg"]["msgId"]))
        assert unread(talk.hers) == 0

    def test_of_what_one_did_oneself_or_somebody_blocked_did_is_none(self, talk):
        like(talk.me, talk.me)
        Block.objects.create(user=talk.her, target=talk.me)
        like(talk.her, talk.me)
        like(talk.me, talk.her)
        assert nothing_happened()

    def test_of_one_name_stands_for_the_next_while_it_is_unread(self, talk):
        third = factories.person()
        for actor in (talk.me, third, talk.me):
            like(talk.her, actor, collapse="like:7")
        like(talk.her, third, collapse="like:8")
        like(talk.her, third)
        assert [one["msg"]["fromUserId"] for one in told(talk.her)] == [talk.me.pk, third.pk, third.pk]
        ok(talk.hers.post("msg/message-read-all"))
        like(talk.her, third, collapse="like:7")
        assert len(told(talk.her)) == 4

    def test_of_one_name_is_told_again_after_some_minutes(self, talk):
        like(talk.her, talk.me, collapse="like:7")
        InstantMessage.objects.update(created_at=F("created_at") - timedelta(minutes=11))
        like(talk.her, talk.me, collapse="like:7")
        assert unread(talk.hers) == 2

    def test_cannot_be_written_by_a_phone(self, talk):
        for kind in ("sysnotify", "systopic", "dueChat"):
            assert talk.write(msgType=kind)["errorcode"] == 700
        assert nothing_happened()


class TestTheFirstMessageBetweenTwo:
    @pytest.fixture(autouse=True)
    def pool(self, db):
        ChatTopic.objects.create(text="雨天听什么歌")
        topics.pool.changed()
        yield
        ChatTopic.objects.all().delete()
        topics.pool.changed()

    def test_comes_after_something_to_talk_about_which_both_have_read(self, talk):
        ok(talk.write("在吗"))
        assert texts(talk.her) == texts(talk.me) == ["#雨天听什么歌#", "在吗"]
        first = told(talk.her)[0]["msg"]
        assert (first["msgType"], first["fromUserId"], "clientMsgId" in first) == ("systopic", talk.me.pk, False)
        assert first["tips"] == "【系统消息】不支持的消息类型，请升级最新客户端。"
        assert (unread(talk.hers), ok(talk.hers.get("msg/history-msg"))["unReadCount"]) == (1, 1)
        assert shown(talk.hers) == [("text", 1, "在吗", False)]

    def test_is_the_first_once(self, talk):
        ok(talk.write("在吗"))
        ok(talk.write("在", phone=talk.hers, toUserId=talk.me.pk))
        for phone, other in ((talk.mine, talk.her), (talk.hers, talk.me)):
            ok(phone.post("msg/message-del", userId=other.pk))
        ok(talk.write("还在吗"))
        assert InstantMessage.objects.filter(kind="systopic").count() == 1

    def test_comes_alone_where_the_pool_is_empty(self, talk):
        ChatTopic.objects.all().delete()
        topics.pool.changed()
        ok(talk.write("在吗"))
        assert texts(talk.her) == ["在吗"]

    def test_that_is_refused_has_nothing_before_it(self, talk):
        Block.objects.create(user=talk.her, target=talk.me)
        talk.write("在吗")
        assert nothing_happened()
