"""Following, blocking, reporting: D17, D18."""

import pytest

from tests import factories
from tests.answers import ok, refused
from users.models import Block, Follow, Report
from users.services import bans

pytestmark = pytest.mark.django_db


@pytest.fixture
def me():
    return factories.person("我")


@pytest.fixture
def her():
    return factories.person("她")


def counts(*people):
    """(follows, is followed by) of each."""
    for person in people:
        person.refresh_from_db()
    return [(person.following_count, person.follower_count) for person in people]


class TestFollowing:
    def test_counts_for_both(self, api, me, her):
        assert ok(api(me).post("user/follow", userId=her.pk)) == {"errorcode": 0, "errormsg": "success"}
        assert counts(me, her) == [(1, 0), (0, 1)]
        assert ok(api(me).get("user/info"))["result"]["followingCount"] == 1
        assert ok(api(me).get("user/info", uid=her.pk))["result"]["followerCount"] == 1

    def test_twice_is_once(self, api, me, her):
        phone = api(me)
        for _ in range(3):
            ok(phone.post("user/follow", userId=her.pk))
        assert counts(me, her) == [(1, 0), (0, 1)]

    def test_each_other_is_two(self, api, me, her):
        ok(api(me).post("user/follow", userId=her.pk))
        ok(api(her).post("user/follow", userId=me.pk))
        assert counts(me, her) == [(1, 1), (1, 1)]

    @pytest.mark.parametrize(("sent", "kept"), [({"liveId": ""}, None), ({}, None), ({"liveId": 77}, 77)])
    def test_the_live_it_happened_in_may_be_empty(self, api, me, her, sent, kept):
        """B63"""
        ok(api(me).post("user/follow", userId=her.pk, **sent))
        assert Follow.objects.get().live_id == kept

    def test_oneself_is_refused(self, api, me):
        refused(api(me).post("user/follow", userId=me.pk), 700, "参数错误")
        assert counts(me) == [(0, 0)]

    def test_nobody_is_refused(self, api, me):
        refused(api(me).post("user/follow", userId=1), 710, "用户不存在")
        refused(api(me).post("user/follow", userId=""), 700, "参数错误")
        refused(api(me).post("user/follow"), 700, "参数错误")
        assert counts(me) == [(0, 0)]

    def test_the_banned_are_nobody(self, api, me, her):
        bans.ban(her)
        refused(api(me).post("user/follow", userId=her.pk), 710, "用户不存在")
        assert counts(me, her) == [(0, 0), (0, 0)]

    def test_who_blocks_me_is_nobody_and_whom_i_block_too(self, api, me, her):
        ok(api(her).post("user/block-user", userId=me.pk))
        refused(api(me).post("user/follow", userId=her.pk), 710, "用户不存在")
        refused(api(her).post("user/follow", userId=me.pk), 710, "用户不存在")
        assert counts(me, her) == [(0, 0), (0, 0)]
        assert Follow.objects.count() == 0


class TestUnfollowing:
    def test_takes_it_back(self, api, me, her):
        phone = api(me)
        ok(phone.post("user/follow", userId=her.pk))
        assert ok(phone.post("user/unfollow", userId=her.pk)) == {"errorcode": 0, "errormsg": "success"}
        assert counts(me, her) == [(0, 0), (0, 0)]

    def test_twice_or_a_stranger_changes_nothing(self, api, me, her):
        ok(api(her).post("user/follow", userId=me.pk))
        phone = api(me)
        for _ in range(3):
            ok(phone.post("user/unfollow", userId=her.pk))
        ok(phone.post("user/unfollow", userId=me.pk))
        assert counts(me, her) == [(0, 1), (1, 0)]

    def test_nobody_is_refused(self, api, me):
        refused(api(me).post("user/unfollow", userId=99), 710, "用户不存在")


class TestBlocking:
    def test_ends_following_in_both_directions(self, api, me, her):
        mine, hers = api(me), api(her)
        ok(mine.post("user/follow", userId=her.pk))
        ok(hers.post("user/follow", userId=me.pk))
        for _ in range(2):
            assert ok(mine.post("user/block-user", userId=her.pk)) == {"errorcode": 0, "errormsg": "success"}
        assert counts(me, her) == [(0, 0), (0, 0)]
        assert Block.objects.count() == 1

    def test_oneself_or_nobody_is_refused(self, api, me):
        refused(api(me).post("user/block-user", userId=me.pk), 700, "参数错误")
        refused(api(me).post("user/block-user", userId=5), 710, "用户不存在")
        assert Block.objects.count() == 0

    def test_keeps_both_out_of_each_others_rooms_and_lists(self, api, me, her):
        """D18: it works both ways."""
        mine_live, her_live = factories.live(me), factories.live(her)
        mine, hers = api(me), api(her)
        ok(mine.post("user/block-user", userId=her.pk))
        refused(mine.post("live/join-live", liveId=her_live.pk), 737, "无法观看该用户直播")
        refused(hers.post("live/join-live", liveId=mine_live.pk), 737, "无法观看该用户直播")
        assert [live["liveId"] for live in ok(mine.get("live/list-live-by-recommend"))["lives"]] == [mine_live.pk]
        assert [live["liveId"] for live in ok(hers.get("live/list-live-by-recommend"))["lives"]] == [her_live.pk]
        refused(hers.get("live/list-live-by-user", userId=me.pk), 710, "用户不存在")
        refused(mine.get("live/list-live-by-user", userId=her.pk), 710, "用户不存在")

    def test_ends_with_unblocking_without_following_again(self, api, me, her):
        phone = api(me)
        ok(api(her).post("user/follow", userId=me.pk))
        ok(phone.post("user/block-user", userId=her.pk))
        for _ in range(2):
            ok(phone.post("user/unblock-user", targetId=her.pk))
        assert Block.objects.count() == 0
        assert counts(me, her) == [(0, 0), (0, 0)]
        ok(api(her).post("user/follow", userId=me.pk))

    def test_unblocking_is_for_ones_own_blocks(self, api, me, her):
        ok(api(her).post("user/block-user", userId=me.pk))
        ok(api(me).post("user/unblock-user", targetId=her.pk))
        assert Block.objects.get().user_id == her.pk

    def test_documented_clients_name_whom_by_user_id(self, api, me, her):
        phone = api(me)
        ok(phone.post("user/block-user", userId=her.pk))
        ok(phone.post("user/unblock-user", userId=her.pk))
        assert Block.objects.count() == 0

    def test_unblocking_nobody_is_refused(self, api, me):
        refused(api(me).post("user/unblock-user"), 700, "参数错误")
        refused(api(me).post("user/unblock-user", targetId=6), 710, "用户不存在")


class TestReporting:
    def test_the_1_1_app_reports_and_unblocks_nobody(self, api, me, her):
        """B54, D17: it sends its reports to unblock-user."""
        phone = api(me, version="1.1.2")
        ok(phone.post("user/block-user", userId=her.pk))
        assert ok(phone.post("user/unblock-user", userId=her.pk, reportType=3)) == {
            "errorcode": 0, "errormsg": "success"}  # fmt: skip
        assert Block.objects.count() == 1
        report = Report.objects.get()
        assert (report.reporter_id, report.target_id, report.kind, report.handled) == (me.pk, her.pk, 3, False)

    def test_the_same_again_is_the_same_report_and_another_reason_another(self, api, me, her):
        phone = api(me)
        for kind in (3, 3, 4, 3):
            ok(phone.post("user/unblock-user", userId=her.pk, reportType=kind))
        assert sorted(Report.objects.values_list("kind", flat=True)) == [3, 4]

    def test_once_handled_it_can_be_reported_again(self, api, me, her):
        phone = api(me)
        ok(phone.post("user/unblock-user", userId=her.pk, reportType=3))
        Report.objects.update(handled=True)
        ok(phone.post("user/unblock-user", userId=her.pk, reportType=3))
        assert Report.objects.filter(handled=False).count() == 1

    @pytest.mark.parametrize("kind", [0, 5, -1, "abc"])
    def test_unknown_reasons_are_refused_and_unblock_nobody(self, api, me, her, kind):
        phone = api(me)
        ok(phone.post("user/block-user", userId=her.pk))
        refused(phone.post("user/unblock-user", userId=her.pk, reportType=kind), 700, "参数错误")
        assert (Report.objects.count(), Block.objects.count()) == (0, 1)

    def test_oneself_is_refused(self, api, me):
        refused(api(me).post("user/unblock-user", userId=me.pk, reportType=1), 700, "参数错误")
        assert Report.objects.count() == 0

    def test_with_a_target_it_is_an_unblocking(self, api, me, her):
        phone = api(me)
        ok(phone.post("user/block-user", userId=her.pk))
        ok(phone.post("user/unblock-user", targetId=her.pk, reportType=1))
        assert (Report.objects.count(), Block.objects.count()) == (0, 0)
