"""Calling somebody: ringing, answering, refusing, missing, calling back. D18, D32, B26, B27, B59, B60."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.models import Chat
from messages.models import Entry
from tests import factories
from tests.answers import ok, refused
from tests.chat.conftest import Stage
from users.models import User
from users.services import bans, relations

pytestmark = pytest.mark.django_db

BUSY, ON_AIR = (739, "对方太火，忙线中~"), (738, "该用户正在直播")
NO_CALL, LATE, STRANGER, WRONG = (732, "对话无效"), (409, "来晚了~"), (711, "权限不足"), (700, "参数错误")


def entries(line):
    """What is in somebody's message list: with whom, what it is, how often."""
    found = Entry.objects.filter(owner=line.user)
    return {(entry.peer_id, entry.kind, entry.posts + entry.callings + entry.calls) for entry in found}


class TestRinging:
    def test_the_other_one_is_rung_and_the_caller_told_how_long(self, stage: Stage):
        answer = ok(stage.a.due(stage.b))
        assert answer["expireTime"] == 15
        [ring] = stage.b.heard("due-chat-notify")
        assert ring == {
            "person": stage.b.pk, "msgType": "action", "action": "due-chat-notify", "comment": "约聊通知消息",
            "chatId": answer["chatId"], "fromUserId": stage.a.pk, "fromUserName": "小雨", "gender": "Female",
            "birthDay": "1990-01-01", "coverUrl": "http://cdn/a.jpg", "type": 0, "expireTime": 15,
        }  # fmt: skip
        assert not stage.a.heard("due-chat-notify")
        assert stage.state == "RINGING" and stage.busy() == {stage.a.pk, stage.b.pk}

    def test_a_chat_id_is_a_number_that_no_phone_rounds(self, stage: Stage):
        """B26, B27: a text, or one beyond 2^53, is another call on some phones."""
        chat_id = ok(stage.a.due(stage.b))["chatId"]
        ok(stage.b.accept(stage.a))
        numbers = [chat_id, stage.b.heard("due-chat-notify")[0]["chatId"]]
        for line in (stage.a, stage.b):
            [joins] = line.heard("join-chat")
            numbers += [joins["chatId"], joins["chatid"]]
            card = ok(line.about("join-chat"))["chat"]
            numbers += [card["chatId"], card["roomId"]]
        assert set(numbers) == {chat_id}
        assert all(type(number) is int and 0 < number < 2**53 for number in numbers)

    def test_sent_again_it_is_the_same_call_with_what_is_left(self, stage: Stage):
        first = ok(stage.a.due(stage.b))
        stage.passes(5)
        again = ok(stage.a.due(stage.b))
        assert again["chatId"] == first["chatId"]
        assert again["expireTime"] == 10
        assert len(stage.b.heard("due-chat-notify")) == 1

    def test_nobody_calls_themselves_or_somebody_who_is_not_there(self, stage: Stage):
        refused(stage.a.due(stage.a), *WRONG)
        refused(stage.a("due-chat", userId=987654), 710, "用户不存在")
        bans.ban(stage.b.user)
        refused(stage.a.due(stage.b), 710, "用户不存在")
        assert not Chat.objects.exists()

    def test_who_is_on_air_is_not_rung(self, stage: Stage):
        factories.live(stage.b.user)
        refused(stage.a.due(stage.b), *ON_AIR)
        assert not Chat.objects.exists() and not stage.b.heard("due-chat-notify")

    def test_a_room_that_is_not_on_air_yet_keeps_nobody_from_being_called(self, stage: Stage):
        factories.live(stage.b.user, status=0)
        ok(stage.a.due(stage.b))

    def test_an_owner_may_call_out_of_their_own_live(self, stage: Stage):
        """The app calls first and ends its live itself."""
        factories.live(stage.a.user)
        ok(stage.a.due(stage.b))
        ok(stage.b.accept(stage.a))
        assert stage.state == "RUNNING"

    @pytest.mark.parametrize("accepted", [False, True])
    def test_who_rings_or_talks_is_busy_for_third_ones(self, stage: Stage, accepted):
        ok(stage.a.due(stage.b))
        if accepted:
            ok(stage.b.accept(stage.a))
        third, told = stage.line(), len(stage.told)
        refused(third.due(stage.a), *BUSY)
        refused(third.due(stage.b), *BUSY)
        refused(stage.b.due(third), *BUSY)
        refused(stage.a.due(third), *BUSY)
        assert len(stage.told) == told
        assert Chat.objects.count() == 1

    @pytest.mark.parametrize("who_blocks", ["a", "b"])
    def test_between_the_blocked_it_is_always_busy(self, stage: Stage, who_blocks):
        lines = {"a": (stage.a, stage.b), "b": (stage.b, stage.a)}
        blocker, target = lines[who_blocks]
        relations.block(user=blocker.user, target=target.user)
        refused(stage.a.due(stage.b), *BUSY)
        factories.live(stage.b.user)
        refused(stage.a.due(stage.b), *BUSY)
        assert not Chat.objects.exists() and not stage.told

    def test_a_blocked_caller_costs_as_many_questions_as_a_busy_line(self, stage: Stage):
        """Nobody can tell by the time it takes."""
        third = stage.line()
        ok(third.due(stage.line()))
        refused(stage.a.due(stage.a), *WRONG)
        with CaptureQueriesContext(connection) as busy:
            refused(stage.a.due(third), *BUSY)
        relations.block(user=stage.b.user, target=stage.a.user)
        with CaptureQueriesContext(connection) as blocked:
            refused(stage.a.due(stage.b), *BUSY)
        assert len(busy) == len(blocked)

    def test_two_who_call_each_other_are_connected_at_once(self, stage: Stage):
        first = ok(stage.a.due(stage.b))
        assert ok(stage.b.due(stage.a)) == {**first, "expireTime": 15}
        assert stage.state == "RUNNING"
        assert [len(line.heard("join-chat")) for line in (stage.a, stage.b)] == [1, 1]
        assert ok(stage.b.due(stage.a))["chatId"] == first["chatId"]  # sent again
        assert len(stage.b.heard("join-chat")) == 1

    def test_who_talks_with_somebody_does_not_ring_them(self, stage: Stage):
        stage.talk()
        refused(stage.a.due(stage.b), *BUSY)
        refused(stage.b.due(stage.a), *BUSY)

    def test_a_caller_who_was_banned_meanwhile_is_signed_out(self, stage: Stage):
        User.objects.filter(pk=stage.a.pk).update(is_active=False)
        refused(stage.a.due(stage.b), 720, "token无效")


class TestAnswering:
    def test_both_are_told_to_come_in_with_both_spellings(self, stage: Stage):
        """B17: with `chatId` alone the shipped app joins chat 0."""
        chat_id = ok(stage.a.due(stage.b))["chatId"]
        assert ok(stage.b.accept(stage.a))["expireTime"] == 15
        for line in (stage.a, stage.b):
            [joins] = line.heard("join-chat")
            assert joins == {
                "person": line.pk, "msgType": "action", "action": "join-chat", "comment": "加入对聊",
                "chatId": chat_id, "chatid": chat_id,
            }  # fmt: skip

    def test_sent_again_nobody_is_told_anew(self, stage: Stage):
        ok(stage.a.due(stage.b))
        ok(stage.b.accept(stage.a))
        ok(stage.b.accept(stage.a))
        assert len(stage.a.heard("join-chat")) == 1

    def test_only_who_is_rung_answers(self, stage: Stage):
        chat_id = ok(stage.a.due(stage.b))["chatId"]
        refused(stage.a.accept(stage.b), *NO_CALL)
        refused(stage.line().accept(stage.a, chat_id=chat_id), *NO_CALL)
        assert stage.state == "RINGING"

    def test_what_never_rang_cannot_be_answered(self, stage: Stage):
        refused(stage.b.accept(stage.a, chat_id=4711), *NO_CALL)

    @pytest.mark.parametrize("said", [{"type": 2}, {"type": ""}, {"type": "x"}, {"userId": "x"}])
    def test_parameters_that_mean_nothing(self, stage: Stage, said):
        chat_id = ok(stage.a.due(stage.b))["chatId"]
        refused(stage.b("accept-chat", **{"chatId": chat_id, "userId": stage.a.pk, "type": 0, **said}), *WRONG)
        refused(stage.b("accept-chat", chatId=chat_id, userId=stage.b.pk, type=0), *WRONG)
        assert stage.state == "RINGING"

    def test_after_the_caller_hung_up_it_is_too_late(self, stage: Stage):
        """The shipped app closes its dialog for 409 and for hardly anything else."""
        ok(stage.a.due(stage.b))
        ok(stage.a.about("cancel-due-chat"))
        refused(stage.b.accept(stage.a), *LATE)
        assert stage.state == "ENDED" and not stage.a.heard("join-chat")

    def test_after_a_talk_there_is_no_call(self, stage: Stage):
        stage.talk()
        ok(stage.a.about("stop-chat"))
        refused(stage.b.accept(stage.a), *NO_CALL)


class TestCallingOff:
    def test_the_caller_hangs_up(self, stage: Stage):
        chat_id = ok(stage.a.due(stage.b))["chatId"]
        ok(stage.a.about("cancel-due-chat"))
        [off] = stage.b.heard("cancel-due-chat")
        assert off == {
            "person": stage.b.pk, "msgType": "action", "action": "cancel-due-chat", "chatId": chat_id,
            "comment": "对方取消约聊", "common": "对方取消约聊", "fromUserId": stage.a.pk, "fromUserName": "小雨",
            "gender": "Female", "birthDay": "1990-01-01", "coverUrl": "http://cdn/a.jpg",
        }  # fmt: skip
        assert stage.chat.outcome == "cancelled" and not stage.busy()
        assert entries(stage.a) == {(stage.b.pk, "post", 1)}
        assert entries(stage.b) == {(stage.a.pk, "calling", 1)}

    def test_the_callee_refuses_and_the_caller_hears_it(self, stage: Stage):
        """B59: a callee who may not cancel cannot say no."""
        ok(stage.a.due(stage.b))
        ok(stage.b.about("cancel-due-chat"))
        [off] = stage.a.heard("cancel-due-chat")
        assert off["fromUserId"] == stage.b.pk
        assert stage.chat.outcome == "refused" and not stage.busy()

    def test_a_second_time_and_strangers_change_nothing(self, stage: Stage):
        ok(stage.a.due(stage.b))
        refused(stage.line().about("cancel-due-chat"), *STRANGER)
        assert stage.state == "RINGING"
        ok(stage.a.about("cancel-due-chat"))
        ok(stage.a.about("cancel-due-chat"))
        ok(stage.b.about("cancel-due-chat"))
        assert len(stage.b.heard("cancel-due-chat")) == 1 and not stage.a.heard("cancel-due-chat")
        refused(stage.a.about("cancel-due-chat", 4711), *NO_CALL)

    def test_a_caller_whose_countdown_ended_just_as_it_was_accepted_leaves_nobody_waiting(self, stage: Stage):
        """Their app ignores `join-chat` from then on and sends this."""
        ok(stage.a.due(stage.b))
        ok(stage.b.accept(stage.a))
        ok(stage.b.about("join-chat"))
        ok(stage.a.about("cancel-due-chat"))
        assert stage.state == "ENDED"
        assert stage.b.statuses()[0][1][stage.a.pk] == 2

    def test_it_does_not_end_a_talk(self, stage: Stage):
        stage.talk()
        ok(stage.a.about("cancel-due-chat"))
        assert stage.state == "RUNNING"

    def test_stop_chat_calls_off_what_rings(self, stage: Stage):
        ok(stage.a.due(stage.b))
        ok(stage.a.about("stop-chat"))
        assert stage.chat.outcome == "cancelled" and stage.b.heard("cancel-due-chat")


class TestMissing:
    def test_a_call_nobody_answers_ends_without_any_phone(self, stage: Stage):
        """B60: the user card of the shipped app never cancels."""
        chat_id = ok(stage.a.due(stage.b))["chatId"]
        assert stage.sweep() == {"unanswered": 0, "abandoned": 0, "silent": 0}
        stage.passes(15)
        assert stage.sweep()["unanswered"] == 1
        assert stage.sweep()["unanswered"] == 0
        assert stage.state == "MISSED" and not stage.busy()
        assert [expired["chatId"] for expired in stage.a.heard("expired")] == [chat_id]
        assert not stage.b.heard("cancel-due-chat")  # the shipped app would close whatever rings by then
        assert entries(stage.a) == {(stage.b.pk, "post", 1)}
        assert entries(stage.b) == {(stage.a.pk, "calling", 1)}

    def test_without_any_sweep_nobody_is_busy_with_what_is_over(self, stage: Stage):
        ok(stage.a.due(stage.b))
        stage.passes(15)
        third = stage.line()
        ok(third.due(stage.b))
        assert entries(stage.b) == {(stage.a.pk, "calling", 1)}
        assert stage.busy() == {third.pk, stage.b.pk}

    def test_a_late_hang_up_changes_nothing(self, stage: Stage):
        ok(stage.a.due(stage.b))
        stage.passes(15.5)
        ok(stage.a.about("cancel-due-chat"))
        assert stage.state == "MISSED" and not stage.b.heard("cancel-due-chat")
        assert entries(stage.b) == {(stage.a.pk, "calling", 1)}

    def test_the_next_call_of_the_two_takes_its_place(self, stage: Stage):
        first = ok(stage.a.due(stage.b))["chatId"]
        stage.passes(15)
        second = ok(stage.b.due(stage.a))["chatId"]
        assert first != second
        refused(stage.b.accept(stage.a, chat_id=first), *NO_CALL)
        ok(stage.a.accept(stage.b, chat_id=second))


class TestCallingBack:
    @pytest.fixture
    def missed(self, stage: Stage):
        ok(stage.a.due(stage.b))
        stage.passes(15)
        return stage

    def test_a_late_answer_rings_the_other_way(self, missed: Stage):
        assert ok(missed.b.accept(missed.a))["expireTime"] == 15
        [ring] = missed.a.heard("due-chat-notify")
        assert (ring["type"], ring["fromUserId"], ring["expireTime"]) == (1, missed.b.pk, 15)
        assert missed.state == "RINGING_BACK" and missed.busy() == {missed.a.pk, missed.b.pk}
        assert not missed.a.heard("join-chat")

    @pytest.mark.parametrize("kind", [0, 1])
    def test_who_is_called_back_answers(self, missed: Stage, kind):
        """The shipped app says type 0 to everything."""
        ok(missed.b.accept(missed.a))
        ok(missed.a.accept(missed.b, kind))
        assert missed.state == "RUNNING"
        assert missed.a.heard("join-chat") and missed.b.heard("join-chat")

    def test_sent_again_it_rings_once(self, missed: Stage):
        ok(missed.b.accept(missed.a))
        missed.passes(5)
        assert ok(missed.b.accept(missed.a))["expireTime"] == 10
        assert len(missed.a.heard("due-chat-notify")) == 1

    def test_nobody_calls_back_what_was_called_back(self, missed: Stage):
        ok(missed.b.accept(missed.a))
        missed.passes(15)
        refused(missed.a.accept(missed.b, 1), *NO_CALL)
        refused(missed.b.accept(missed.a), *NO_CALL)
        assert missed.state == "ENDED" and not missed.busy()
        assert [len(line.heard("expired")) for line in (missed.a, missed.b)] == [1, 1]

    def test_whoever_calls_meanwhile_answers(self, missed: Stage):
        ok(missed.b.accept(missed.a))
        ok(missed.a.due(missed.b))
        assert missed.state == "RUNNING"

    @pytest.mark.parametrize(("who", "outcome"), [("a", "refused"), ("b", "cancelled")])
    def test_either_calls_it_off(self, missed: Stage, who, outcome):
        ok(missed.b.accept(missed.a))
        caller, other = (missed.a, missed.b) if who == "a" else (missed.b, missed.a)
        ok(caller.about("cancel-due-chat"))
        assert missed.chat.outcome == outcome and not missed.busy()
        assert len(other.heard("cancel-due-chat")) == 1

    def test_who_is_on_air_busy_or_blocked_is_not_rung_back(self, missed: Stage):
        live = factories.live(missed.a.user)
        refused(missed.b.accept(missed.a), *ON_AIR)
        live.delete()
        third = missed.line()
        ok(third.due(missed.a))
        refused(missed.b.accept(missed.a, chat_id=Chat.objects.get(callee=missed.b.user).pk), *BUSY)
        assert not missed.a.heard("join-chat")

    def test_after_an_hour_it_is_too_late(self, missed: Stage):
        missed.sweep()
        missed.passes(3601)
        refused(missed.b.accept(missed.a), *NO_CALL)
        assert missed.state == "ENDED"
        assert not missed.a.heard("due-chat-notify")

    def test_the_one_who_called_cannot(self, missed: Stage):
        refused(missed.a.accept(missed.b, 1), *NO_CALL)
        refused(missed.b.accept(missed.a, 1), *NO_CALL)
