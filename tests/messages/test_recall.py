"""Messages that are taken back: by their writer within two minutes, by us where a file is none."""

import json
from datetime import timedelta

import pytest
from django.db.models import F

from heihei_site.uploads.signals import examined
from messages.models import InstantMessage, Push
from messages.personal_data import own_data
from tests import factories
from tests.answers import ok, refused
from tests.messages import push_vendor
from tests.messages.conftest import told
from tests.messages.test_lists import entries, unread
from tests.uploads import samples
from tests.uploads.conftest import disk, put  # noqa: F401

pytestmark = pytest.mark.django_db


def recall(phone, msg_id):
    return phone.post("msg/recall", msgId=msg_id)


def sent(talk, text="在吗", **changes):
    return ok(talk.write(text, **changes))["msgId"]


class TestAMessage:
    def test_that_is_taken_back_is_so_for_both(self, talk):
        msg_id = sent(talk)
        assert recall(talk.mine, msg_id) == {"errorcode": 0, "errormsg": "success"}
        for user in (talk.me, talk.her):
            last = told(user)[-1]
            assert last["msg"].pop("msgId") not in (msg_id, 0)
            assert last["msg"] == {
                "msgType": "action", "action": "recall-msg", "comment": "消息撤回", "fromUserId": talk.me.pk,
                "toUserId": talk.her.pk, "recalledMsgId": msg_id, "reason": "sender", "text": "消息已撤回",
            }  # fmt: skip

    def test_is_told_to_nobody_any_more_who_comes_later(self, talk):
        sent(talk, "bleibt")
        recall(talk.mine, sent(talk, "geheim"))
        for user in (talk.me, talk.her):
            assert "geheim" not in json.dumps(told(user))
            assert len(told(user)) == 3

    def test_is_gone_from_history_and_lists_and_from_what_is_unread(self, talk):
        sent(talk, "bleibt")
        recall(talk.mine, sent(talk, "geheim"))
        assert unread(talk.hers) == 1
        answer = ok(talk.hers.get("msg/history-msg"))
        assert (answer["unReadCount"], [one["msg"]["content"] for one in answer["unReadMsg"]]) == (
            1,
            [{"text": "bleibt"}],
        )
        for phone in (talk.mine, talk.hers):
            assert "geheim" not in json.dumps(ok(phone.get("msg/history-msg")))
            assert "geheim" not in json.dumps(ok(phone.get("msg/conversation-list")))
            assert entries(phone)[0]["text"] == "消息已撤回"
        assert ok(talk.hers.get("msg/conversation-list"))["conversations"][0]["msg"]["recalled"] is True

    def test_that_was_read_takes_nothing_off_the_count(self, talk):
        msg_id = sent(talk)
        ok(talk.hers.post("msg/message-read-all"))
        sent(talk, "noch eine")
        ok(recall(talk.mine, msg_id))
        assert unread(talk.hers) == 1

    def test_is_kept_for_reports(self, talk):
        ok(recall(talk.mine, sent(talk)))
        row = InstantMessage.objects.get()
        assert (row.content, row.recalled_at is not None) == ({"text": "在吗"}, True)

    def test_is_taken_back_once(self, talk):
        msg_id = sent(talk)
        ok(recall(talk.mine, msg_id))
        ok(recall(talk.mine, msg_id))
        assert len(told(talk.her)) == 2
        assert unread(talk.hers) == 0

    def test_is_not_pushed_any_more(self, talk):
        push_vendor.phone(talk.her)
        msg_id = sent(talk)
        assert push_vendor.outcomes() == ["WAITING"]
        ok(recall(talk.mine, msg_id))
        assert push_vendor.outcomes() == ["RECALLED"]
        assert Push.objects.get().finished_at is not None
        assert list(own_data(talk.her.pk)["pushes"]) == [], "what it said is its writer's again"

    def test_cannot_be_taken_back_after_two_minutes(self, talk):
        msg_id = sent(talk)
        InstantMessage.objects.update(created_at=F("created_at") - timedelta(seconds=121))
        refused(recall(talk.mine, msg_id), 409, "来晚了~")
        assert len(told(talk.her)) == 1
        assert InstantMessage.objects.get().recalled_at is None

    def test_is_its_writers_to_take_back(self, talk, api):
        msg_id = sent(talk)
        for phone in (talk.hers, api(factories.person())):
            refused(recall(phone, msg_id), 700, "参数错误")
        for nothing in (0, 1, 2**53 - 1, "x"):
            refused(recall(talk.mine, nothing), 700, "参数错误")
        assert len(told(talk.her)) == 1

    def test_with_a_gift_is_given(self, talk, gifts):
        factories.give_gold(talk.me, 10)
        msg_id = sent(talk, msgType="gift", content='{"giftId":104}')
        refused(recall(talk.mine, msg_id), 711, "用户权限不足")
        assert len(told(talk.her)) == 1

    def test_that_we_wrote_is_not_taken_back(self, talk):
        from tests.messages.test_notices import like

        like(talk.her, talk.me)
        refused(recall(talk.mine, InstantMessage.objects.get().pk), 700, "参数错误")


class TestAFile:
    def send(self, talk, sign):
        return sent(talk, msgType="audio", content=json.dumps({"sign": sign, "length": 3}))

    def examine(self, msg_id, accepted):
        said = {"upload_id": 1, "seconds": 2.0, "url": "http://x", "accepted": accepted}
        examined.send(None, used_by=f"im:{msg_id}", **said)

    def test_that_turns_out_to_be_none_is_taken_back_and_its_sender_told_why(self, talk, signs):
        msg_id = self.send(talk, signs("audio"))
        for _ in range(2):
            self.examine(msg_id, accepted=False)
        (_, mine), (_, hers) = told(talk.me), told(talk.her)
        assert (mine["msg"]["reason"], mine["msg"]["text"]) == ("file", "您发送的文件未通过检查，消息已被撤回")
        assert (hers["msg"]["recalledMsgId"], hers["msg"]["text"]) == (msg_id, "消息已撤回")
        assert unread(talk.hers) == 0

    def test_of_sound_lasts_as_long_as_was_measured_for_who_reads_it_later(self, talk, signs):
        msg_id = self.send(talk, signs("audio"))
        before = [element["msg"]["content"] for element in (*told(talk.her), *told(talk.me))]
        for _ in range(2):
            self.examine(msg_id, accepted=True)
        measured = {**before[0], "length": 2}
        assert before == [{**measured, "length": 3}] * 2
        assert [element["msg"]["content"] for element in (*told(talk.her), *told(talk.me))] == [measured] * 2
        for phone in (talk.mine, talk.hers):
            page = ok(phone.get("msg/history-msg"))
            assert [one["msg"]["content"] for one in page["unReadMsg"] + page["readMsg"]] == [measured]
            (conversation,) = ok(phone.get("msg/conversation-list"))["conversations"]
            assert conversation["msg"]["content"] == measured
        assert unread(talk.hers) == 1
        ok(talk.hers.post("msg/read-conversation", userId=talk.me.pk))
        assert unread(talk.hers) == 0
        assert ok(talk.hers.get("msg/history-msg"))["unReadCount"] == 0

    def test_that_is_one_stays(self, talk, signs):
        msg_id = self.send(talk, signs("audio"))
        self.examine(msg_id, accepted=True)
        assert len(told(talk.her)) == 1

    def test_of_another_use_is_none_of_ours(self, talk):
        examined.send(None, upload_id=1, used_by="elsewhere:5", accepted=False, seconds=None, url="")
        examined.send(None, upload_id=1, used_by="im:5", accepted=False, seconds=None, url="")
        assert told(talk.her) == []

    @pytest.mark.django_db(transaction=True)
    def test_with_the_head_of_a_sound_and_nothing_in_it_is_taken_back_by_the_job(self, talk, signs):
        hollow = samples.m4a()[:200] + b"\0" * 5000
        msg_id = self.send(talk, signs("audio", content=hollow))
        assert told(talk.her)[-1]["msg"]["recalledMsgId"] == msg_id
