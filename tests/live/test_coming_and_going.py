"""Joining, leaving, looking in, and who is inside: D21–D24."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from live.models import Live, Member
from tests import factories
from tests.answers import ok, refused
from users.models import Block

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest():
    return factories.person("客人", cover_url="http://cdn/g.jpg")


def counts(evening):
    row = evening.row()
    return row.occupied, row.total_users, len(evening.inside())


class TestJoining:
    def test_answers_what_the_viewer_needs(self, evening, guest):
        """B37, B38"""
        answer = ok(evening.phone(guest, "1.1.2").post("live/join-live", liveId=evening.live.pk))
        live = answer["live"]
        assert (live["liveId"], live["roomId"], live["status"]) == (evening.live.pk, evening.live.pk, 1)
        assert (live["userId"], live["userName"], live["totalTickets"]) == (evening.owner.pk, "阿嘿", 0)
        assert (live["onlineUsers"], live["totalUsers"]) == (3, 1)
        assert live["streamAddr"] and live["hlsAddr"]
        assert answer["userInfo"]["id"] == evening.owner.pk
        assert answer["userInfo"]["isFollowed"] is False
        assert "token" not in answer["userInfo"]
        assert set(answer["share"]) == {"weibo", "wechat", "friend"}

    def test_only_the_owner_learns_where_to_publish(self, evening, guest):
        live = ok(evening.phone(guest).post("live/join-live", liveId=evening.live.pk))["live"]
        assert live["pushAddr"] == "" and "qiniuObj" not in live
        own = ok(evening.owners.post("live/join-live", liveId=evening.live.pk))["live"]
        assert own["pushAddr"] and own["qiniuObj"]["hub"]

    def test_tells_the_room_who_is_there(self, evening, guest):
        phone = evening.phone(guest)
        evening.told.clear()
        ok(phone.post("live/join-live", liveId=evening.live.pk))
        assert evening.told[0] == {"do": "enter", "user": guest.pk, "room": evening.live.pk}
        (push,) = evening.shown("list-live-users")
        users = push.pop("users")
        assert push == {
            "room": evening.live.pk, "msgType": "action", "action": "list-live-users", "roomId": evening.live.pk,
            "liveId": evening.live.pk, "totalCount": 3, "roomSeatCount": 100_000, "roomLockedCount": 0}  # fmt: skip
        assert [user["id"] for user in users] == [guest.pk, evening.viewer.pk, evening.owner.pk]
        newest = users[0]
        assert abs(newest.pop("joinTime") - timezone.now().timestamp()) < 60
        assert newest == {
            "id": guest.pk, "displayName": "客人", "name": "客人", "coverUrl": "http://cdn/g.jpg", "gender": "Female",
            "birthDay": "1990-01-01", "level": 1}  # fmt: skip

    def test_a_large_room_is_told_only_how_many(self, evening, guest, settings):
        settings.ROOM_LIST_PAGE = 2
        ok(evening.phone(guest).post("live/join-live", liveId=evening.live.pk))
        (push,) = evening.shown("list-live-users")
        assert push["totalCount"] == 3
        assert "users" not in push

    def test_three_times_is_once(self, evening, guest):
        phone = evening.phone(guest)
        for _ in range(3):
            ok(phone.post("live/join-live", liveId=evening.live.pk))
        assert counts(evening) == (3, 1, 3)
        assert len(evening.shown("list-live-users")) == 1

    def test_coming_back_counts_as_inside_but_not_as_somebody_new(self, evening, guest):
        phone = evening.phone(guest)
        for path in ("live/join-live", "live/quit-live", "live/join-live"):
            ok(phone.post(path, liveId=evening.live.pk))
        assert counts(evening) == (3, 1, 3)

    def test_the_owner_joining_is_no_viewer(self, evening):
        ok(evening.owners.post("live/join-live", liveId=evening.live.pk))
        assert counts(evening) == (2, 0, 2)

    def test_the_owner_may_join_before_the_start_and_nobody_else(self, evening, guest):
        Live.objects.update(status=0)
        assert ok(evening.owners.post("live/join-live", liveId=evening.live.pk))["live"]["status"] == 0
        refused(evening.phone(guest).post("live/join-live", liveId=evening.live.pk), 725, "直播未开始或已结束")
        old = ok(evening.phone(guest, "1.1.2").post("live/join-live", liveId=evening.live.pk))
        assert old["live"]["status"] == 0
        assert counts(evening) == (2, 0, 2)

    def test_an_ended_live_as_the_1_1_app_understands_it(self, evening, guest):
        """B36, D22: errorcode 0 with status 2, and nobody is inside."""
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        evening.told.clear()
        live = ok(evening.phone(guest, "1.1.2").post("live/join-live", liveId=evening.live.pk))["live"]
        assert (live["status"], live["liveId"]) == (2, evening.live.pk)
        assert live["streamAddr"]
        assert counts(evening) == (0, 0, 0)
        assert [message for message in evening.told if message.get("do") == "enter"] == []

    @pytest.mark.parametrize("version", ["1.2.0", "1.5.0", "2.0.0"])
    def test_an_ended_live_as_newer_clients_do(self, evening, guest, version):
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        phone = evening.phone(guest, version)
        refused(phone.post("live/join-live", liveId=evening.live.pk), 725, "直播未开始或已结束")
        assert counts(evening) == (0, 0, 0)

    def test_the_generation_is_what_this_sign_in_last_said(self, evening, guest):
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        phone = evening.make_phone(guest)
        ok(phone.get("init", ap="heihei", version="1.1.2"))
        assert ok(phone.post("live/join-live", liveId=evening.live.pk))["live"]["status"] == 2

    @pytest.mark.parametrize("status", [3, 4])
    def test_what_is_gone_is_gone_for_every_generation(self, evening, guest, status):
        Live.objects.update(status=status)
        for version in ("1.1.2", "2.0.0"):
            refused(evening.phone(guest, version).post("live/join-live", liveId=evening.live.pk), 731, "直播无效")
        refused(evening.phone(guest).post("live/join-live", liveId=5), 731, "直播无效")

    @pytest.mark.parametrize("owner_blocks", [True, False])
    @pytest.mark.parametrize("version", ["1.1.2", "2.0.0"])
    def test_blocking_works_both_ways(self, evening, guest, owner_blocks, version):
        pair = (evening.owner, guest) if owner_blocks else (guest, evening.owner)
        Block.objects.create(user=pair[0], target=pair[1])
        phone = evening.phone(guest, version)
        evening.told.clear()
        refused(phone.post("live/join-live", liveId=evening.live.pk), 737, "无法观看该用户直播")
        assert (counts(evening), evening.told) == ((2, 0, 2), [])

    def test_the_id_may_be_a_number_or_its_text(self, evening, guest):
        phone = evening.phone(guest)
        body = b'{"token": "%s", "liveId": %d}' % (phone.token.encode(), evening.live.pk)
        ok(phone.raw("live/join-live", body, "application/json"))
        ok(phone.raw("live/join-live", body.replace(b'Id": ', b'Id": "').replace(b"}", b'"}'), "application/json"))
        assert counts(evening) == (3, 1, 3)


class TestLeaving:
    def test_frees_the_place_and_tells_the_room(self, evening):
        assert ok(evening.viewers.post("live/quit-live", liveId=evening.live.pk)) == {
            "errorcode": 0, "errormsg": "success"}  # fmt: skip
        assert counts(evening) == (1, 0, 1)
        (push,) = evening.shown("list-live-users")
        assert (push["totalCount"], [user["id"] for user in push["users"]]) == (1, [evening.owner.pk])
        assert evening.told[-1] == {"do": "leave", "user": evening.viewer.pk, "room": evening.live.pk}

    def test_twice_is_once(self, evening):
        """B41: the app sends it twice a visit."""
        for _ in range(2):
            ok(evening.viewers.post("live/quit-live", liveId=evening.live.pk))
        assert counts(evening) == (1, 0, 1)
        assert len(evening.shown("list-live-users")) == 1

    def test_strangers_ended_rooms_and_no_room_are_0(self, evening, guest):
        phone = evening.phone(guest)
        ok(phone.post("live/quit-live", liveId=evening.live.pk))
        ok(phone.post("live/quit-live", liveId=""))
        ok(phone.post("live/quit-live"))
        assert counts(evening) == (2, 0, 2)
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        evening.told.clear()
        ok(evening.viewers.post("live/quit-live", liveId=evening.live.pk))
        assert counts(evening) == (0, 0, 0)
        assert evening.shown("list-live-users") == []

    def test_the_owner_does_not_leave_by_it(self, evening):
        ok(evening.owners.post("live/quit-live", liveId=evening.live.pk))
        assert (counts(evening), evening.row().status, evening.told) == ((2, 0, 2), 1, [])

    def test_who_left_says_and_sees_nothing(self, evening):
        ok(evening.viewers.post("live/quit-live", liveId=evening.live.pk))
        refused(evening.viewers.get("live/list-live-users", liveId=evening.live.pk), 506, "您不在该队伍")
        refused(evening.viewers.get("live/heart-beat", liveId=evening.live.pk, isCreator=0), 506, "您不在该队伍")


class TestLookingIn:
    def test_shows_the_live_and_its_owner(self, evening):
        answer = ok(evening.viewers.get("live/get-live", liveId=evening.live.pk))
        live = answer["live"]
        assert (live["status"], live["title"], live["userId"], live["expireTime"]) == (1, "标题", evening.owner.pk, 10)
        assert live["liveTotalTicket"] == live["livetotalticket"] == live["totalTickets"] == 0
        assert live["pushAddr"] == "" and "qiniuObj" not in live
        assert answer["userInfo"]["id"] == evening.owner.pk

    def test_the_addresses_to_publish_to_are_not_in_it_even_for_the_owner(self, evening):
        live = ok(evening.owners.get("live/get-live", liveId=evening.live.pk))["live"]
        assert live["pushAddr"] == "" and "qiniuObj" not in live

    @pytest.mark.parametrize(
        ("version", "allowed"), [("1.1.2", True), ("1.4.1", True), ("1.5.0", False), ("2.0", False)]
    )
    def test_from_outside_is_for_older_clients(self, evening, guest, version, allowed):
        answer = evening.phone(guest, version).get("live/get-live", liveId=evening.live.pk)
        if allowed:
            assert ok(answer)["live"]["status"] == 1
        else:
            refused(answer, 506, "您不在该队伍")

    @pytest.mark.parametrize("status", [0, 2])
    @pytest.mark.parametrize("version", ["1.1.2", "2.0.0"])
    def test_what_is_not_on_air_can_be_looked_at_by_everybody(self, evening, guest, version, status):
        Live.objects.update(status=status)
        assert (
            ok(evening.phone(guest, version).get("live/get-live", liveId=evening.live.pk))["live"]["status"] == status
        )

    def test_gone_or_never_there(self, evening):
        refused(evening.viewers.get("live/get-live", liveId=5), 731, "直播无效")
        Live.objects.update(status=4)
        refused(evening.owners.get("live/get-live", liveId=evening.live.pk), 731, "直播无效")


class TestHeartBeats:
    def test_renew_a_viewers_place_for_45_seconds(self, evening):
        evening.asleep(evening.viewer, seconds=35)
        answer = ok(evening.viewers.get("live/heart-beat", liveId=evening.live.pk, isCreator=0))
        assert answer == {"errorcode": 0, "errormsg": "success", "liveId": evening.live.pk, "nextTimeout": 15}
        left = Member.objects.get(user=evening.viewer).lease_until - timezone.now()
        assert timedelta(seconds=40) < left <= timedelta(seconds=45)

    def test_renew_the_owners_for_90(self, evening):
        evening.silent(seconds=80)
        ok(evening.owners.get("live/heart-beat", liveId=evening.live.pk, isCreator=1))
        for until in (evening.row().owner_deadline, Member.objects.get(user=evening.owner).lease_until):
            assert timedelta(seconds=80) < until - timezone.now() <= timedelta(seconds=90)

    def test_of_the_owner_count_before_join_and_start(self, evening):
        """B39"""
        phone = evening.phone(factories.person(), "1.1.2")
        live_id = ok(phone.post("live/create-live", title="t"))["live"]["liveId"]
        ok(phone.get("live/heart-beat", liveId=live_id, isCreator=1))

    def test_of_strangers_are_506_and_let_nobody_in(self, evening, guest):
        refused(evening.phone(guest).get("live/heart-beat", liveId=evening.live.pk, isCreator=0), 506, "您不在该队伍")
        assert counts(evening) == (2, 0, 2)

    def test_nobody_beats_for_the_owner(self, evening):
        before = evening.row().owner_deadline
        refused(evening.viewers.get("live/heart-beat", liveId=evening.live.pk, isCreator=1), 711, "用户权限不足")
        assert evening.row().owner_deadline == before

    def test_for_an_ended_live_are_725(self, evening):
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        for phone, creator in ((evening.owners, 1), (evening.viewers, 0)):
            answer = phone.get("live/heart-beat", liveId=evening.live.pk, isCreator=creator)
            refused(answer, 725, "直播未开始或已结束")
        assert evening.row().status == 2

    def test_without_is_creator_or_with_nonsense_are_700(self, evening):
        refused(evening.viewers.get("live/heart-beat", liveId=evening.live.pk), 700, "参数错误")
        refused(evening.viewers.get("live/heart-beat", liveId=evening.live.pk, isCreator="x"), 700, "参数错误")
        refused(evening.viewers.get("live/heart-beat", liveId="", isCreator=0), 700, "参数错误")
        refused(evening.viewers.get("live/heart-beat", liveId=7, isCreator=0), 731, "直播无效")


class TestWhoIsInside:
    def test_newest_first_with_how_the_caller_stands_to_them(self, evening):
        ok(evening.viewers.post("user/follow", userId=evening.owner.pk))
        answer = ok(evening.viewers.get("live/list-live-users", liveId=evening.live.pk, lastJoinTime=0, direction=0))
        users = answer.pop("users")
        assert answer == {
            "errorcode": 0, "errormsg": "success", "totalCount": 2, "roomSeatCount": 100_000, "roomLockedCount": 0,
            "expireTime": 60}  # fmt: skip
        assert [(user["id"], user["name"], user["displayName"], user["isFollowed"]) for user in users] == [
            (evening.viewer.pk, "小白", "小白", False),
            (evening.owner.pk, "阿嘿", "阿嘿", True),
        ]

    def test_from_outside_is_506(self, evening, guest):
        refused(evening.phone(guest).get("live/list-live-users", liveId=evening.live.pk), 506, "您不在该队伍")

    def test_after_the_end_is_506(self, evening):
        ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
        refused(evening.viewers.get("live/list-live-users", liveId=evening.live.pk), 506, "您不在该队伍")

    @pytest.mark.parametrize(
        "wrong", [{"direction": 2}, {"direction": "x"}, {"lastJoinTime": "x"}, {"lastJoinTime": -1}]
    )
    def test_wrong_paging_is_700(self, evening, wrong):
        refused(evening.viewers.get("live/list-live-users", liveId=evening.live.pk, **wrong), 700, "参数错误")

    @pytest.mark.parametrize("same_second", [1, 7, 25, 60])
    def test_pages_miss_nobody_and_show_nobody_twice(self, evening, same_second):
        """Sixty viewers, `same_second` of them at a time within one second of the phone's whole-second joinTime."""
        crowd = [factories.person() for _ in range(60)]
        factories.inside(evening.live, *crowd)
        base = datetime(2026, 1, 1, tzinfo=UTC)
        for number, person in enumerate(crowd):
            second, within = divmod(number, same_second)
            Member.objects.filter(user=person).update(
                joined_at=base + timedelta(seconds=second, milliseconds=within * 10)
            )
        Member.objects.filter(user__in=[evening.owner, evening.viewer]).update(joined_at=F("joined_at"))
        seen, last = [], 0
        for _ in range(70):
            page = ok(evening.viewers.get(
                "live/list-live-users", liveId=evening.live.pk, lastJoinTime=last, direction=1 if last else 0
            ))["users"]  # fmt: skip
            if not page:
                break
            assert len(page) >= min(20, 62 - len(seen))
            seen += [user["id"] for user in page]
            last = page[-1]["joinTime"]
        assert len(seen) == len(set(seen)) == 62
        assert set(seen) == {evening.owner.pk, evening.viewer.pk, *(person.pk for person in crowd)}

    def test_direction_0_is_the_newest_page_whatever_the_time(self, evening):
        answer = ok(evening.viewers.get("live/list-live-users", liveId=evening.live.pk, lastJoinTime=1, direction=0))
        assert len(answer["users"]) == 2
