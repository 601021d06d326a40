"""Throwing somebody out: who may, what it ends, and how one comes back. D23, D44, I9."""

import pytest
from django.db.models.functions import Now

from live.models import Guest, Live, Member
from tests import factories
from tests.answers import ok, refused

pytestmark = pytest.mark.django_db

NOT_YOURS = (711, "权限不足")
NOT_IN_AGAIN = (737, "无法观看该用户直播")


def kick(evening, user, phone=None):
    return (phone or evening.owners).post("live/kick-out-user", liveId=evening.live.pk, userId=user.pk)


def join(evening, phone, **said):
    return phone.post("live/join-live", liveId=evening.live.pk, **said)


def manager(evening, name="管家"):
    """Somebody inside whom the owner has appointed."""
    person = factories.person(name)
    factories.inside(evening.row(), person)
    Guest.objects.create(live=evening.live, user=person, manager_since=Now())
    return person


def is_kicked(user):
    return Guest.objects.filter(user=user, kicked_at__isnull=False).exists()


class TestWhoIsThrownOut:
    def test_is_out_at_once_and_knows_it(self, evening):
        assert kick(evening, evening.viewer) == {"errorcode": 0, "errormsg": "success"}
        assert (evening.inside(), evening.row().occupied) == ({evening.owner.pk}, 1)
        assert evening.shown("quit-live") == [
            {"person": evening.viewer.pk, "msgType": "action", "action": "quit-live", "comment": "踢出房间动作消息",
             "liveId": evening.live.pk}]  # fmt: skip

    def test_hears_nothing_more_from_the_room(self, evening):
        ok(kick(evening, evening.viewer))
        assert {"do": "leave", "user": evening.viewer.pk, "room": evening.live.pk} in evening.told

    def test_is_missed_by_the_others(self, evening):
        ok(kick(evening, evening.viewer))
        (push,) = evening.shown("list-live-users")
        assert (push["totalCount"], [user["id"] for user in push["users"]]) == (1, [evening.owner.pk])

    @pytest.mark.parametrize("version", ["1.1.2", "1.5.0", "2.0.0"])
    def test_does_not_come_back(self, evening, version):
        ok(kick(evening, evening.viewer))
        evening.told.clear()
        refused(join(evening, evening.phone(evening.viewer, version)), *NOT_IN_AGAIN)
        assert (evening.inside(), evening.row().occupied) == ({evening.owner.pk}, 1)
        assert [act for act in evening.told if act.get("do") == "enter"] == []

    def test_neither_speaks_nor_gives_nor_beats_there(self, evening, gifts):
        ok(kick(evening, evening.viewer))
        here, not_inside = {"liveId": evening.live.pk}, (506, "您不在该队伍")
        for answer in (
            evening.viewers.get("live/heart-beat", isCreator=0, **here),
            evening.viewers.post("msg/send-msg", text="在", roomId=evening.live.pk, **here),
            evening.viewers.get("live/buy-gift", giftId=101, **here),
            evening.viewers.get("live/list-live-users", **here),
        ):
            refused(answer, *not_inside)

    def test_leaves_as_the_app_does_then_and_gets_0(self, evening):
        ok(kick(evening, evening.viewer))
        ok(evening.viewers.post("live/quit-live", liveId=evening.live.pk))
        assert evening.row().occupied == 1

    def test_is_thrown_out_of_this_live_only(self, evening):
        ok(kick(evening, evening.viewer))
        other = factories.live()
        ok(evening.viewers.post("live/join-live", liveId=other.pk))

    def test_comes_back_when_invited(self, evening):
        ok(kick(evening, evening.viewer))
        ok(evening.owners.post("live/invite-user", liveId=evening.live.pk, userId=evening.viewer.pk))
        ok(join(evening, evening.viewers))
        assert evening.viewer.pk in evening.inside()

    def test_not_with_the_invitation_of_before(self, evening):
        Live.objects.update(seats=8)
        ok(evening.viewers.post("live/quit-live", liveId=evening.live.pk))
        ok(evening.owners.post("live/invite-user", liveId=evening.live.pk, userId=evening.viewer.pk))
        key = evening.shown("live-invite")[0]["liveKey"]
        ok(kick(evening, evening.viewer))
        refused(join(evening, evening.viewers, liveKey=key), *NOT_IN_AGAIN)

    def test_sees_the_end_page_of_a_live_that_is_over(self, evening):
        ok(kick(evening, evening.viewer))
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        assert ok(join(evening, evening.phone(evening.viewer, "1.1.2")))["live"]["status"] == 2

    def test_frees_a_seat(self, evening):
        Live.objects.update(seats=2)
        guest = evening.phone(factories.person())
        refused(join(evening, guest), 505, "没座位了，敲门试试？")
        ok(kick(evening, evening.viewer))
        ok(join(evening, guest))


class TestTwice:
    def test_is_once(self, evening):
        for _ in range(2):
            ok(kick(evening, evening.viewer))
        assert (len(evening.shown("quit-live")), len(evening.shown("list-live-users"))) == (1, 1)
        assert evening.row().occupied == 1

    def test_who_has_just_left_does_not_come_back_either(self, evening):
        ok(evening.viewers.post("live/quit-live", liveId=evening.live.pk))
        evening.told.clear()
        ok(kick(evening, evening.viewer))
        assert (evening.shown("quit-live"), evening.shown("list-live-users")) == ([], [])
        refused(join(evening, evening.viewers), *NOT_IN_AGAIN)


class TestWhoMay:
    def test_managers_and_operators_as_well(self, evening):
        person, operator = manager(evening), factories.person(username="chef", is_staff=True)
        for phone in (evening.phone(person), evening.phone(operator)):
            guest = factories.person()
            factories.inside(evening.row(), guest)
            ok(kick(evening, guest, phone))
            assert guest.pk not in evening.inside()

    def test_nobody_else(self, evening):
        person = factories.person()
        factories.inside(evening.row(), person)
        evening.told.clear()
        stranger = evening.phone(factories.person())
        for phone in (evening.phone(person), stranger):
            evening.told.clear()
            refused(kick(evening, evening.viewer, phone), *NOT_YOURS)
            assert (evening.viewer.pk in evening.inside(), is_kicked(evening.viewer)) == (True, False)
            assert evening.shown("quit-live") == []

    def test_nobody_throws_out_the_owner(self, evening):
        operator = factories.person(username="chef", is_staff=True)
        for phone in (evening.owners, evening.phone(manager(evening)), evening.phone(operator)):
            refused(kick(evening, evening.owner, phone), *NOT_YOURS)
        assert (evening.owner.pk in evening.inside(), is_kicked(evening.owner)) == (True, False)

    def test_no_manager_throws_out_another_but_the_owner_does(self, evening):
        one, other = manager(evening, "一"), manager(evening, "二")
        refused(kick(evening, other, evening.phone(one)), *NOT_YOURS)
        assert other.pk in evening.inside()
        ok(kick(evening, other))
        assert other.pk not in evening.inside()

    def test_who_was_thrown_out_is_no_manager_any_more(self, evening):
        one = manager(evening)
        ok(kick(evening, one))
        refused(kick(evening, evening.viewer, evening.phone(one)), *NOT_YOURS)
        ok(evening.owners.post("live/invite-user", liveId=evening.live.pk, userId=one.pk))
        phone = evening.phone(one)
        ok(join(evening, phone))
        refused(kick(evening, evening.viewer, phone), *NOT_YOURS)

    @pytest.mark.parametrize("status", [2, 3, 4])
    def test_nobody_where_it_is_over(self, evening, status):
        Live.objects.update(status=status)
        refused(kick(evening, evening.viewer), 731, "直播无效或被删除")
        assert (is_kicked(evening.viewer), evening.told) == (False, [])

    def test_nobody_throws_out_who_does_not_exist(self, evening):
        refused(evening.owners.post("live/kick-out-user", liveId=evening.live.pk, userId=999_999), 710, "用户不存在")
        assert Member.objects.inside().count() == 2
