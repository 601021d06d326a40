"""Managers of a live, what is seen of somebody in it, and what operators say there: D13, D18, D44, I11."""

from datetime import timedelta

import pytest
from django.db.models import F

from heihei_site.api.models import Repeat
from live.models import Guest, Live, Member
from tests import factories
from tests.answers import ok, refused
from tests.live.test_moderation import mute
from users.models import Block, Follow

pytestmark = pytest.mark.django_db
FORBIDDEN = (711, "用户权限不足")
NOT_INSIDE = (506, "您不在该队伍")
NO_LIVE = (731, "无效的直播")


def appoint(evening, user, *, type=1, phone=None, **changes):
    said = {"liveId": evening.live.pk, "userId": user.pk, "type": type} | changes
    return (phone or evening.owners).post("live/livemgr", **said)


def listed(evening, phone=None, **changes):
    return (phone or evening.owners).get("live/getmgruser", **({"liveId": evening.live.pk} | changes))


def names(evening):
    return [card["displayName"] for card in ok(listed(evening))["users"]]


def card(evening, user, *, phone=None, **changes):
    said = {"liveId": evening.live.pk, "userId": user.pk} | changes
    return (phone or evening.owners).get("live/getuser", **said)


class TestAppointing:
    def test_the_owner_appoints_and_dismisses(self, evening):
        helper = factories.person("小帮")
        assert ok(appoint(evening, evening.viewer)) == {"errorcode": 0, "errormsg": "success"}
        ok(appoint(evening, helper))  # who is not inside, too
        assert names(evening) == ["小白", "小帮"]
        assert ok(appoint(evening, evening.viewer, type=0)) == {"errorcode": 0, "errormsg": "success"}
        assert names(evening) == ["小帮"]

    def test_the_second_time_nothing_happens(self, evening):
        for type in (1, 1):
            ok(appoint(evening, evening.viewer, type=type))
        since = Guest.objects.get().manager_since
        ok(appoint(evening, evening.viewer))
        assert Guest.objects.get().manager_since == since
        for type in (0, 0):
            ok(appoint(evening, evening.viewer, type=type))
        assert names(evening) == []

    def test_a_sixth_is_one_too_many(self, evening):
        five = [factories.person() for _ in range(5)]
        for person in five:
            ok(appoint(evening, person))
        refused(appoint(evening, evening.viewer), 400, "管理员人数已满")
        assert len(names(evening)) == 5
        ok(appoint(evening, five[0]))  # who is one already
        ok(appoint(evening, five[0], type=0))
        ok(appoint(evening, evening.viewer))
        assert names(evening)[-1] == "小白"

    def test_who_is_banned_takes_no_place(self, evening):
        five = [factories.person() for _ in range(5)]
        for person in five:
            ok(appoint(evening, person))
        five[0].is_active = False
        five[0].save()
        assert len(names(evening)) == 4
        ok(appoint(evening, evening.viewer))

    def test_is_for_one_live(self, evening):
        ok(appoint(evening, evening.viewer))
        Live.objects.update(status=Live.Status.STOPPED)
        tomorrow = ok(evening.owners.post("live/create-live", title="明天"))["live"]["liveId"]
        assert ok(listed(evening, liveId=tomorrow))["users"] == []

    def test_is_the_owners_alone(self, evening):
        helper, elsewhere = factories.person(), factories.live()
        factories.inside(evening.live, helper)
        ok(appoint(evening, helper))
        for person in (helper, evening.viewer, factories.person(), elsewhere.owner, factories.person(is_staff=True)):
            phone = evening.phone(person)
            refused(appoint(evening, person, phone=phone), *FORBIDDEN)
            refused(appoint(evening, helper, type=0, phone=phone), *FORBIDDEN)
        assert [person.user_id for person in Guest.objects.filter(manager_since__isnull=False)] == [helper.pk]

    def test_not_of_oneself_and_not_of_nobody(self, evening):
        refused(appoint(evening, evening.owner), 700, "参数错误")
        refused(appoint(evening, evening.viewer, userId=5), 710, "用户不存在")
        refused(appoint(evening, evening.viewer, userId=""), 700, "参数错误")
        refused(appoint(evening, evening.viewer, liveId=5), *NO_LIVE)
        assert not Guest.objects.exists()

    @pytest.mark.parametrize("type", ["", 2, -1, "x"])
    def test_not_with_an_odd_type(self, evening, type):
        refused(appoint(evening, evening.viewer, type=type), 700, "参数错误")
        assert not Guest.objects.exists()

    @pytest.mark.parametrize("status", [2, 3, 4])
    def test_not_for_a_live_that_is_over(self, evening, status):
        Live.objects.update(status=status)
        refused(appoint(evening, evening.viewer), *NO_LIVE)
        assert not Guest.objects.exists()

    @pytest.mark.parametrize("blocker", ["owner", "viewer"])
    def test_not_across_a_block_but_dismissing_is(self, evening, blocker):
        ok(appoint(evening, evening.viewer))
        one, other = (evening.owner, evening.viewer)[:: 1 if blocker == "owner" else -1]
        Block.objects.create(user=one, target=other)
        ok(appoint(evening, evening.viewer, type=0))
        refused(appoint(evening, evening.viewer), 710, "用户不存在")
        assert names(evening) == []


class TestTheList:
    def test_is_for_who_is_inside_and_for_operators(self, evening):
        star = factories.person("小星")
        ok(appoint(evening, star))
        Follow.objects.create(follower=evening.viewer, followee=star)
        [shown] = ok(listed(evening, evening.viewers))["users"]
        assert (shown["id"], shown["displayName"], shown["isFollowed"]) == (star.pk, "小星", True)
        assert ok(listed(evening, evening.phone(factories.person(is_staff=True))))["users"]
        for person in (star, factories.person(), factories.live().owner):
            refused(listed(evening, evening.phone(person)), *NOT_INSIDE)

    def test_is_of_no_use_when_the_live_is_over(self, evening):
        Live.objects.update(status=Live.Status.STOPPED)
        refused(listed(evening), *NO_LIVE)
        refused(card(evening, evening.viewer), *NO_LIVE)


class TestACardInARoom:
    def test_says_how_they_stand_there(self, evening):
        Follow.objects.create(follower=evening.owner, followee=evening.viewer)
        shown = ok(card(evening, evening.viewer))["user"]
        assert (shown["id"], shown["displayName"], shown["isFollowed"], shown["isBlocked"]) == (
            evening.viewer.pk, "小白", True, False)  # fmt: skip
        assert (shown["isshutup"], shown["isManager"], shown["confStatus"], shown["expireTime"]) == (2, False, 1, 0)
        ok(appoint(evening, evening.viewer))
        ok(mute(evening, evening.viewer))
        shown = ok(card(evening, evening.viewer))["user"]
        assert (shown["isshutup"], shown["isManager"]) == (1, True)
        assert "phone" not in shown and "token" not in shown

    def test_has_the_microphone_button_of_who_looks(self, evening):
        ok(evening.viewers.post("live/call-request", liveId=evening.live.pk))
        asks = ok(card(evening, evening.viewer))["user"]
        assert asks["confStatus"] == 4
        assert 0 < asks["expireTime"] <= 30
        assert ok(card(evening, evening.owner, phone=evening.viewers))["user"]["confStatus"] == 2
        assert ok(card(evening, evening.owner))["user"]["confStatus"] == 0

    def test_is_of_anybody_wherever_they_are(self, evening):
        stranger = factories.person("小远")
        assert ok(card(evening, stranger, phone=evening.viewers))["user"]["displayName"] == "小远"
        assert ok(card(evening, evening.owner, phone=evening.viewers))["user"]["id"] == evening.owner.pk
        assert ok(card(evening, evening.viewer, phone=evening.viewers))["user"]["isshutup"] == 2

    def test_is_not_for_who_looks_in_from_outside(self, evening):
        elsewhere = factories.live()
        for person in (factories.person(), elsewhere.owner):
            refused(card(evening, evening.viewer, phone=evening.phone(person)), *NOT_INSIDE)
        evening.asleep(evening.viewer, seconds=46)
        refused(card(evening, evening.owner, phone=evening.viewers), *NOT_INSIDE)
        ok(card(evening, evening.viewer, phone=evening.phone(factories.person(is_staff=True))))

    def test_of_who_blocks_the_caller_is_for_moderators_only(self, evening):
        loud = factories.person()
        factories.inside(evening.live, loud)
        Block.objects.create(user=loud, target=evening.viewer)
        refused(card(evening, loud, phone=evening.viewers), 710, "用户不存在")
        ok(appoint(evening, evening.viewer))
        assert ok(card(evening, loud, phone=evening.viewers))["user"]["isBlocked"] is True

    def test_of_nobody_and_in_no_live(self, evening):
        refused(card(evening, evening.viewer, userId=5), 710, "用户不存在")
        refused(card(evening, evening.viewer, liveId=5), *NO_LIVE)
        refused(card(evening, evening.viewer, liveId=""), 700, "参数错误")


def notify(evening, phone, text="请文明发言", **changes):
    return phone.post("live/systemnotify", **({"liveId": evening.live.pk, "text": text} | changes))


class TestALineOfTheOperators:
    @pytest.fixture
    def operator(self, evening):
        phone = evening.phone(factories.person(is_staff=True))
        evening.told.clear()
        return phone

    def test_is_said_to_the_room_and_nowhere_else(self, evening, operator):
        """The 1.1 app shows `system` in whatever room is open (B61)."""
        factories.live()
        assert ok(notify(evening, operator)) == {"errorcode": 0, "errormsg": "success"}
        [line] = evening.told
        assert line.pop("msgId")
        assert line == {"room": evening.live.pk, "msgType": "system", "roomId": evening.live.pk, "text": "请文明发言"}

    def test_is_said_once_when_it_is_sent_again(self, evening, operator):
        for _ in range(3):
            ok(notify(evening, operator))
        assert len(evening.shown("system")) == 1
        Repeat.objects.update(last_at=F("last_at") - timedelta(seconds=4))
        ok(notify(evening, operator))
        assert len(evening.shown("system")) == 2

    def test_is_nobody_elses(self, evening):
        helper = factories.person()
        factories.inside(evening.live, helper)
        ok(appoint(evening, helper))
        for person in (evening.owner, helper, evening.viewer, factories.person()):
            phone = evening.phone(person)
            evening.told.clear()
            refused(notify(evening, phone), *FORBIDDEN)
            assert evening.told == []
        refused(evening.make_phone().post("live/systemnotify", liveId=evening.live.pk, text="x"), 720, "token无效")

    @pytest.mark.parametrize("text", ["", "   ", "字" * 501])
    def test_has_to_be_one(self, evening, operator, text):
        refused(notify(evening, operator, text), 700, "参数错误")
        assert evening.told == []

    @pytest.mark.parametrize("status", [2, 3, 4])
    def test_is_not_said_where_nobody_is(self, evening, operator, status):
        Live.objects.update(status=status)
        refused(notify(evening, operator), *NO_LIVE)
        refused(notify(evening, operator, liveId=5), *NO_LIVE)
        assert (evening.told, Member.objects.count()) == ([], 2)
