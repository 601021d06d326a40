"""Room texts and likes: D26, D27, D42."""

from datetime import timedelta

import pytest
from django.db.models import F

from heihei_site.api.models import Repeat
from live.models import Live
from tests import factories
from tests.answers import ok, refused

pytestmark = pytest.mark.django_db


def say(evening, text="大家好", *, phone=None, path="msg/send-msg", **changes):
    said = {"text": text, "roomId": evening.live.pk, "liveId": evening.live.pk} | changes
    return (phone or evening.viewers).post(path, **said)


def earlier(*, first=0.0, last=0.0):
    """As if the first and the last identical request had been that many seconds earlier."""
    Repeat.objects.update(
        first_at=F("first_at") - timedelta(seconds=first), last_at=F("last_at") - timedelta(seconds=last)
    )


def texts(evening):
    return [message["text"] for message in evening.shown("text")]


class TestTexts:
    @pytest.mark.parametrize("path", ["msg/send-msg", "message/send-msg"])
    def test_reach_the_room(self, evening, path):
        assert ok(say(evening, path=path)) == {"errorcode": 0, "errormsg": "success"}
        assert evening.shown("text") == [
            {"room": evening.live.pk, "msgType": "text", "roomId": evening.live.pk, "fromUserId": evening.viewer.pk,
             "fromUserName": "小白", "gender": "Female", "coverUrl": "", "text": "大家好"}
        ]  # fmt: skip

    def test_of_the_owner_reach_it_too(self, evening):
        ok(say(evening, phone=evening.owners))
        assert evening.shown("text")[0]["fromUserId"] == evening.owner.pk

    def test_keep_every_character_of_the_raw_app(self, evening):
        phone = evening.phone(evening.viewer, "1.1.2")
        line = "你好 😀 100% a+b %41"
        body = f"token={phone.token}&text={line}&roomId={evening.live.pk}&liveId={evening.live.pk}"
        ok(phone.raw("msg/send-msg", body.encode()))
        assert texts(evening) == [line]

    def test_of_500_characters_are_fine_and_more_are_not(self, evening):
        ok(say(evening, "字" * 500))
        refused(say(evening, "字" * 501), 700, "参数错误")
        assert texts(evening) == ["字" * 500]

    @pytest.mark.parametrize("text", ["", "   ", "a\0b"])
    def test_of_nothing_are_refused(self, evening, text):
        refused(say(evening, text), 700, "参数错误")
        assert evening.told == []

    def test_to_two_rooms_at_once_are_refused(self, evening):
        other = factories.live()
        refused(say(evening, roomId=other.pk), 733, "房间无效")
        assert evening.told == []

    @pytest.mark.parametrize("missing", ["roomId", "liveId"])
    def test_need_both_ids(self, evening, missing):
        refused(say(evening, **{missing: ""}), 700, "参数错误")

    def test_to_no_room_are_refused(self, evening):
        refused(say(evening, roomId=5, liveId=5), 733, "房间无效")

    @pytest.mark.parametrize("status", [0, 2, 3, 4])
    def test_to_a_room_that_is_not_on_air_are_refused(self, evening, status):
        Live.objects.update(status=status)
        refused(say(evening), 733, "房间无效")
        refused(say(evening, phone=evening.owners), 733, "房间无效")
        assert evening.told == []

    def test_from_outside_are_refused(self, evening):
        stranger = evening.phone(factories.person())
        evening.told.clear()
        refused(say(evening, phone=stranger), 506, "您不在该队伍")
        assert evening.told == []


class TestRetriesOfTheShippedApp:
    """It sends a text up to three times, two seconds apart, with nothing to recognise it by."""

    def test_are_shown_once(self, evening):
        for _ in range(3):
            ok(say(evening))
            earlier(first=2, last=2)
        assert texts(evening) == ["大家好"]

    def test_of_both_paths_are_one_text(self, evening):
        ok(say(evening, path="msg/send-msg"))
        ok(say(evening, path="message/send-msg"))
        assert texts(evening) == ["大家好"]

    def test_said_again_after_three_seconds_it_is_said_again(self, evening):
        ok(say(evening))
        earlier(first=3, last=3)
        ok(say(evening))
        assert texts(evening) == ["大家好", "大家好"]

    def test_who_keeps_saying_it_is_heard_again_after_ten_seconds(self, evening):
        ok(say(evening))
        earlier(first=8, last=1)
        ok(say(evening))
        assert len(texts(evening)) == 1
        earlier(first=2, last=1)
        ok(say(evening))
        assert len(texts(evening)) == 2

    def test_the_heard_again_one_opens_its_own_window(self, evening):
        ok(say(evening))
        earlier(first=4, last=4)
        for _ in range(2):
            ok(say(evening))
            earlier(first=2, last=2)
        assert len(texts(evening)) == 2

    def test_other_words_other_people_and_other_rooms_are_other_texts(self, evening):
        ok(say(evening))
        ok(say(evening, "大家好！"))
        ok(say(evening, phone=evening.owners))
        other = factories.live()
        factories.inside(other, evening.viewer)
        ok(say(evening, roomId=other.pk, liveId=other.pk))
        assert texts(evening) == ["大家好", "大家好！", "大家好", "大家好"]

    def test_a_refused_text_was_never_said(self, evening):
        evening.asleep(evening.viewer, seconds=46)
        refused(say(evening), 506, "您不在该队伍")
        ok(evening.viewers.post("live/join-live", liveId=evening.live.pk))
        ok(say(evening))
        assert texts(evening) == ["大家好"]


def test_a_hundred_lines_in_ten_seconds_pass_and_the_next_is_429(evening):
    for number in range(100):
        ok(say(evening, f"第{number}句", path=["msg/send-msg", "message/send-msg"][number % 2]))
    refused(say(evening, "第100句"), 429, "操作太频繁")
    assert texts(evening) == [f"第{number}句" for number in range(100)]
    ok(say(evening, phone=evening.owners))  # nobody else is held up


class TestLikes:
    @pytest.mark.parametrize(("kind", "words"), [(1, "点亮了"), (2, "又点亮了"), (3, "用了洪荒之力点亮了")])
    def test_light_the_room_up(self, evening, kind, words):
        assert ok(evening.viewers.post("live/live-like", liveId=evening.live.pk, type=kind)) == {
            "errorcode": 0, "errormsg": "success"}  # fmt: skip
        assert evening.shown("like") == [
            {"room": evening.live.pk, "msgType": "like", "roomId": evening.live.pk, "fromUserId": evening.viewer.pk,
             "fromUserName": "小白", "gender": "Female", "birthDay": "1990-01-01", "coverUrl": "", "text": words}
        ]  # fmt: skip
        assert evening.row().likes == 1

    def test_are_all_counted_and_five_a_second_shown(self, evening, monkeypatch):
        shown = []
        monkeypatch.setattr("live.services.talk.allowed", lambda *_: shown.append(1) or len(shown) <= 5)
        for _ in range(12):
            ok(evening.viewers.post("live/live-like", liveId=evening.live.pk, type=1))
        assert (evening.row().likes, len(evening.shown("like"))) == (12, 5)

    def test_the_limit_is_the_rooms_own(self, evening):
        other = factories.live()
        factories.inside(other, evening.viewer)
        for live in (evening.live, other):
            for _ in range(4):
                ok(evening.viewers.post("live/live-like", liveId=live.pk, type=1))
        assert len(evening.shown("like")) == 8

    @pytest.mark.parametrize("kind", [0, 4, -1, "x", ""])
    def test_of_unknown_kinds_are_refused(self, evening, kind):
        refused(evening.viewers.post("live/live-like", liveId=evening.live.pk, type=kind), 700, "参数错误")
        assert (evening.row().likes, evening.told) == (0, [])

    def test_from_outside_are_refused(self, evening):
        stranger = evening.phone(factories.person())
        evening.told.clear()
        refused(stranger.post("live/live-like", liveId=evening.live.pk, type=1), 506, "您不在该队伍")
        assert (evening.row().likes, evening.told) == (0, [])

    @pytest.mark.parametrize("status", [0, 2, 3])
    def test_of_what_is_not_on_air_are_refused(self, evening, status):
        Live.objects.update(status=status)
        refused(evening.viewers.post("live/live-like", liveId=evening.live.pk, type=1), 731, "无效的直播")
        assert (evening.row().likes, evening.told) == (0, [])
