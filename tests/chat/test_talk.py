"""In the call: coming in, staying, being away, topics, texts, falling silent, hanging up. B16, B18, B40, D13, D24."""

import base64
import hashlib
import hmac
import json
import zlib

import pytest

from chat import tasks
from chat.models import Chat, ChatTopic, Side
from chat.personal_data import holding
from chat.services import topics
from heihei_site.providers.rtc.base import NotRemoved
from heihei_site.realtime import memberships
from messages.models import Entry, InstantMessage
from tests.answers import ok, refused
from tests.chat.conftest import Stage
from users import activity
from users.models import Follow

pytestmark = pytest.mark.django_db

NO_CALL = (732, "对话无效")


class TestComingIn:
    def test_the_answer_has_all_that_a_phone_needs_to_talk(self, stage: Stage):
        """B16: without `qiniu`, `users` or the partner there is no sound."""
        Follow.objects.create(follower=stage.a.user, followee=stage.b.user)
        chat_id = ok(stage.a.due(stage.b))["chatId"]
        ok(stage.b.accept(stage.a))
        card = ok(stage.a.about("join-chat"))["chat"]
        assert card["chatId"] == card["roomId"] == chat_id
        assert (card["status"], card["visible"], card["title"]) == (0, 1, f"{stage.a.pk},{stage.b.pk}")
        assert card["createrId"] == card["creatorId"] == stage.a.pk
        assert card["pushAddr"] == card["streamAddr"] == card["archiveFile"] == ""
        assert card["initTopic"] in topics.FIRST_TOPICS
        assert set(card["qiniu"]) == {"roomName", "roomToken"} and all(card["qiniu"].values())
        assert card["users"] == card["user"]
        assert [(user["id"], user["status"], user["isFollowed"]) for user in card["users"]] == [
            (stage.a.pk, 0, False),
            (stage.b.pk, 0, True),
        ]
        assert len(card["createTime"]) == len(card["startTime"]) == 19

    def test_both_get_the_same_room_and_another_call_another_one(self, stage: Stage):
        stage.talk()
        names = {ok(line.about("join-chat"))["chat"]["qiniu"]["roomName"] for line in (stage.a, stage.b)}
        ok(stage.a.about("stop-chat"))
        stage.talk()
        names |= {ok(line.about("join-chat"))["chat"]["qiniu"]["roomName"] for line in (stage.a, stage.b)}
        assert len(names) == 2

    def test_not_before_it_was_accepted_nor_after_the_end_nor_for_others(self, stage: Stage):
        ok(stage.a.due(stage.b))
        refused(stage.a.about("join-chat"), *NO_CALL)
        ok(stage.b.accept(stage.a))
        refused(stage.line().about("join-chat"), *NO_CALL)
        ok(stage.a.about("stop-chat"))
        refused(stage.b.about("join-chat"), *NO_CALL)
        refused(stage.b.about("join-chat", 4711), *NO_CALL)

    def test_with_an_empty_pool_there_is_still_something_to_say(self, stage: Stage):
        ChatTopic.objects.all().delete()
        topics.pool.forget()
        ok(stage.a.due(stage.b))
        ok(stage.b.accept(stage.a))
        assert ok(stage.a.about("join-chat"))["chat"]["initTopic"]
        stage.told.clear()
        ok(stage.a.about("change-topic"))
        assert not stage.told


class TestStaying:
    def test_the_first_beat_of_each_is_told_to_both(self, stage: Stage):
        ok(stage.a.due(stage.b))
        ok(stage.b.accept(stage.a))
        ok(stage.a.about("join-chat"))
        ok(stage.b.about("join-chat"))
        assert not stage.a.statuses()
        assert ok(stage.a.about("heart-beat"))["nextTimeout"] == 5
        ok(stage.b.about("heart-beat"))
        ok(stage.b.about("heart-beat"))
        there = [(0, {stage.a.pk: 1, stage.b.pk: 0}), (1, {stage.a.pk: 1, stage.b.pk: 1})]
        assert stage.a.statuses() == stage.b.statuses() == there

    def test_what_is_told_has_both_spellings(self, stage: Stage):
        """B18: with `users` alone the shipped app never notices that its partner has gone."""
        stage.talk()
        ok(stage.a.about("stop-chat"))
        for news in stage.b.heard("chat-user-status"):
            assert news["user"] == news["users"]
            assert news["chatId"] == news["roomId"] == stage.newest
            assert [user["id"] for user in news["user"]] == [stage.a.pk, stage.b.pk]

    def test_a_phone_that_beats_keeps_the_call(self, stage: Stage):
        stage.talk()
        for _ in range(10):
            stage.passes(14)
            ok(stage.a.about("heart-beat"))
            ok(stage.b.about("heart-beat"))
            stage.sweep()
        assert stage.state == "RUNNING" and not stage.told

    def test_not_for_strangers_nor_when_it_is_over(self, stage: Stage):
        stage.talk()
        refused(stage.line().about("heart-beat"), *NO_CALL)
        ok(stage.a.about("stop-chat"))
        refused(stage.b.about("heart-beat"), *NO_CALL)

    def test_the_call_is_a_room_of_both_sockets(self, stage: Stage):
        chat_id = stage.talk()
        assert memberships.rooms_of(stage.a.pk) == memberships.rooms_of(stage.b.pk) == {chat_id}
        ok(stage.a.about("stop-chat"))
        assert {"do": "close", "room": chat_id} in stage.told
        assert not memberships.rooms_of(stage.b.pk)

    def test_others_see_that_somebody_is_in_a_call(self, stage: Stage):
        stage.talk()
        assert {who: doing.kind for who, doing in activity.of([stage.a.pk, stage.b.pk]).items()} == {
            stage.a.pk: 6,
            stage.b.pk: 6,
        }
        answer = ok(stage.line().phone.get("user/info", uid=stage.b.pk))
        assert answer["userStatus"]["type"] == answer["userStatus"]["confStatus"] == 6
        ok(stage.a.about("stop-chat"))
        assert not activity.of([stage.a.pk])


class TestFallingSilent:
    def test_the_other_one_is_told_and_after_a_while_it_is_over(self, stage: Stage):
        stage.talk()
        stage.passes(15)
        ok(stage.a.about("heart-beat"))
        assert stage.a.statuses() == [(3, {stage.a.pk: 1, stage.b.pk: 3})]
        stage.passes(14)
        ok(stage.a.about("heart-beat"))
        assert stage.state == "RUNNING"
        stage.passes(1)
        assert stage.sweep()["abandoned"] == 1
        assert stage.state == "ENDED" and not stage.busy()
        assert stage.a.statuses()[-1][1][stage.b.pk] == 3
        refused(stage.a.about("heart-beat"), *NO_CALL)

    def test_the_sweep_notices_too_and_once(self, stage: Stage):
        stage.talk()
        stage.passes(15)
        assert stage.sweep()["silent"] == 1
        assert stage.sweep() == {"unanswered": 0, "abandoned": 0, "silent": 0}
        assert stage.a.statuses() == [(3, {stage.a.pk: 3, stage.b.pk: 3})]

    def test_without_any_sweep_the_next_beat_ends_it(self, stage: Stage):
        stage.talk()
        stage.passes(10)
        ok(stage.a.about("heart-beat"))
        stage.passes(14)
        ok(stage.a.about("heart-beat"))
        stage.passes(6)
        refused(stage.a.about("heart-beat"), *NO_CALL)
        assert stage.state == "ENDED"

    def test_who_comes_back_in_time_is_there_again(self, stage: Stage):
        stage.talk()
        stage.passes(20)
        stage.sweep()
        ok(stage.b.about("heart-beat"))
        ok(stage.a.about("heart-beat"))
        assert stage.a.statuses()[-1] == (1, {stage.a.pk: 1, stage.b.pk: 1})
        stage.passes(10)
        stage.sweep()
        assert stage.state == "RUNNING"

    def test_who_never_came_keeps_nobody(self, stage: Stage):
        ok(stage.a.due(stage.b))
        ok(stage.b.accept(stage.a))
        ok(stage.b.about("join-chat"))
        ok(stage.b.about("heart-beat"))
        for _ in range(3):
            stage.passes(10)
            stage.b.about("heart-beat")
        assert stage.state == "ENDED" and stage.chat.outcome == "missed"

    def test_the_call_is_as_long_as_both_were_there(self, stage: Stage):
        stage.talk()
        for _ in range(6):
            stage.passes(10)
            ok(stage.a.about("heart-beat"))
            ok(stage.b.about("heart-beat"))
        stage.passes(600)  # everything was down
        stage.sweep()
        assert 75 <= stage.chat.length.total_seconds() <= 76

    def test_who_is_in_a_dead_call_can_be_called_without_any_sweep(self, stage: Stage):
        stage.talk()
        stage.passes(31)
        ok(stage.line().due(stage.a))
        assert stage.a.pk in stage.busy() and stage.b.pk not in stage.busy()


class TestBeingAway:
    def test_the_other_one_is_told_once_and_when_they_are_back(self, stage: Stage):
        chat_id = stage.talk()
        ok(stage.a.about("pause-chat"))
        ok(stage.a.about("pause-chat"))
        [away] = stage.b.heard("pause-chat")
        assert (away["text"], away["chatId"]) == ("对方离开一下", chat_id)
        assert stage.b.statuses() == [(2, {stage.a.pk: 2, stage.b.pk: 1})]
        ok(stage.a.about("heart-beat"))
        ok(stage.a.about("continue-chat"))
        ok(stage.a.about("continue-chat"))
        [back] = stage.b.heard("goon-chat")
        assert (back["text"], back["chatId"]) == ("对方回来了", chat_id)
        assert stage.b.statuses()[-1] == (1, {stage.a.pk: 1, stage.b.pk: 1})
        assert not stage.a.heard("pause-chat") and not stage.a.heard("goon-chat")

    def test_the_shipped_app_is_not_told_for_it_would_hang_up(self, stage: Stage, monkeypatch):
        acts = []
        monkeypatch.setattr("heihei_site.realtime.publish.bus.send", lambda sent, at: acts.extend(sent))
        stage.talk()
        acts.clear()
        ok(stage.a.about("pause-chat"))
        statuses = [act for act in acts if b'"chat-user-status"' in act.get("element", b"")]
        assert statuses and all(act["needs"] > 10_001 for act in statuses)

    def test_not_for_strangers_nor_when_it_is_over(self, stage: Stage):
        stage.talk()
        for deed in ("pause-chat", "continue-chat", "change-topic"):
            refused(stage.line().about(deed), *NO_CALL)
        ok(stage.a.about("stop-chat"))
        for deed in ("pause-chat", "continue-chat", "change-topic"):
            refused(stage.b.about(deed), *NO_CALL)


class TestTopics:
    def test_both_get_another_one_and_never_the_same_again(self, stage: Stage):
        chat_id = stage.talk()
        before = stage.chat.topic.text
        for _ in range(30):
            stage.told.clear()
            ok(stage.b.about("change-topic"))
            [news] = [message for message in stage.told if message.get("action") == "chat-topic"]
            assert news["room"] == news["roomId"] == news["chatId"] == chat_id
            assert news["text"] != before
            before = news["text"]

    def test_operators_take_topics_out_and_put_them_in(self, stage: Stage):
        ChatTopic.objects.update(active=False)
        ChatTopic.objects.create(text="新话题")
        topics.pool.forget()
        stage.talk()
        assert stage.chat.topic.text == "新话题"

    def test_there_are_enough_to_begin_with_and_what_operators_changed_stays(self, stage: Stage):
        assert len(set(topics.FIRST_TOPICS)) >= 20
        ChatTopic.objects.exclude(text=topics.FIRST_TOPICS[0]).delete()
        topics.seed()
        assert ChatTopic.objects.count() == 1


class TestTexts:
    def test_both_read_what_one_writes(self, stage: Stage):
        chat_id = stage.talk()
        ok(stage.a.phone.get("msg/send-msg", text="你好", roomId=chat_id, liveId=chat_id))
        ok(stage.a.phone.get("msg/send-msg", text="你好", roomId=chat_id, liveId=chat_id))
        [text] = [message for message in stage.told if message.get("msgType") == "text"]
        assert (text["room"], text["roomId"], text["text"], text["fromUserId"]) == (
            chat_id, chat_id, "你好", stage.a.pk,
        )  # fmt: skip

    def test_nobody_else_writes_there_nor_when_it_is_over(self, stage: Stage):
        chat_id = stage.talk()
        stranger = stage.line()
        assert stranger.phone.get("msg/send-msg", text="hi", roomId=chat_id, liveId=chat_id)["errorcode"] == 733
        ok(stage.a.about("stop-chat"))
        assert stage.b.phone.get("msg/send-msg", text="hi", roomId=chat_id, liveId=chat_id)["errorcode"] == 733
        assert not [message for message in stage.told if message.get("msgType") == "text"]


class TestHangingUp:
    def test_the_other_one_is_told_as_either_generation_reads_it(self, stage: Stage):
        stage.talk()
        stage.passes(60)
        Side.objects.update(lease_until="2100-01-01T00:00Z")
        ok(stage.a.about("stop-chat"))
        left, gone = stage.b.statuses()
        assert (left[1][stage.a.pk], gone[1][stage.a.pk]) == (2, 4)  # for the shipped app; for the others
        assert left[0] == gone[0] == 4
        assert not stage.a.statuses()
        assert stage.chat.outcome == "talked" and 60 <= stage.chat.length.total_seconds() <= 62

    def test_both_lists_and_the_message_between_them_know_of_it(self, stage: Stage):
        stage.talk()
        stage.passes(12)
        ok(stage.b.about("stop-chat"))
        for line in (stage.a, stage.b):
            assert Entry.objects.get(owner=line.user).kind == "call"
        content = InstantMessage.objects.get(kind="dueChat").content
        assert (content["chat_status"], content["chat_length"]) == (1, 12)

    def test_a_second_time_and_for_strangers_and_for_nothing_it_is_done(self, stage: Stage):
        """B40: anything but 0 leaves the shipped app in its call."""
        stage.talk()
        ok(stage.line().about("stop-chat"))
        assert stage.state == "RUNNING"
        ok(stage.a.about("stop-chat"))
        told = len(stage.told)
        ok(stage.a.about("stop-chat"))
        ok(stage.b.about("stop-chat"))
        ok(stage.b.about("stop-chat", 4711))
        ok(stage.b("stop-chat", chatId=0))
        ok(stage.b("stop-chat"))
        assert len(stage.told) == told

    def test_a_second_call_may_follow_at_once(self, stage: Stage):
        stage.talk()
        ok(stage.a.about("stop-chat"))
        ok(stage.b.due(stage.a))


class TestLooking:
    def test_a_call_of_ones_own_at_any_time(self, stage: Stage):
        chat_id = ok(stage.a.due(stage.b))["chatId"]
        assert ok(stage.b.about("get-chat"))["chat"]["status"] == 0
        ok(stage.a.about("cancel-due-chat"))
        assert ok(stage.b.about("get-chat"))["chat"]["status"] == 4
        chat_id = stage.talk()
        card = ok(stage.a.about("get-chat"))["chat"]
        assert (card["chatId"], card["status"], card["createrId"]) == (chat_id, 1, stage.a.pk)
        assert card["user"] == card["users"]
        assert [user["status"] for user in card["user"]] == [1, 1]
        ok(stage.a.about("stop-chat"))
        assert ok(stage.b.about("get-chat"))["chat"]["status"] == 4

    def test_whoever_looks_finds_what_is_over_ended(self, stage: Stage):
        stage.talk()
        stage.passes(31)
        assert ok(stage.b.about("get-chat"))["chat"]["status"] == 3
        assert stage.state == "ENDED"

    def test_nobody_looks_at_others_calls(self, stage: Stage):
        stage.talk()
        refused(stage.line().about("get-chat"), *NO_CALL)
        refused(stage.a.about("get-chat", 4711), *NO_CALL)


class TestSigningIn:
    def test_without_tencent_it_is_what_the_rtc_vendor_asks_for(self, stage: Stage):
        stage.talk()
        room = ok(stage.a.about("join-chat"))["chat"]["qiniu"]["roomName"]
        signed = ok(stage.a("get-user-sig"))
        assert room in signed["userSig"] and str(stage.a.pk) in signed["userSig"]
        assert signed["expireTime"] > 1_700_000_000 and signed["sdkAppId"] == 0
        assert ok(stage.line()("get-user-sig"))["userSig"]

    def test_with_tencent_it_is_signed_with_our_key(self, stage: Stage, settings):
        settings.TENCENT_RTC_APP, settings.TENCENT_RTC_KEY = 1400000000, "k" * 64
        signed = ok(stage.a("get-user-sig"))
        assert signed["sdkAppId"] == 1400000000

        text = signed["userSig"].replace("*", "+").replace("-", "/").replace("_", "=")
        said = json.loads(zlib.decompress(base64.b64decode(text)))
        assert (said["TLS.identifier"], said["TLS.sdkappid"]) == (str(stage.a.pk), 1400000000)
        names = ("TLS.identifier", "TLS.sdkappid", "TLS.time", "TLS.expire")
        plain = "".join(f"{name}:{said[name]}\n" for name in names)
        right = hmac.new(b"k" * 64, plain.encode(), hashlib.sha256).digest()
        assert base64.b64decode(said["TLS.sig"]) == right
        assert signed["expireTime"] == pytest.approx(said["TLS.time"] + said["TLS.expire"], abs=2)


class TestLeavingTheVendorsRoom:
    @pytest.fixture
    def removed(self, monkeypatch: pytest.MonkeyPatch):
        asked = []
        monkeypatch.setattr(
            "heihei_site.providers.rtc.outbox.OutboxRtc.remove",
            lambda self, *, room, user_id: asked.append((room, user_id)),
        )
        return asked

    def test_both_are_thrown_out_when_it_is_over(self, stage: Stage, removed):
        stage.talk()
        room = ok(stage.a.about("join-chat"))["chat"]["qiniu"]["roomName"]
        ok(stage.a.about("stop-chat"))
        assert removed == [(room, stage.a.pk), (room, stage.b.pk)]
        assert not Chat.objects.filter(revocation_due=True).exists()

    def test_a_vendor_that_is_away_is_asked_again(self, stage: Stage, removed, monkeypatch):
        def away(self, *, room, user_id):
            raise NotRemoved("HTTP 500")

        stage.talk()
        with monkeypatch.context() as out:
            out.setattr("heihei_site.providers.rtc.outbox.OutboxRtc.remove", away)
            ok(stage.a.about("stop-chat"))
            assert tasks.revoke_chats() == 0
        assert tasks.revoke_chats() == 1
        assert len(removed) == 2


def test_a_person_who_goes_for_good_leaves_no_trace_of_whom_they_talked_with(stage: Stage):
    stage.talk()
    ok(stage.a.about("stop-chat"))
    Chat.objects.update(revocation_due=True)  # the vendor never threw them out
    [call] = holding.export(stage.b.pk)["calls"]
    assert (call["caller_id"], call["outcome"]) == (stage.a.pk, "talked")
    holding.erase(stage.b.pk)
    assert not Chat.objects.exists()
