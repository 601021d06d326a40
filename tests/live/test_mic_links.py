"""The microphone beside the owner's: who asks, who answers, who is heard, and what ends it. D25."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from live import tasks
from live.models import Guest, Live, Member, MicLink
from live.services import mic_rooms
from tests import factories
from tests.answers import ok, refused
from tests.live.conftest import Evening
from users.models import User

pytestmark = pytest.mark.django_db

LATE, BUSY, STATE, FAILED = (409, "来晚了~"), (739, "您正在连麦中"), (742, "用户状态错误"), (750, "哎呀，连线失败了")
INVALID, OUTSIDE, WRONG = (731, "无效的直播"), (506, "您不在该队伍"), (700, "参数错误")


@dataclass
class Stage:
    """The evening, with the calls for the microphone in short."""

    evening: Evening

    @property
    def live(self) -> int:
        return self.evening.live.pk

    def call(self, what: str, phone: Any, **params: Any) -> dict[str, Any]:
        path = {"ask": "call-request", "success": "conference-success"}.get(what, f"{what}-conference")
        return phone.post(f"live/{path}", liveId=self.live, **params)

    def owner(self, what: str, user: User | None = None) -> dict[str, Any]:
        return self.call(what, self.evening.owners, **({"userId": user.pk} if user else {}))

    def viewer(self, what: str, **params: Any) -> dict[str, Any]:
        return self.call(what, self.evening.viewers, **params)

    def connect(self) -> None:
        ok(self.viewer("ask"))
        ok(self.owner("accept", self.evening.viewer))
        for what in ("join", "success"):
            ok(self.viewer(what))
            ok(self.owner(what))
        assert self.states()[-1] == "CONNECTED"
        self.evening.told.clear()

    def states(self) -> list[str]:
        return [MicLink.State(state).name for state in MicLink.objects.order_by("pk").values_list("state", flat=True)]

    def passes(self, seconds: float) -> None:
        """As if everything about microphones had happened that much earlier."""
        MicLink.objects.filter(deadline__isnull=False).update(deadline=F("deadline") - timedelta(seconds=seconds))

    def statuses(self) -> list[int]:
        """What the room was told, in order."""
        return [message["status"] for message in self.evening.shown("conference-status") if "room" in message]

    def rung(self, action: str) -> set[int]:
        """The people who were told that."""
        return {message["person"] for message in self.evening.shown(action)}

    def marks(self) -> dict[int, tuple[int, int]]:
        """Whom the last list of the room's people shows with something under way: confStatus and expireTime."""
        users = self.evening.shown("list-live-users")[-1]["users"]
        return {user["id"]: (user["confStatus"], user["expireTime"]) for user in users if "confStatus" in user}


@pytest.fixture
def stage(evening: Evening) -> Stage:
    return Stage(evening)


@pytest.fixture
def second(evening: Evening) -> tuple[User, Any]:
    user = factories.person("小红")
    factories.inside(evening.row(), user)
    return user, evening.phone(user)


@pytest.fixture
def sweep(committed: Callable[[], Any]) -> Callable[[], int]:
    def swept() -> int:
        with committed():
            return tasks.sweep()["mic_links"]

    return swept


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Whom the RTC vendor was asked to throw out of which room."""
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(
        "heihei_site.providers.rtc.outbox.OutboxRtc.remove",
        lambda self, *, room, user_id: asked.append((room, user_id)),
    )
    return asked


class TestAsking:
    def test_a_viewer_asks_and_the_owner_sees_it_in_the_list(self, stage):
        assert ok(stage.viewer("ask"))["expireTime"] == 30
        assert stage.states() == ["REQUESTED"]
        assert stage.marks() == {stage.evening.viewer.pk: (4, 30)}

    def test_the_owner_invites_and_the_viewer_alone_is_told(self, stage):
        assert ok(stage.owner("ask", stage.evening.viewer))["expireTime"] == 30
        [told] = stage.evening.shown("conference-notify")
        assert told == {
            "person": stage.evening.viewer.pk, "msgType": "action", "action": "conference-notify",
            "comment": "邀请连麦通知消息", "text": "主播邀你连线", "expireTime": 30, "liveId": stage.live,
        }  # fmt: skip
        assert stage.marks() == {stage.evening.viewer.pk: (2, 30)}

    def test_asked_again_nothing_happens_and_the_rest_of_the_time_is_said(self, stage):
        for first in (stage.viewer, lambda what: stage.owner(what, stage.evening.viewer)):
            MicLink.objects.all().delete()
            ok(first("ask"))
            stage.passes(10)
            stage.evening.told.clear()
            assert ok(first("ask"))["expireTime"] == 20
            assert (len(stage.states()), stage.evening.told) == (1, [])

    def test_an_owner_who_asks_whom_has_asked_accepts(self, stage):
        ok(stage.viewer("ask"))
        assert ok(stage.owner("ask", stage.evening.viewer))["expireTime"] == 0
        assert stage.rung("join-conference") == {stage.evening.owner.pk, stage.evening.viewer.pk}
        assert (stage.states(), stage.rung("conference-notify")) == (["JOINING"], set())

    def test_a_viewer_who_asks_when_invited_accepts(self, stage):
        ok(stage.owner("ask", stage.evening.viewer))
        assert ok(stage.viewer("ask"))["expireTime"] == 0
        assert stage.rung("join-conference") == {stage.evening.owner.pk, stage.evening.viewer.pk}

    def test_the_lost_answer_of_who_agreed_by_asking_is_given_again(self, stage):
        ok(stage.viewer("ask"))
        for _ in range(2):
            assert ok(stage.owner("ask", stage.evening.viewer))["expireTime"] == 0
        assert ok(stage.viewer("ask"))["expireTime"] == 0
        assert (stage.states(), len(stage.evening.shown("join-conference"))) == (["JOINING"], 2)

    def test_what_was_not_answered_for_thirty_seconds_can_be_asked_anew(self, stage):
        ok(stage.viewer("ask"))
        stage.passes(30)
        assert ok(stage.viewer("ask"))["expireTime"] == 30
        assert stage.states() == ["ENDED", "REQUESTED"]

    def test_who_is_muted_is_722_and_asks_nobody(self, stage):
        Guest.objects.create(live=stage.evening.live, user=stage.evening.viewer, muted_at=Now())
        refused(stage.viewer("ask"), 722, "您已被禁言")
        assert (stage.states(), stage.evening.told) == ([], [])

    def test_who_is_outside_is_506_and_nobody_invites_them(self, stage):
        stranger = factories.person()
        refused(stage.call("ask", stage.evening.phone(stranger)), *OUTSIDE)
        refused(stage.owner("ask", stranger), *STATE)
        assert (stage.states(), stage.evening.told) == ([], [])

    def test_who_fell_silent_is_outside_before_any_sweep(self, stage):
        stage.evening.asleep(stage.evening.viewer, seconds=46)
        refused(stage.viewer("ask"), *OUTSIDE)
        refused(stage.owner("ask", stage.evening.viewer), *STATE)
        assert stage.states() == []

    def test_an_owner_says_whom_and_not_themselves(self, stage):
        refused(stage.owner("ask"), *WRONG)
        refused(stage.owner("ask", stage.evening.owner), *WRONG)
        assert stage.states() == []

    def test_a_viewer_cannot_ask_for_another(self, stage, second):
        ok(stage.viewer("ask", userId=second[0].pk))
        assert MicLink.objects.get().user == stage.evening.viewer

    def test_while_somebody_is_at_the_microphone_nobody_can_ask(self, stage, second):
        stage.connect()
        refused(stage.call("ask", second[1]), *STATE)
        refused(stage.owner("ask", second[0]), *STATE)
        assert (stage.states(), stage.evening.told) == (["CONNECTED"], [])

    @pytest.mark.parametrize("status", [Live.Status.TO_START, Live.Status.STOPPED, Live.Status.BANNED])
    @pytest.mark.parametrize("what", ["ask", "accept", "join", "success", "refuse", "quit"])
    def test_only_in_a_live_on_air(self, stage, status, what):
        Live.objects.filter(pk=stage.live).update(status=status)
        refused(stage.viewer(what, userId=stage.evening.owner.pk), *INVALID)
        refused(stage.owner(what, stage.evening.viewer), *INVALID)
        assert (stage.states(), stage.evening.told) == ([], [])

    def test_an_unknown_live_is_731(self, stage):
        refused(stage.evening.viewers.post("live/call-request", liveId=1), *INVALID)
        refused(stage.evening.viewers.post("live/quit-conference", liveId=1), *INVALID)


class TestAnswering:
    def test_the_owner_accepts_and_both_are_to_join(self, stage):
        ok(stage.viewer("ask"))
        assert ok(stage.owner("accept", stage.evening.viewer))["expireTime"] == 5
        told = stage.evening.shown("join-conference")
        assert {message.pop("person") for message in told} == {stage.evening.owner.pk, stage.evening.viewer.pk}
        assert told == 2 * [
            {"msgType": "action", "action": "join-conference", "comment": "加入连麦动作消息", "liveId": stage.live}
        ]
        assert stage.marks() == {stage.evening.viewer.pk: (3, 0)}

    def test_a_viewer_accepts_the_owners_invitation(self, stage):
        ok(stage.owner("ask", stage.evening.viewer))
        assert ok(stage.viewer("accept"))["expireTime"] == 5
        assert stage.states() == ["JOINING"]

    def test_accepted_twice_is_accepted_once(self, stage):
        ok(stage.viewer("ask"))
        for _ in range(3):
            assert ok(stage.owner("accept", stage.evening.viewer))["expireTime"] == 5
        assert len(stage.evening.shown("join-conference")) == 2

    def test_nobody_accepts_what_they_asked_themselves(self, stage):
        ok(stage.viewer("ask"))
        refused(stage.viewer("accept"), *STATE)
        MicLink.objects.all().delete()
        ok(stage.owner("ask", stage.evening.viewer))
        refused(stage.owner("accept", stage.evening.viewer), *STATE)
        assert stage.states() == ["INVITED"]

    def test_nobody_accepts_what_was_never_asked(self, stage):
        refused(stage.viewer("accept"), *STATE)
        refused(stage.owner("accept", stage.evening.viewer), *STATE)
        refused(stage.owner("accept"), *WRONG)
        assert stage.states() == []

    def test_after_thirty_seconds_it_is_too_late_without_any_sweep(self, stage):
        ok(stage.viewer("ask"))
        stage.passes(30)
        stage.evening.told.clear()
        refused(stage.owner("accept", stage.evening.viewer), *LATE)
        assert (stage.states(), stage.rung("join-conference"), stage.marks()) == (["ENDED"], set(), {})

    @pytest.mark.parametrize("gone", ["cancels", "leaves", "falls silent"])
    def test_too_late_for_who_does_not_ask_any_more(self, stage, gone):
        ok(stage.viewer("ask"))
        if gone == "cancels":
            ok(stage.viewer("quit"))
        elif gone == "leaves":
            ok(stage.evening.viewers.post("live/quit-live", liveId=stage.live))
        else:
            stage.evening.asleep(stage.evening.viewer, seconds=46)
        refused(stage.owner("accept", stage.evening.viewer), *LATE)
        assert (stage.states(), stage.rung("join-conference")) == (["ENDED"], set())

    def test_the_owner_of_two_requests_gets_739_for_the_second(self, stage, second):
        ok(stage.viewer("ask"))
        ok(stage.call("ask", second[1]))
        ok(stage.owner("accept", stage.evening.viewer))
        refused(stage.owner("accept", second[0]), *BUSY)
        assert stage.states() == ["JOINING", "REQUESTED"]
        assert second[0].pk not in stage.rung("join-conference")

    def test_of_two_invited_the_second_comes_too_late(self, stage, second):
        ok(stage.owner("ask", stage.evening.viewer))
        ok(stage.owner("ask", second[0]))
        ok(stage.viewer("accept"))
        refused(stage.call("accept", second[1]), *LATE)
        assert stage.states() == ["JOINING", "INVITED"]

    def test_who_waited_is_accepted_after_the_other_has_left_the_microphone(self, stage, second):
        ok(stage.viewer("ask"))
        ok(stage.call("ask", second[1]))
        ok(stage.owner("accept", stage.evening.viewer))
        ok(stage.viewer("quit"))
        ok(stage.owner("accept", second[0]))
        assert stage.states() == ["ENDED", "JOINING"]

    def test_the_owner_refuses_and_the_list_says_so(self, stage):
        ok(stage.viewer("ask"))
        for _ in range(2):
            ok(stage.owner("refuse", stage.evening.viewer))
        assert (stage.states(), stage.marks()) == (["ENDED"], {})
        assert stage.rung("stop-conference") == set()

    def test_a_viewer_refuses_the_invitation(self, stage):
        ok(stage.owner("ask", stage.evening.viewer))
        for _ in range(2):
            ok(stage.viewer("refuse", userId=stage.evening.owner.pk))
        assert (stage.states(), stage.marks()) == (["ENDED"], {})

    def test_an_invitation_taken_back_stops_ringing(self, stage):
        ok(stage.owner("ask", stage.evening.viewer))
        ok(stage.owner("refuse", stage.evening.viewer))
        assert stage.rung("stop-conference") == {stage.evening.viewer.pk}
        refused(stage.viewer("accept"), *LATE)

    def test_what_was_never_asked_cannot_be_refused_and_what_is_agreed_not_any_more(self, stage):
        refused(stage.owner("refuse", stage.evening.viewer), *STATE)
        refused(stage.viewer("refuse", userId=stage.evening.owner.pk), *STATE)
        refused(stage.viewer("refuse"), *WRONG)
        ok(stage.viewer("ask"))
        ok(stage.owner("accept", stage.evening.viewer))
        refused(stage.owner("refuse", stage.evening.viewer), *STATE)
        assert stage.states() == ["JOINING"]

    def test_a_viewer_refuses_only_for_themselves(self, stage, second):
        ok(stage.viewer("ask"))
        refused(stage.call("refuse", second[1], userId=stage.evening.viewer.pk), *STATE)
        refused(stage.call("accept", second[1], userId=stage.evening.viewer.pk), *STATE)
        assert stage.states() == ["REQUESTED"]


class TestJoining:
    @pytest.fixture(autouse=True)
    def agreed(self, stage):
        ok(stage.viewer("ask"))
        ok(stage.owner("accept", stage.evening.viewer))
        stage.evening.told.clear()

    def test_the_first_gets_a_token_and_the_room_hears_nothing_yet(self, stage):
        answer = ok(stage.viewer("join"))
        assert answer["token"]["roomName"] == mic_rooms.ROOMS.room_of(MicLink.objects.get().pk)
        assert answer["expireTime"] == answer["token"]["expireTime"]
        assert answer["confStatus"] == {
            "msgType": "action", "action": "conference-status", "comment": "连麦状态，0：连麦等待，1：已连麦 2:断开",
            "liveId": stage.live, "status": 0, "fromUserId": stage.evening.viewer.pk, "fromUserName": "小白",
            "gender": "Female", "birthDay": "1990-01-01", "coverUrl": stage.evening.viewer.cover_url,
        }  # fmt: skip
        assert (stage.states(), stage.evening.told) == (["JOINING"], [])

    def test_when_both_have_joined_the_room_is_told_who_is_coming(self, stage):
        tokens = {ok(stage.viewer("join"))["token"]["roomToken"], ok(stage.owner("join"))["token"]["roomToken"]}
        assert len(tokens) == 2
        assert stage.states() == ["WAITING"]
        [told] = stage.evening.shown("conference-status")
        assert (told["room"], told["roomId"], told["status"]) == (stage.live, stage.live, 0)
        assert (told["fromUserId"], told["fromUserName"]) == (stage.evening.viewer.pk, "小白")

    def test_the_room_of_the_sound_is_not_the_stream(self, stage):
        token = ok(stage.viewer("join"))["token"]
        assert str(stage.live) not in token["roomName"]
        assert stage.evening.live.stream not in token["roomName"]

    def test_joined_again_there_is_a_fresh_token_and_nothing_else(self, stage, monkeypatch):
        ok(stage.viewer("join"))
        ok(stage.owner("join"))
        deadline = MicLink.objects.get().deadline
        stage.evening.told.clear()
        monkeypatch.setattr("heihei_site.providers.rtc.rooms.time.time", lambda: 2_000_000_000)
        assert ok(stage.viewer("join"))["token"]["expireTime"] == 2_000_000_060
        assert (stage.states(), stage.evening.told) == (["WAITING"], [])
        assert MicLink.objects.get().deadline == deadline

    def test_who_lost_the_connection_while_connected_joins_again(self, stage):
        stage.viewer("quit")
        MicLink.objects.all().delete()
        stage.connect()
        answer = ok(stage.viewer("join"))
        assert (answer["confStatus"]["status"], answer["token"]["roomToken"] != "") == (1, True)
        assert (stage.states(), stage.evening.told) == (["CONNECTED"], [])

    def test_both_are_heard_and_the_room_is_told(self, stage):
        for phone in (stage.viewer, stage.owner):
            ok(phone("join"))
        assert ok(stage.owner("success"))["confStatus"]["status"] == 0
        assert (stage.states(), stage.statuses()) == (["WAITING"], [0])
        assert ok(stage.viewer("success"))["confStatus"]["status"] == 1
        assert (stage.states(), stage.statuses()) == (["CONNECTED"], [0, 1])
        link = MicLink.objects.get()
        assert (link.deadline, link.connected_at is not None) == (None, True)

    def test_success_said_again_is_said_once(self, stage):
        for what in ("join", "success", "success"):
            ok(stage.viewer(what))
            ok(stage.owner(what))
        assert ok(stage.viewer("success"))["confStatus"]["status"] == 1
        assert stage.statuses() == [0, 1]

    def test_who_is_heard_before_the_other_has_joined_need_not_say_it_again(self, stage):
        ok(stage.viewer("join"))
        ok(stage.viewer("success"))
        ok(stage.owner("join"))
        assert stage.states() == ["WAITING"]
        assert ok(stage.owner("success"))["confStatus"]["status"] == 1

    def test_nobody_is_heard_before_they_join(self, stage):
        refused(stage.viewer("success"), *STATE)
        ok(stage.viewer("join"))
        refused(stage.owner("success"), *STATE)
        assert stage.states() == ["JOINING"]

    def test_a_third_person_is_750_and_gets_no_token(self, stage, second):
        refused(stage.call("join", second[1]), *FAILED)
        refused(stage.call("success", second[1]), *FAILED)
        refused(stage.call("quit", second[1]), *STATE)
        assert stage.states() == ["JOINING"]

    def test_who_still_waits_for_an_answer_is_742(self, stage, second):
        ok(stage.viewer("quit"))
        ok(stage.call("ask", second[1]))
        refused(stage.call("join", second[1]), *STATE)
        refused(stage.call("success", second[1]), *STATE)

    @pytest.mark.parametrize("joined", [[], ["viewer"], ["owner"]])
    def test_where_not_both_join_in_time_it_is_over(self, stage, sweep, joined):
        for who in joined:
            ok(getattr(stage, who)("join"))
        stage.passes(5.9)
        assert sweep() == 0
        stage.passes(0.2 if joined else 4.2)
        assert sweep() == 1
        assert (stage.states(), stage.statuses()) == (["ENDED"], [2])
        assert stage.rung("stop-conference") == {stage.evening.owner.pk, stage.evening.viewer.pk}
        assert stage.marks() == {}

    def test_six_seconds_after_the_first_joined_whoever_comes_ends_it(self, stage):
        ok(stage.viewer("join"))
        ok(stage.owner("join"))
        ok(stage.owner("success"))
        stage.passes(6)
        refused(stage.viewer("success"), *FAILED)
        assert (stage.states(), stage.statuses()) == (["ENDED"], [0, 2])
        refused(stage.owner("join"), *FAILED)
        ok(stage.owner("quit"))
        assert stage.statuses() == [0, 2]


class TestHangingUp:
    @pytest.mark.parametrize(("by", "other"), [("viewer", "owner"), ("owner", "viewer")])
    def test_the_other_is_told_to_stop_and_the_room_that_it_is_over(self, stage, by, other):
        stage.connect()
        for _ in range(2):
            ok(getattr(stage, by)("quit"))
        [told] = stage.evening.shown("stop-conference")
        assert told == {
            "person": getattr(stage.evening, other).pk, "msgType": "action", "action": "stop-conference",
            "comment": "结束连麦", "liveId": stage.live,
        }  # fmt: skip
        assert (stage.states(), stage.statuses(), stage.marks()) == (["ENDED"], [2], {})

    def test_a_late_retry_ends_nobody_elses_link(self, stage, second):
        stage.connect()
        ok(stage.viewer("quit"))
        ok(stage.call("ask", second[1]))
        ok(stage.owner("accept", second[0]))
        ok(stage.viewer("quit"))
        assert stage.states() == ["ENDED", "JOINING"]

    def test_who_never_had_anything_is_742(self, stage):
        refused(stage.viewer("quit"), *STATE)
        refused(stage.owner("quit"), *STATE)

    @pytest.mark.parametrize("how", ["leaves", "falls silent", "is banned"])
    def test_a_viewer_who_is_gone_is_off_the_microphone_and_everybody_is_told(self, stage, committed, how):
        from users.services import bans

        stage.connect()
        viewer = stage.evening.viewer
        if how == "leaves":
            ok(stage.evening.viewers.post("live/quit-live", liveId=stage.live))
        elif how == "is banned":
            with committed():
                bans.ban(viewer)
        else:
            stage.evening.asleep(viewer, seconds=46)
            with committed():
                tasks.sweep()
        assert (stage.states(), stage.statuses()) == (["ENDED"], [2])
        assert stage.rung("stop-conference") == {stage.evening.owner.pk}

    def test_a_viewer_who_is_kicked_out_is_off_the_microphone(self, stage):
        stage.connect()
        ok(stage.evening.owners.post("live/kick-out-user", liveId=stage.live, userId=stage.evening.viewer.pk))
        assert (stage.states(), stage.statuses()) == (["ENDED"], [2])

    def test_who_fell_silent_is_off_the_microphone_for_the_next_reader(self, stage):
        stage.connect()
        stage.evening.asleep(stage.evening.viewer, seconds=46)
        refused(stage.owner("join"), *FAILED)
        assert (stage.states(), stage.statuses()) == (["ENDED"], [2])

    def test_who_fell_silent_and_comes_back_before_anybody_noticed_is_off_it_as_well(self, stage):
        stage.connect()
        stage.evening.asleep(stage.evening.viewer, seconds=46)
        ok(stage.evening.viewers.post("live/join-live", liveId=stage.live))
        assert (stage.states(), stage.statuses()) == (["ENDED"], [2])
        assert stage.rung("stop-conference") == {stage.evening.owner.pk}
        assert (stage.evening.inside(), stage.marks()) == ({stage.evening.owner.pk, stage.evening.viewer.pk}, {})

    def test_requests_of_who_leaves_are_gone_without_a_word(self, stage):
        ok(stage.viewer("ask"))
        stage.evening.told.clear()
        ok(stage.evening.viewers.post("live/quit-live", liveId=stage.live))
        assert (stage.states(), stage.statuses(), stage.rung("stop-conference")) == (["ENDED"], [], set())

    def test_when_the_live_ends_everything_ends(self, stage, second):
        ok(stage.call("ask", second[1]))
        stage.connect()  # the second one's request is still there
        ok(stage.evening.owners.post("live/stop-live", liveId=stage.live))
        assert set(stage.states()) == {"ENDED"}
        actions = [message.get("action") for message in stage.evening.told if "room" in message]
        assert actions.index("conference-status") < actions.index("stop-live")
        ok(stage.viewer("quit"))
        refused(stage.viewer("join"), *INVALID)

    def test_after_a_ban_of_the_live_the_last_quit_still_works(self, stage, committed):
        from live.services import rooms

        stage.connect()
        with committed():
            rooms.ban_live(stage.evening.live)
        ok(stage.viewer("quit"))
        assert stage.statuses() == [2]

    def test_both_are_thrown_out_of_the_room_of_the_sound(self, stage, removed):
        stage.connect()
        name = mic_rooms.ROOMS.room_of(MicLink.objects.get().pk)
        ok(stage.viewer("quit"))
        assert removed == [(name, stage.evening.owner.pk), (name, stage.evening.viewer.pk)]
        assert tasks.revoke_mic_links() == 0

    def test_where_nobody_had_a_token_nobody_is_thrown_out(self, stage, removed):
        ok(stage.viewer("ask"))
        ok(stage.owner("accept", stage.evening.viewer))
        ok(stage.viewer("quit"))
        assert removed == []

    def test_the_next_link_has_a_room_of_its_own(self, stage):
        stage.connect()
        first = ok(stage.viewer("join"))["token"]["roomName"]
        ok(stage.viewer("quit"))
        ok(stage.viewer("ask"))
        ok(stage.owner("accept", stage.evening.viewer))
        assert ok(stage.viewer("join"))["token"]["roomName"] != first


class TestTheVendorIsAway:
    @pytest.fixture
    def away(self, monkeypatch):
        from heihei_site.providers.rtc.base import NotRemoved

        asked = []

        def fails(self, *, room, user_id):
            asked.append(user_id)
            raise NotRemoved("HTTP 503")

        monkeypatch.setattr("heihei_site.providers.rtc.outbox.OutboxRtc.remove", fails)
        return asked

    def test_hanging_up_works_all_the_same_and_the_vendor_is_asked_until_it_answers(self, stage, away, monkeypatch):
        stage.connect()
        ok(stage.viewer("quit"))
        assert (len(away), MicLink.objects.get().revocation_due) == (1, True)
        assert tasks.revoke_mic_links() == 0
        assert len(away) == 2
        monkeypatch.setattr("heihei_site.providers.rtc.outbox.OutboxRtc.remove", lambda *_, **__: None)
        assert tasks.revoke_mic_links() == 1
        assert not MicLink.objects.get().revocation_due

    def test_after_an_hour_it_is_left_alone(self, stage, away):
        stage.connect()
        ok(stage.viewer("quit"))
        MicLink.objects.update(ended_at=F("ended_at") - timedelta(hours=1))
        away.clear()
        assert (tasks.revoke_mic_links(), away) == (0, [])

    def test_a_vendor_that_fails_for_all_is_not_asked_for_all(self, stage, away):
        for _ in range(9):
            MicLink.objects.create(
                live=stage.evening.live, user=stage.evening.viewer, state=6, ended_at=Now(), revocation_due=True
            )
        assert (tasks.revoke_mic_links(), len(away)) == (0, 5)

    def test_without_a_broker_the_next_sweep_of_them_does_it(self, stage, monkeypatch):
        from heihei_site.jobs import NoWorker

        def no_broker(*_):
            raise NoWorker("OSError")

        stage.connect()
        monkeypatch.setattr("heihei_site.providers.rtc.rooms.hand_over", no_broker)
        ok(stage.viewer("quit"))
        assert MicLink.objects.get().revocation_due
        assert tasks.revoke_mic_links() == 1


class TestWhoComesIn:
    def newcomer(self, stage):
        user = factories.person()
        ok(stage.evening.phone(user).post("live/join-live", liveId=stage.live))
        return [m["status"] for m in stage.evening.shown("conference-status") if m.get("person") == user.pk]

    def test_is_told_who_is_at_the_microphone(self, stage):
        stage.connect()
        assert self.newcomer(stage) == [1]
        [told] = stage.evening.shown("conference-status")
        assert (told["fromUserId"], told["liveId"]) == (stage.evening.viewer.pk, stage.live)

    def test_is_told_who_is_on_the_way_there_once_the_room_knows(self, stage):
        ok(stage.viewer("ask"))
        ok(stage.owner("accept", stage.evening.viewer))
        assert self.newcomer(stage) == []
        ok(stage.viewer("join"))
        ok(stage.owner("join"))
        assert self.newcomer(stage) == [0]

    def test_is_told_nothing_where_nobody_is_or_not_any_more(self, stage):
        assert self.newcomer(stage) == []
        stage.connect()
        stage.evening.asleep(stage.evening.viewer, seconds=46)
        assert self.newcomer(stage) == []


class TestTheButton:
    """confStatus on a card that is looked at in the live."""

    def button(self, phone, stage, user):
        status = ok(phone.get("user/info", uid=user.pk, liveId=stage.live)).get("userStatus")
        return status and (status["confStatus"], status["expireTime"])

    def both(self, stage):
        """What the owner sees on the viewer's card, and the viewer on the owner's."""
        evening = stage.evening
        return (
            self.button(evening.owners, stage, evening.viewer),
            self.button(evening.viewers, stage, evening.owner),
        )

    def test_follows_the_link_from_the_first_question_to_the_end(self, stage):
        assert self.both(stage) == ((1, 0), (1, 0))
        ok(stage.viewer("ask"))
        assert self.both(stage) == ((4, 30), (2, 30))
        ok(stage.owner("accept", stage.evening.viewer))
        assert self.both(stage) == ((3, 0), (3, 0))
        ok(stage.viewer("quit"))
        assert self.both(stage) == ((1, 0), (1, 0))
        ok(stage.owner("ask", stage.evening.viewer))
        stage.passes(12)
        assert self.both(stage) == ((2, 18), (4, 18))
        stage.passes(18)
        assert self.both(stage) == ((1, 0), (1, 0))

    def test_waits_while_somebody_else_is_at_the_microphone(self, stage, second):
        ok(stage.call("ask", second[1]))
        stage.connect()
        assert self.button(second[1], stage, stage.evening.owner) == (2, 0)
        assert self.button(stage.evening.owners, stage, second[0]) == (2, 0)

    def test_says_how_long_somebody_else_may_take_to_connect(self, stage, second):
        ok(stage.viewer("ask"))
        ok(stage.owner("accept", stage.evening.viewer))
        assert self.button(second[1], stage, stage.evening.owner) == (2, 10)

    def test_is_not_there_between_two_viewers_from_outside_or_about_strangers(self, stage, second):
        stranger = factories.person()
        assert self.button(second[1], stage, stage.evening.viewer) is None
        assert self.button(stage.evening.phone(stranger), stage, stage.evening.owner) is None
        assert self.button(stage.evening.owners, stage, stranger) is None

    def test_is_not_there_after_the_live(self, stage):
        ok(stage.viewer("ask"))
        ok(stage.evening.owners.post("live/stop-live", liveId=stage.live))
        assert self.both(stage) == (None, None)

    def test_has_no_type_and_leads_nowhere(self, stage):
        status = ok(stage.evening.viewers.get("user/info", uid=stage.evening.owner.pk, liveId=stage.live))
        assert status["userStatus"] == {"confStatus": 1, "expireTime": 0, "jump": ""}


class TestALargeRoom:
    @pytest.fixture(autouse=True)
    def crowd(self, stage):
        """The viewer came long ago and is on no first page any more."""
        Member.objects.filter(user=stage.evening.viewer).update(joined_at=Now() - timedelta(hours=1))
        factories.inside(stage.evening.row(), *(factories.person() for _ in range(30)))

    def test_the_owner_alone_is_told_who_asks_and_finds_them_first(self, stage):
        ok(stage.viewer("ask"))
        to_room, to_owner = stage.evening.shown("list-live-users")
        assert (to_room["room"], "users" in to_room) == (stage.live, False)
        assert to_owner["person"] == stage.evening.owner.pk
        assert (to_owner["users"][0]["id"], to_owner["users"][0]["confStatus"]) == (stage.evening.viewer.pk, 4)
        listed = ok(stage.evening.owners.get("live/list-live-users", liveId=stage.live))["users"]
        assert (listed[0]["id"], listed[0]["confStatus"]) == (stage.evening.viewer.pk, 4)
        assert len({user["id"] for user in listed}) == len(listed)

    def test_others_see_the_newest_as_ever(self, stage):
        ok(stage.viewer("ask"))
        listed = ok(stage.evening.viewers.get("live/list-live-users", liveId=stage.live))["users"]
        assert stage.evening.viewer.pk not in {user["id"] for user in listed}
