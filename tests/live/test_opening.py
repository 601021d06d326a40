"""Opening a room, putting it on air, naming it, pausing it, ending it: D21, D24, D29."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from heihei_site.api.clients import Client
from live.models import Live, Member
from live.services import rooms
from tests import factories
from tests.answers import BANNED, ok, refused
from users.models import User
from users.services import bans

pytestmark = pytest.mark.django_db
SHANGHAI_CLOCK = re.compile(r"20\d\d-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d")


@pytest.fixture
def owner():
    return factories.person("阿嘿")


class TestCreating:
    def test_answers_with_all_an_owner_needs(self, api, owner):
        """B14, B15: without the complete qiniuObj the app crashes or can never publish."""
        answer = ok(api(owner, version="1.1.2").post("live/create-live", title="来听我直播"))
        live = answer["live"]
        row = Live.objects.get()
        assert live["liveId"] == live["roomId"] == row.pk < 2**53
        assert (live["status"], live["title"], live["userId"], live["visible"]) == (0, "来听我直播", owner.pk, 1)
        assert SHANGHAI_CLOCK.fullmatch(live["createTime"])
        assert (live["startTime"], live["endTime"], live["length"]) == ("", "", 0)
        assert live["pushAddr"] and live["streamAddr"] and live["qiniuObj"]["hub"]
        assert (live["onlineUsers"], live["totalUsers"]) == (1, 0)
        assert set(answer["share"]) == {"weibo", "wechat", "friend"}
        assert answer["liveOptions"] == {
            "inefficientTime": 1200,
            "countDownTime": 60,
            "alertTitle": "队长，你在吗？",
            "alertContent": "60秒内不点击‘在的’按钮将结束此次组队",
            "helpLink": "http://testserver/",
        }

    def test_create_time_is_the_clock_on_the_wall_in_shanghai(self, api, owner):
        """B56"""
        ok(api(owner).post("live/create-live", title="t"))
        Live.objects.update(created_at="2026-01-31T17:30:00Z")
        live = ok(api(owner).get("live/unclosed-live"))["live"]
        assert live["createTime"] == "2026-02-01 01:30:00"

    @pytest.mark.parametrize(
        ("version", "seats"), [("1.1.2", 100_000), ("1.4.1", 100_000), ("1.5.0", 8), ("2.0.0", 8), ("", 8)]
    )
    def test_old_apps_open_for_an_audience_and_new_ones_for_a_team(self, api, owner, version, seats):
        live = ok(api(owner, **({"version": version} if version else {})).post("live/create-live", title="t"))["live"]
        assert (live["roomUserCount"], Live.objects.get().seats) == (seats, seats)

    def test_the_owner_is_inside_and_hears_the_room(self, api, owner, told):
        phone = api(owner)
        told.clear()
        live = ok(phone.post("live/create-live", title="t"))["live"]
        assert told == [{"do": "enter", "user": owner.pk, "room": live["liveId"]}]
        users = ok(phone.get("live/list-live-users", liveId=live["liveId"]))
        assert [user["id"] for user in users["users"]] == [owner.pk]
        assert users["totalCount"] == 1

    def test_remembers_the_kind_of_phone_and_the_city(self, api):
        phone = api(factories.person(address="长沙"), deveiceType="android")
        live = ok(phone.post("live/create-live", title="t"))["live"]
        assert (live["deviceType"], live["address"], live["liveCity"]) == ("android", "长沙", "长沙")

    def test_ids_do_not_tell_the_next_one(self, api, owner):
        phone = api(owner)
        ids = [ok(phone.post("live/create-live", title="t"))["live"]["liveId"] for _ in range(3)]
        assert min(abs(a - b) for a, b in [(ids[0], ids[1]), (ids[1], ids[2])]) > 1000

    def test_again_and_again_leaves_one_open_and_tells_the_earlier_rooms(self, api, owner, told):
        """The 1.1 app orphans lives whenever somebody shares before starting."""
        phone = api(owner, version="1.1.2")
        ids = [ok(phone.post("live/create-live", title=f"第{n}次"))["live"]["liveId"] for n in range(3)]
        assert dict(Live.objects.values_list("pk", "status")) == {ids[0]: 2, ids[1]: 2, ids[2]: 0}
        stopped = [message["live"]["liveId"] for message in told if message.get("action") == "stop-live"]
        assert stopped == ids[:2]
        assert list(Member.objects.filter(left_at=None).values_list("live_id", flat=True)) == [ids[2]]

    @pytest.mark.parametrize("birthday", [None, date(2015, 5, 5)])
    def test_minors_open_nothing_and_what_they_had_stays(self, api, birthday):
        user = factories.person(birthday=birthday)
        refused(api(user).post("live/create-live", title="t"), 501, "未成年人禁止直播！")
        assert (Live.objects.count(), Member.objects.count()) == (0, 0)

    def test_minors_open_where_the_setting_says_so(self, api, settings):
        settings.MINOR_PROTECTION = False
        ok(api(factories.person(birthday=None)).post("live/create-live", title="t"))

    @pytest.mark.parametrize("title", ["", "   ", "x" * 65, "a\0b"])
    def test_a_wrong_title_opens_nothing_and_ends_nothing(self, api, owner, title):
        live = factories.live(owner)
        refused(api(owner).post("live/create-live", title=title), 700, "参数错误")
        assert list(Live.objects.values_list("pk", "status")) == [(live.pk, 1)]

    def test_the_title_of_the_raw_app_keeps_every_character(self, api, owner):
        phone = api(owner, version="1.1.2")
        answer = ok(phone.raw("live/create-live", f"token={phone.token}&title=一起 100% a+b %41 嗨".encode()))
        assert answer["live"]["title"] == "一起 100% a+b %41 嗨"

    def test_who_was_banned_or_grew_younger_meanwhile_opens_nothing(self, owner):
        """The request had been let in before: the row decides."""
        from heihei_site.api.errors import MinorRefused, TokenInvalid

        stale = User.objects.get(pk=owner.pk)
        User.objects.update(birthday=date(2015, 5, 5))
        with pytest.raises(MinorRefused):
            rooms.create_live(owner=stale, title="t", client=Client())
        User.objects.update(birthday=date(1990, 1, 1), is_active=False)
        with pytest.raises(TokenInvalid):
            rooms.create_live(owner=stale, title="t", client=Client())
        assert Live.objects.count() == 0


class TestStarting:
    def test_puts_it_on_air_once(self, api, owner):
        phone = api(owner, version="1.1.2")
        live_id = ok(phone.post("live/create-live", title="t"))["live"]["liveId"]
        assert ok(phone.get("live/start-live", liveId=live_id)) == {"errorcode": 0, "errormsg": "success"}
        began = Live.objects.get().started_at
        assert began is not None
        ok(phone.get("live/start-live", liveId=live_id))
        live = Live.objects.get()
        assert (live.status, live.started_at) == (1, began)
        owner.refresh_from_db()
        assert (owner.live_count, owner.kind) == (1, "Anchor")
        card = ok(phone.get("live/get-live", liveId=live_id))["live"]
        assert card["status"] == 1
        assert SHANGHAI_CLOCK.fullmatch(card["startTime"])

    def test_is_the_owners_to_do(self, api, owner):
        live = factories.live(owner, status=0)
        refused(api(factories.person()).get("live/start-live", liveId=live.pk), 711, "用户权限不足")
        live.refresh_from_db()
        assert (live.status, live.started_at) == (0, None)

    @pytest.mark.parametrize("status", [2, 3, 4])
    def test_what_is_over_does_not_start_again(self, api, owner, status):
        live = factories.live(owner, status=status)
        refused(api(owner).get("live/start-live", liveId=live.pk), 731, "直播无效")
        owner.refresh_from_db()
        assert (Live.objects.get().status, owner.live_count) == (status, 0)

    @pytest.mark.parametrize("live_id", [1, 2**53 - 1])
    def test_nothing_cannot_be_started(self, api, owner, live_id):
        refused(api(owner).get("live/start-live", liveId=live_id), 731, "直播无效")

    @pytest.mark.parametrize("live_id", ["", "abc", "1e3", "-1", str(10**20)])
    def test_odd_ids_are_wrong_parameters(self, api, owner, live_id):
        refused(api(owner).get("live/start-live", liveId=live_id), 700, "参数错误")


class TestUnclosed:
    def test_answers_what_create_answered(self, api, owner):
        phone = api(owner)
        created = ok(phone.post("live/create-live", title="t"))
        assert ok(phone.get("live/unclosed-live")) == created
        ok(phone.post("live/start-live", liveId=created["live"]["liveId"]))
        assert ok(phone.get("live/unclosed-live"))["live"]["status"] == 1

    def test_nothing_is_nothing(self, api, owner):
        factories.live(owner, status=2)
        factories.live()
        assert ok(api(owner).get("live/unclosed-live")) == {"errorcode": 0, "errormsg": "success"}

    def test_what_timed_out_is_closed_by_the_question(self, evening):
        evening.silent(seconds=91)
        assert ok(evening.owners.get("live/unclosed-live")) == {"errorcode": 0, "errormsg": "success"}
        assert evening.row().status == 2
        assert len(evening.shown("stop-live")) == 1


class TestRenaming:
    def test_tells_the_room(self, evening):
        answer = ok(evening.owners.post("live/change-live", liveId=evening.live.pk, title="新标题"))
        assert answer["live"]["title"] == "新标题"
        assert evening.told[0].pop("msgId") > 0
        assert evening.told == [
            {"room": evening.live.pk, "msgType": "action", "action": "live-change", "comment": "修改直播标题",
             "roomId": evening.live.pk, "liveId": evening.live.pk, "title": "新标题"}
        ]  # fmt: skip
        assert ok(evening.viewers.get("live/get-live", liveId=evening.live.pk))["live"]["title"] == "新标题"

    def test_anothers_is_refused(self, evening):
        refused(evening.viewers.post("live/change-live", liveId=evening.live.pk, title="坏"), 711, "用户权限不足")
        assert (evening.row().title, evening.told) == ("标题", [])

    @pytest.mark.parametrize("status", [2, 3, 4])
    def test_what_is_over_keeps_its_name(self, evening, status):
        Live.objects.update(status=status)
        refused(evening.owners.post("live/change-live", liveId=evening.live.pk, title="新"), 731, "直播无效")
        assert (evening.row().title, evening.told) == ("标题", [])

    @pytest.mark.parametrize("title", ["", " ", "x" * 65])
    def test_a_wrong_title_is_refused(self, evening, title):
        refused(evening.owners.post("live/change-live", liveId=evening.live.pk, title=title), 700, "参数错误")
        assert (evening.row().title, evening.told) == ("标题", [])


class TestStopping:
    def test_tells_everybody_and_lets_them_out(self, evening):
        """B48: without the live object viewers would stay."""
        answer = ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        assert answer["live"]["status"] == 2
        assert set(answer["share"]) == {"weibo", "wechat", "friend"}
        (stopped,) = evening.shown("stop-live")
        assert stopped.pop("live")["liveId"] == evening.live.pk
        assert stopped == {
            "room": evening.live.pk, "msgType": "action", "action": "stop-live", "comment": "直播结束",
            "roomId": evening.live.pk}  # fmt: skip
        assert evening.told[-1] == {"do": "close", "room": evening.live.pk}
        assert (evening.row().status, evening.row().occupied, evening.inside()) == (2, 0, set())

    def test_the_message_says_how_it_ended(self, evening):
        Live.objects.update(total_users=7, started_at=timezone.now() - timedelta(seconds=65))
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        live = evening.shown("stop-live")[0]["live"]
        assert (live["status"], live["totalUsers"], live["title"], live["userId"]) == (2, 7, "标题", evening.owner.pk)
        assert live["length"] in (65, 66, 67)
        assert "qiniuObj" not in live and live["pushAddr"] == ""

    def test_twice_is_once(self, evening):
        """B41"""
        first = ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        ended = evening.row().ended_at
        assert ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))["live"] == first["live"]
        assert (len(evening.shown("stop-live")), evening.row().ended_at) == (1, ended)

    def test_without_a_live_it_does_nothing(self, evening):
        assert ok(evening.owners.post("live/stop-live", liveId="")) == {"errorcode": 0, "errormsg": "success"}
        assert (evening.row().status, evening.told) == (1, [])

    def test_strangers_are_answered_0_and_end_nothing(self, evening):
        answer = ok(evening.viewers.post("live/stop-live", liveId=evening.live.pk))
        assert (answer["live"]["status"], evening.row().status, evening.told) == (1, 1, [])

    def test_before_the_start_it_ends_too(self, api, owner):
        phone = api(owner)
        live_id = ok(phone.post("live/create-live", title="t"))["live"]["liveId"]
        ok(phone.post("live/stop-live", liveId=live_id))
        live = Live.objects.get()
        assert (live.status, live.started_at) == (2, None)
        owner.refresh_from_db()
        assert owner.live_count == 0

    def test_a_banned_one_stays_banned(self, evening, committed):
        with committed():
            rooms.ban_live(evening.live)
        evening.owners.post("live/stop-live", liveId=evening.live.pk)
        assert evening.row().status == 3
        assert len(evening.shown("stop-live")) == 1


class TestGrowingYounger:
    def test_ends_the_live(self, evening):
        """D19"""
        said = {"displayName": "阿嘿", "gender": "Female", "birthDay": "2015-05-05"}
        ok(evening.owners.post("user/update", **said))
        assert (evening.row().status, len(evening.shown("stop-live"))) == (2, 1)
        refused(evening.owners.post("live/create-live", title="t"), 501, "未成年人禁止直播！")

    def test_not_where_the_setting_allows_it(self, evening, settings):
        settings.MINOR_PROTECTION = False
        ok(evening.owners.post("user/update", displayName="阿嘿", gender="Female", birthDay="2015-05-05"))
        assert evening.row().status == 1

    def test_a_refused_update_ends_nothing(self, evening):
        said = {"displayName": "\u202e", "gender": "Female", "birthDay": "2015-05-05"}
        refused(evening.owners.post("user/update", **said), 445, "非法的名称")
        assert (evening.row().status, evening.told) == (1, [])

    def test_another_adults_birthday_ends_nothing(self, evening):
        ok(evening.owners.post("user/update", displayName="阿嘿", gender="Female", birthDay="1980-05-05"))
        assert (evening.row().status, evening.told) == (1, [])


class TestBanning:
    def test_a_live_tells_its_viewers_and_they_are_out(self, evening, committed):
        with committed():
            assert rooms.ban_live(evening.live) is True
        assert [message.get("msgType") or message["do"] for message in evening.told] == ["system", "action", "close"]
        assert evening.told[0]["text"] == "该直播因违反社区规定已被关闭"
        stopped = evening.shown("stop-live")[0]
        assert (stopped["live"]["liveId"], stopped["live"]["status"]) == (evening.live.pk, 3)
        assert (evening.row().status, evening.row().occupied, evening.inside()) == (3, 0, set())
        refused(evening.viewers.post("live/join-live", liveId=evening.live.pk), 731, "直播无效")
        refused(evening.viewers.get("live/get-live", liveId=evening.live.pk), 731, "直播无效")
        refused(evening.owners.get("live/heart-beat", liveId=evening.live.pk, isCreator=1), 731, "直播无效")
        refused(evening.owners.get("live/start-live", liveId=evening.live.pk), 731, "直播无效")
        assert evening.inside() == set()

    def test_the_1_1_app_cannot_come_back_either(self, evening, committed):
        with committed():
            rooms.ban_live(evening.live)
        phone = evening.phone(evening.viewer, "1.1.2")
        refused(phone.post("live/join-live", liveId=evening.live.pk), 731, "直播无效")

    def test_its_owner_may_open_another(self, evening, committed):
        with committed():
            rooms.ban_live(evening.live)
        ok(evening.owners.post("live/create-live", title="新"))
        assert evening.row().status == 3

    def test_twice_or_after_the_end_nothing_happens(self, evening, committed):
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        evening.told.clear()
        with committed():
            assert rooms.ban_live(evening.live) is False
        assert (evening.row().status, evening.told) == (2, [])

    def test_a_person_ends_what_they_broadcast(self, evening, committed):
        with committed():
            bans.ban(evening.owner)
        assert (evening.row().status, len(evening.shown("stop-live"))) == (2, 1)
        refused(evening.owners.get("live/heart-beat", liveId=evening.live.pk, isCreator=1), 720, BANNED)

    def test_a_person_is_out_of_the_rooms_they_listen_in(self, evening, committed):
        with committed():
            bans.ban(evening.viewer)
        assert evening.inside() == {evening.owner.pk}
        assert (evening.row().occupied, evening.shown("list-live-users")[-1]["totalCount"]) == (1, 1)

    def test_leaving_a_banned_live_is_leaving_all_the_same(self, evening, committed):
        """D24"""
        with committed():
            rooms.ban_live(evening.live)
        ok(evening.viewers.post("live/quit-live", liveId=evening.live.pk))
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        assert evening.row().status == 3


class TestSharing:
    @pytest.mark.parametrize("status", [0, 1, 2])
    def test_has_all_three_cards_before_during_and_after(self, evening, status):
        """B13"""
        Live.objects.update(status=status)
        share = ok(evening.viewers.post("live/share-live", liveId=evening.live.pk))["share"]
        assert set(share) == {"weibo", "wechat", "friend"}
        for card in share.values():
            assert set(card) == {"title", "content", "url", "coverUrl"}
            assert card["title"] == "黑黑直播"
            assert card["content"] == f"阿嘿 {'的直播' if status == 2 else '正在直播'}：标题"
            assert card["coverUrl"] == "http://cdn/a.jpg"
            assert card["url"].startswith(f"http://testserver/html/live.html?liveid={evening.live.pk}&sign=")
            assert card["url"].endswith(f"&uid={evening.viewer.pk}")

    @pytest.mark.parametrize("status", [3, 4])
    def test_what_is_gone_is_not_shared(self, evening, status):
        Live.objects.update(status=status)
        refused(evening.viewers.post("live/share-live", liveId=evening.live.pk), 731, "无效的直播")


CALLS = [
    *("create-live", "start-live", "unclosed-live", "change-live", "pause-live", "continue-live", "stop-live"),
    *("share-live", "join-live", "get-live", "heart-beat", "list-live-users", "quit-live", "live-like"),
    *("buy-gift", "buy-bullet", "gift-info", "list-live-by-recommend", "list-live-by-user"),
]


@pytest.mark.parametrize("path", ["msg/send-msg", "social/gift-resources", *(f"live/{call}" for call in CALLS)])
def test_everything_here_needs_a_token(api, path):
    refused(api().post(path, liveId=1, roomId=1, title="t", text="t"), 720, "token无效")
