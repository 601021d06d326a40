"""Inviting people into a room: whom the owner is shown, what the invited get, and what the key opens. D23, B55."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from heihei_site.realtime import storage
from heihei_site.realtime.models import Message, StreamKind
from live import selectors
from live.models import Guest, Live, Member
from tests import factories
from tests.answers import ok, refused
from users.models import Block, Follow

pytestmark = pytest.mark.django_db

FULL = (505, "没座位了，敲门试试？")
NOT_YOURS = (711, "权限不足")
GONE = (731, "直播无效或被删除")


@pytest.fixture
def team(evening):
    """The evening's live with eight seats, two taken and six locked: nobody gets in unless invited."""
    Live.objects.filter(pk=evening.live.pk).update(seats=8, locked=6)
    evening.live.refresh_from_db()
    evening.told.clear()
    return evening


@pytest.fixture
def guest(db):
    return factories.person("客人", cover_url="http://cdn/g.jpg")


@pytest.fixture
def guests(team, guest):
    return team.phone(guest)


@pytest.fixture
def online(monkeypatch):
    """Who is connected."""
    people: set[int] = set()
    monkeypatch.setattr(selectors, "present", lambda asked: people & set(asked))
    return people


def invite(team, user, phone=None):
    return (phone or team.owners).post("live/invite-user", liveId=team.live.pk, userId=user.pk)


def key_for(team, user):
    ok(invite(team, user))
    return team.shown("live-invite")[-1]["liveKey"]


def join(team, phone, key):
    return phone.post("live/join-live", liveId=team.live.pk, liveKey=key)


def numbers(team):
    row = team.row()
    return row.seats, row.locked, row.occupied


def a_while_later(**by):
    Guest.objects.update(invited_at=F("invited_at") - timedelta(**by), knocked_at=F("knocked_at") - timedelta(**by))


class TestTheInvitation:
    def test_says_everything_that_leads_inside(self, team, guest):
        assert invite(team, guest) == {"errorcode": 0, "errormsg": "success"}
        key = Guest.objects.get(user=guest).live_key
        assert len(key) == 32
        assert team.shown("live-invite") == [
            {"person": guest.pk, "msgType": "action", "action": "live-invite", "liveId": team.live.pk, "liveKey": key,
             "link": f"wmlivesheihei://live?id={team.live.pk}&liveKey={key}",
             "text": '队长"阿嘿"想邀请你加入队伍，是否加入？', "fromUserId": team.owner.pk, "fromUserName": "阿嘿",
             "gender": "Female", "coverUrl": "http://cdn/a.jpg", "birthDay": "1990-01-01",
             "honours": []}]  # fmt: skip
        assert len(team.told) == 1

    def test_reaches_no_phone_that_cannot_follow_its_link(self, team, guest):
        """B55: the 1.1 app knows neither the link's scheme nor the message."""
        ok(invite(team, guest))
        (row,) = storage.read((StreamKind.PERSON, guest.pk), 0, 9, 9)
        assert row.needs == storage.as_number((1, 5))

    def test_rings_no_phone_that_connects_much_later(self, team, guest):
        ok(invite(team, guest))
        message = Message.objects.get(owner_id=guest.pk)
        assert message.expires_at - message.created_at < timedelta(seconds=601)

    def test_is_the_same_when_repeated_and_does_not_ring_twice(self, team, guest):
        key = key_for(team, guest)
        ok(invite(team, guest))
        a_while_later(seconds=9)
        ok(invite(team, guest))
        assert len(team.shown("live-invite")) == 1
        assert Guest.objects.get(user=guest).live_key == key

    def test_is_the_same_and_rings_again_after_a_while(self, team, guest):
        first = key_for(team, guest)
        a_while_later(seconds=10)
        assert key_for(team, guest) == first
        assert len(team.shown("live-invite")) == 2

    def test_is_everybodys_own(self, team, guest):
        assert key_for(team, guest) != key_for(team, factories.person())

    def test_does_not_ring_who_is_inside(self, team):
        ok(invite(team, team.viewer))
        assert (team.told, Guest.objects.count()) == ([], 0)

    def test_rings_who_fell_silent(self, team):
        team.asleep(team.viewer, seconds=46)
        ok(invite(team, team.viewer))
        assert len(team.shown("live-invite")) == 1

    def test_only_the_owner_writes_one(self, team, guest):
        Guest.objects.create(live=team.live, user=team.viewer, manager_since=Now())
        for phone in (team.viewers, team.phone(factories.person())):
            team.told.clear()
            refused(invite(team, guest, phone), *NOT_YOURS)
            assert (team.told, Guest.objects.filter(user=guest).count()) == ([], 0)

    @pytest.mark.parametrize("owner_blocks", [True, False])
    def test_nobody_with_whom_there_is_a_block_gets_one(self, team, guest, owner_blocks):
        pair = (team.owner, guest) if owner_blocks else (guest, team.owner)
        Block.objects.create(user=pair[0], target=pair[1])
        refused(invite(team, guest), 710, "用户不存在")
        assert (team.told, Guest.objects.count()) == ([], 0)

    def test_nor_who_is_not_there(self, team, guest):
        refused(team.owners.post("live/invite-user", liveId=team.live.pk, userId=999_999), 710, "用户不存在")
        guest.is_active = False
        guest.save()
        refused(invite(team, guest), 710, "用户不存在")
        refused(invite(team, team.owner), 700, "参数错误")
        assert team.told == []

    @pytest.mark.parametrize("status", [0, 2, 3, 4])
    def test_there_is_none_into_what_is_not_on_air(self, team, guest, status):
        Live.objects.update(status=status)
        refused(invite(team, guest), *GONE)
        assert (team.told, Guest.objects.count()) == ([], 0)

    def test_nobody_is_invited_by_the_thousand(self, team, settings):
        """Each would ring somebody's phone."""
        fans = [factories.person() for _ in range(61)]
        answers = [invite(team, fan)["errorcode"] for fan in fans]
        assert (answers.count(0), answers[-1]) == (60, 429)
        assert len(team.shown("live-invite")) == 60


class TestTheKey:
    def test_opens_a_locked_seat_once(self, team, guest, guests):
        key = key_for(team, guest)
        refused(guests.post("live/join-live", liveId=team.live.pk), *FULL)
        ok(join(team, guests, key))
        assert (numbers(team), guest.pk in team.inside()) == ((8, 5, 3), True)
        assert team.shown("list-live-users")[-1]["roomLockedCount"] == 5
        ok(guests.post("live/quit-live", liveId=team.live.pk))
        Live.objects.update(locked=6)
        refused(join(team, guests, key), *FULL)
        assert numbers(team) == (8, 6, 2)

    def test_sent_again_from_inside_is_0(self, team, guest, guests):
        key = key_for(team, guest)
        for _ in range(3):
            ok(join(team, guests, key))
        assert numbers(team) == (8, 5, 3)

    def test_is_nobody_elses(self, team, guest, guests):
        key = key_for(team, guest)
        thief = factories.person()
        refused(join(team, team.phone(thief), key), *FULL)
        key_for(team, thief)
        refused(join(team, team.phone(thief), key), *FULL)
        assert numbers(team) == (8, 6, 2)
        ok(join(team, guests, key))

    def test_is_no_other_lives(self, team, guest, guests):
        key = key_for(team, guest)
        other = factories.live(seats=2, occupied=2)
        refused(guests.post("live/join-live", liveId=other.pk, liveKey=key), *FULL)

    @pytest.mark.parametrize("key", ["", "0" * 32, "wrong", "钥匙"])
    def test_that_was_never_given_opens_nothing(self, team, guest, guests, key):
        key_for(team, guest)
        refused(join(team, guests, key), *FULL)
        assert numbers(team) == (8, 6, 2)

    def test_makes_no_ninth_seat_and_waits_for_one(self, team, guest, guests):
        key = key_for(team, guest)
        Live.objects.update(locked=0)
        factories.inside(team.row(), *(factories.person() for _ in range(6)))
        refused(join(team, guests, key), *FULL)
        assert (numbers(team), guest.pk in team.inside()) == ((8, 0, 8), False)
        ok(team.viewers.post("live/quit-live", liveId=team.live.pk))
        ok(join(team, guests, key))
        assert numbers(team) == (8, 0, 8)

    def test_takes_a_free_seat_before_a_locked_one(self, team, guest, guests):
        key = key_for(team, guest)
        Live.objects.update(locked=5)
        ok(join(team, guests, key))
        assert numbers(team) == (8, 5, 3)

    def test_takes_the_seat_of_who_fell_silent_before_a_locked_one(self, team, guest, guests):
        key = key_for(team, guest)
        team.asleep(team.viewer, seconds=46)
        ok(join(team, guests, key))
        assert (numbers(team), team.inside()) == ((8, 6, 2), {team.owner.pk, guest.pk})

    def test_is_another_after_it_was_used(self, team, guest, guests):
        key = key_for(team, guest)
        ok(join(team, guests, key))
        ok(guests.post("live/quit-live", liveId=team.live.pk))
        assert key_for(team, guest) != key

    def test_is_good_as_long_as_the_live_goes_on(self, team, guest, guests):
        key = key_for(team, guest)
        a_while_later(hours=3)
        ok(join(team, guests, key))

    def test_and_no_longer(self, team, guest, guests):
        key = key_for(team, guest)
        ok(team.owners.post("live/stop-live", liveId=team.live.pk))
        refused(join(team, guests, key), 725, "直播未开始或已结束")

    def test_does_not_open_to_whom_is_blocked_since(self, team, guest, guests):
        key = key_for(team, guest)
        ok(team.owners.post("user/block-user", userId=guest.pk))
        refused(join(team, guests, key), 737, "无法观看该用户直播")
        assert numbers(team) == (8, 6, 2)


class TestWhomTheOwnerIsShown:
    def listed(self, team, **page):
        answer = ok(team.owners.get("live/invite-user-list", liveId=team.live.pk, **page))
        return [(user["id"], user["knocked"]) for user in answer["users"]]

    def fan(self, team, online=None):
        fan = factories.person()
        Follow.objects.create(follower=fan, followee=team.owner)
        if online is not None:
            online.add(fan.pk)
        return fan

    def knocker(self, team):
        person = factories.person()
        ok(team.phone(person).post("live/knock-live-room", liveId=team.live.pk))
        return person

    def test_who_knocked_comes_first_the_latest_before_the_others_then_followers_who_are_connected(self, team, online):
        fans = [self.fan(team, online) for _ in range(2)]
        self.fan(team)
        first, second = self.knocker(team), self.knocker(team)
        assert self.listed(team) == [
            (second.pk, True), (first.pk, True), (fans[1].pk, False), (fans[0].pk, False)]  # fmt: skip

    def test_a_follower_who_knocked_is_there_once(self, team, online):
        fan = self.fan(team, online)
        ok(team.phone(fan).post("live/knock-live-room", liveId=team.live.pk))
        assert self.listed(team) == [(fan.pk, True)]

    def test_as_the_document_shows_them(self, team, online):
        fan = self.fan(team, online)
        Follow.objects.create(follower=team.owner, followee=fan)
        (card,) = ok(team.owners.get("live/invite-user-list", liveId=team.live.pk))["users"]
        assert (card["displayName"], card["isFollowed"], card["knocked"]) == (fan.display_name, True, False)
        assert card["heiNum"] == fan.hei_num and card["goldCount"] == 0 and "phone" not in card

    def test_who_was_invited_since_has_not_knocked_any_more(self, team, online):
        person, fan = self.knocker(team), self.fan(team, online)
        ok(team.phone(fan).post("live/knock-live-room", liveId=team.live.pk))
        for user in (person, fan):
            ok(invite(team, user))
        assert self.listed(team) == [(fan.pk, False)]
        a_while_later(seconds=60)
        ok(team.phone(person).post("live/knock-live-room", liveId=team.live.pk))
        assert self.listed(team) == [(person.pk, True), (fan.pk, False)]

    def test_nobody_who_came_in(self, team, online):
        Live.objects.update(locked=0)
        fan, person = self.fan(team, online), self.knocker(team)
        for user in (fan, person):
            ok(team.phone(user).post("live/join-live", liveId=team.live.pk))
        assert self.listed(team) == []
        ok(team.phone(person).post("live/quit-live", liveId=team.live.pk))
        assert self.listed(team) == []  # came in, and left of their own will

    def test_nobody_who_was_thrown_out_or_blocks_or_is_banned(self, team, online):
        people = [self.fan(team, online) for _ in range(4)]
        for one in people:
            ok(team.phone(one).post("live/knock-live-room", liveId=team.live.pk))
        ok(team.owners.post("live/kick-out-user", liveId=team.live.pk, userId=people[0].pk))
        Block.objects.create(user=team.owner, target=people[1])
        Block.objects.create(user=people[2], target=team.owner)
        type(people[3]).objects.filter(pk=people[3].pk).update(is_active=False)
        assert self.listed(team) == []

    def test_at_most_fifty_and_in_pages(self, team, online):
        fans = [self.fan(team, online).pk for _ in range(55)][::-1]
        assert [user for user, _ in self.listed(team)] == fans[:50]
        assert [user for user, _ in self.listed(team, offset=45, limit=20)] == fans[45:50]
        assert self.listed(team, offset=50) == []

    def test_of_very_many_followers_only_the_newest_are_looked_at(self, team, online, settings):
        settings.INVITE_LIST_FOLLOWERS = 3
        fans = [self.fan(team, online).pk for _ in range(5)][::-1]
        assert [user for user, _ in self.listed(team)] == fans[:3]

    def test_who_knocked_even_where_nobody_knows_who_is_connected(self, team):
        person = self.knocker(team)
        self.fan(team)
        assert self.listed(team) == [(person.pk, True)]

    def test_nobody_else_is_shown_it(self, team, online):
        self.fan(team, online)
        for phone in (team.viewers, team.phone(factories.person())):
            refused(phone.get("live/invite-user-list", liveId=team.live.pk), *NOT_YOURS)

    @pytest.mark.parametrize("status", [3, 4])
    def test_of_what_is_gone_there_is_none(self, team, status):
        Live.objects.update(status=status)
        refused(team.owners.get("live/invite-user-list", liveId=team.live.pk), *GONE)

    def test_nor_of_what_is_over(self, team, online):
        self.fan(team, online)
        Member.objects.all().delete()
        Live.objects.update(status=2)
        refused(team.owners.get("live/invite-user-list", liveId=team.live.pk), *GONE)
