"""Knocking at a full room: whether one must, and what the owner hears of it. D23."""

from datetime import timedelta

import pytest
from django.db.models import F

from live.models import Guest, Live
from tests import factories
from tests.answers import ok, refused
from users.models import Block

pytestmark = pytest.mark.django_db

JUST_NOW = (504, "刚敲过门啦 歇会~")
NOT_YOURS = (711, "权限不足")
GONE = (731, "直播无效或被删除")


@pytest.fixture
def team(evening):
    """The evening's live with four seats, all of them taken."""
    Live.objects.filter(pk=evening.live.pk).update(seats=4)
    evening.live.refresh_from_db()
    factories.inside(evening.live, factories.person(), factories.person())
    evening.told.clear()
    return evening


@pytest.fixture
def guest(db):
    return factories.person("客人", cover_url="http://cdn/g.jpg", gender="Male")


@pytest.fixture
def guests(team, guest):
    return team.phone(guest)


def knock(team, phone):
    return phone.post("live/knock-live-room", liveId=team.live.pk)


def status(team, phone):
    answer = ok(phone.get("live/knock-status", liveId=team.live.pk))
    return answer["needKnock"], answer["roomNowUserCount"]


def later(**by):
    Guest.objects.update(knocked_at=F("knocked_at") - timedelta(**by))


class TestWhetherOneMust:
    def test_at_a_full_room(self, team, guests):
        assert ok(guests.get("live/knock-status", liveId=team.live.pk)) == {
            "errorcode": 0, "errormsg": "success", "needKnock": True, "roomUserCount": 4, "roomNowUserCount": 4,
            "liveStatus": 1}  # fmt: skip

    def test_not_where_a_seat_is_free(self, team, guests):
        ok(team.viewers.post("live/quit-live", liveId=team.live.pk))
        assert status(team, guests) == (False, 3)

    def test_but_where_the_free_ones_are_locked(self, team, guests):
        """roomUserCount says all seats, locked ones too: contract_notes.md (e) 29."""
        Live.objects.update(seats=8, locked=4)
        answer = ok(guests.get("live/knock-status", liveId=team.live.pk))
        assert (answer["needKnock"], answer["roomUserCount"], answer["roomNowUserCount"]) == (True, 8, 4)

    def test_nobody_who_is_inside(self, team):
        assert status(team, team.viewers) == (False, 4)
        assert status(team, team.owners) == (False, 4)

    @pytest.mark.parametrize("live_status", [0, 2])
    def test_nobody_where_nothing_is_on_air(self, team, guests, live_status):
        Live.objects.update(status=live_status)
        answer = ok(guests.get("live/knock-status", liveId=team.live.pk))
        assert (answer["needKnock"], answer["liveStatus"]) == (False, live_status)

    def test_not_where_somebody_fell_silent_before_any_sweep(self, team, guests):
        team.asleep(team.viewer, seconds=46)
        assert status(team, guests) == (False, 3)
        ok(guests.post("live/join-live", liveId=team.live.pk))

    def test_what_is_gone_is_731(self, team, guests):
        Live.objects.update(status=4)
        refused(guests.get("live/knock-status", liveId=team.live.pk), 731, "直播无效")
        refused(guests.get("live/knock-status", liveId=5), 731, "直播无效")


class TestKnocking:
    def test_the_owner_hears_who_and_nobody_else_does(self, team, guest, guests):
        team.told.clear()
        assert knock(team, guests) == {"errorcode": 0, "errormsg": "success"}
        assert team.shown("live-knock") == [
            {"person": team.owner.pk, "msgType": "action", "action": "live-knock", "liveId": team.live.pk,
             "fromUserId": guest.pk, "fromUserName": "客人", "gender": "Male", "coverUrl": "http://cdn/g.jpg",
             "birthDay": "1990-01-01"}]  # fmt: skip
        assert len(team.told) == 1

    def test_it_is_news_for_a_minute(self, team, guests):
        from heihei_site.realtime.models import Message

        ok(knock(team, guests))
        message = Message.objects.get(owner_id=team.owner.pk)
        assert timedelta(seconds=55) < message.expires_at - message.created_at <= timedelta(seconds=61)

    @pytest.mark.parametrize("seconds", [0, 59])
    def test_again_within_a_minute_rings_nobody(self, team, guests, seconds):
        """A phone's retry too: its person reads that they have knocked."""
        ok(knock(team, guests))
        later(seconds=seconds)
        refused(knock(team, guests), *JUST_NOW)
        assert len(team.shown("live-knock")) == 1

    def test_after_a_minute_it_rings_again(self, team, guests):
        ok(knock(team, guests))
        later(seconds=60)
        ok(knock(team, guests))
        assert len(team.shown("live-knock")) == 2

    def test_each_has_a_minute_of_their_own_at_each_live(self, team, guests):
        other = factories.live()
        ok(knock(team, guests))
        ok(knock(team, team.phone(factories.person())))
        ok(guests.post("live/knock-live-room", liveId=other.pk))
        assert [message["person"] for message in team.shown("live-knock")] == [
            team.owner.pk, team.owner.pk, other.owner_id]  # fmt: skip

    def test_how_long_is_a_setting(self, team, guests, settings):
        settings.KNOCK_SECONDS = 5
        ok(knock(team, guests))
        later(seconds=5)
        ok(knock(team, guests))

    def test_who_is_inside_rings_nobody(self, team):
        assert ok(knock(team, team.viewers))
        assert (team.told, Guest.objects.count()) == ([], 0)

    def test_an_audience_of_the_older_apps_hears_it_as_well(self, team, guests):
        Live.objects.update(seats=100_000, occupied=100_000)
        ok(knock(team, guests))
        assert len(team.shown("live-knock")) == 1

    def test_the_owner_does_not_knock(self, team):
        refused(knock(team, team.owners), *NOT_YOURS)
        assert (team.told, Guest.objects.count()) == ([], 0)

    @pytest.mark.parametrize("owner_blocks", [True, False])
    def test_nobody_with_whom_there_is_a_block(self, team, guest, guests, owner_blocks):
        pair = (team.owner, guest) if owner_blocks else (guest, team.owner)
        Block.objects.create(user=pair[0], target=pair[1])
        team.told.clear()
        refused(knock(team, guests), *NOT_YOURS)
        assert (team.told, Guest.objects.count()) == ([], 0)

    def test_nor_who_was_thrown_out(self, team, guest):
        ok(team.owners.post("live/kick-out-user", liveId=team.live.pk, userId=team.viewer.pk))
        team.told.clear()
        refused(knock(team, team.viewers), *NOT_YOURS)
        assert team.shown("live-knock") == []

    @pytest.mark.parametrize("live_status", [0, 2, 3, 4])
    def test_what_is_not_on_air_has_no_door(self, team, guests, live_status):
        Live.objects.update(status=live_status)
        team.told.clear()
        refused(knock(team, guests), *GONE)
        assert (team.told, Guest.objects.count()) == ([], 0)

    def test_nor_what_its_owner_left_behind(self, team, guests):
        team.silent(seconds=91)
        refused(knock(team, guests), *GONE)
        assert (team.row().status, team.shown("live-knock")) == (2, [])
