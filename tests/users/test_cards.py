"""`user/info`: what people see of themselves and of others."""

from datetime import date

import pytest

from live.models import Live
from tests import factories
from tests.answers import ok, refused
from users.services import bans

pytestmark = pytest.mark.django_db


@pytest.fixture
def me():
    return factories.person("我", gold=12)


@pytest.fixture
def other():
    return factories.person("她", gold=34, description="签名", address="长沙", birthday=date(1995, 3, 2))


class TestMine:
    def test_shows_purses_switches_and_the_price_of_a_name(self, api, me):
        answer = ok(api(me).get("user/info"))
        assert set(answer) == {"errorcode", "errormsg", "result"}
        card = answer["result"]
        assert (card["id"], card["heiNum"]) == (me.pk, me.pk + 990_000)
        assert (card["goldCount"], card["point"], card["level"], card["experience"]) == (12, 0, 1, 0)
        assert card["attribute"] == {"push_enable": "1"}
        assert card["modifyText"] == "(本次改名免费，下次修改费用10钻)"
        assert (card["user_type"], card["userType"], card["user_status"]) == ("Normal", "Normal", "Published")

    @pytest.mark.parametrize("how", [{}, {"uid": ""}, {"cuid": 1}])
    def test_is_the_default(self, api, me, how):
        assert ok(api(me).get("user/info", **how))["result"]["id"] == me.pk

    def test_is_the_same_by_my_own_id(self, api, me):
        phone = api(me)
        assert phone.get("user/info", uid=me.pk, cuid=me.pk) == phone.get("user/info")


class TestAnothers:
    def test_shows_no_purse(self, api, me, other):
        answer = ok(api(me).get("user/info", uid=other.pk, cuid=me.pk))
        assert set(answer) == {"errorcode", "errormsg", "result"}
        card = answer["result"]
        assert (card["goldCount"], card["point"]) == (0, 0)
        assert "modifyText" not in card and "attribute" not in card
        assert (card["displayName"], card["description"], card["address"], card["birthDay"], card["gender"]) == (
            "她", "签名", "长沙", "1995-03-02", "Female")  # fmt: skip
        assert (card["isFollowed"], card["isBlocked"]) == (False, False)

    def test_says_whether_i_follow_them(self, api, me, other):
        phone = api(me)
        ok(phone.post("user/follow", userId=other.pk))
        assert ok(phone.get("user/info", uid=other.pk))["result"]["isFollowed"] is True
        assert ok(api(other).get("user/info", uid=me.pk))["result"]["isFollowed"] is False

    def test_who_blocks_me_cannot_be_looked_at(self, api, me, other):
        phone = api(other)
        ok(phone.post("user/block-user", userId=me.pk))
        refused(api(me).get("user/info", uid=other.pk, cuid=me.pk), 736, "无法查看该用户信息")
        assert ok(phone.get("user/info", uid=me.pk))["result"]["isBlocked"] is True

    @pytest.mark.parametrize("uid", [1, 10_000, 2**31, 2**53 - 1])
    def test_nobody(self, api, me, uid):
        refused(api(me).get("user/info", uid=uid), 710, "用户不存在")

    @pytest.mark.parametrize("uid", ["abc", "-1", "1e3", "10001.0", str(10**20), str(2**53), "１０００１"])
    def test_what_is_no_id(self, api, me, uid):
        refused(api(me).get("user/info", uid=uid), 700, "参数错误")

    def test_the_banned_are_gone(self, api, me, other):
        bans.ban(other)
        refused(api(me).get("user/info", uid=other.pk), 710, "用户不存在")

    def test_without_a_token_nobody_is_shown(self, api, other):
        refused(api().get("user/info", uid=other.pk), 720, "token无效")


class TestStatus:
    def test_who_broadcasts_can_be_joined(self, api, me, other):
        live = factories.live(other)
        status = ok(api(me).get("user/info", uid=other.pk))["userStatus"]
        assert status == {
            "type": 5, "confStatus": 5, "expireTime": 0, "jump": f"wmlives_heihei://live?id={live.pk}"}  # fmt: skip

    @pytest.mark.parametrize("status", [Live.Status.TO_START, Live.Status.STOPPED, Live.Status.BANNED])
    def test_who_is_not_on_air_has_none(self, api, me, other, status):
        factories.live(other, status=status)
        assert "userStatus" not in ok(api(me).get("user/info", uid=other.pk))

    def test_whose_heart_beats_stopped_has_none_even_before_a_sweep(self, api, me, other):
        live = factories.live(other)
        Live.objects.filter(pk=live.pk).update(owner_deadline=live.created_at)
        assert "userStatus" not in ok(api(me).get("user/info", uid=other.pk))

    def test_a_hidden_live_is_not_given_away(self, api, me, other):
        factories.live(other, visible=False)
        assert ok(api(me).get("user/info", uid=other.pk))["userStatus"]["jump"] == ""


def test_no_answer_holds_a_token_or_a_phone_number(api, gifts, other):
    """B33, I12: whatever is asked, and by whom."""
    live = factories.live(other)
    me = factories.person(gold=100)
    mine, hers = api(me), api(other)
    for phone, path, said in [
        (mine, "user/info", {}),
        (mine, "user/info", {"uid": other.pk}),
        (mine, "live/join-live", {"liveId": live.pk}),
        (mine, "live/get-live", {"liveId": live.pk}),
        (mine, "live/list-live-users", {"liveId": live.pk}),
        (mine, "live/list-live-by-recommend", {}),
        (mine, "live/list-live-by-user", {"userId": other.pk}),
        (mine, "live/share-live", {"liveId": live.pk}),
        (mine, "live/buy-gift", {"liveId": live.pk, "giftId": 101}),
        (hers, "live/unclosed-live", {}),
        (hers, "live/list-live-users", {"liveId": live.pk}),
        (hers, "live/stop-live", {"liveId": live.pk}),
        (hers, "live/create-live", {"title": "t"}),
    ]:
        answer = str(ok(phone.post(path, **said)))
        for secret in (mine.token, hers.token, me.phone, other.phone, "'token'", "'phone'"):
            assert secret not in answer, path


@pytest.mark.parametrize(
    ("experience", "level"),
    [(0, 1), (2404, 5), (490_792, 30), (806_234, 38), (1_620_440, 54), (1_752_658, 57), (6_146_776, 78),
     (499, 1), (500, 2), (15_000_000, 100), (2**40, 100)],
)  # fmt: skip
def test_levels_follow_the_documented_samples(api, experience, level):
    card = ok(api(factories.person(experience=experience)).get("user/info"))["result"]
    assert card["level"] == level
    assert card["experience"] == min(experience, 2**31 - 1)
