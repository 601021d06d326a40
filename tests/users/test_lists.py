"""Lists of people: who follows whom, who is blocked, who is active, and how many there are in all."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from live.models import Live
from tests import factories
from tests.answers import ok, refused
from users import auth
from users.models import Block, Follow, Session, User
from users.services import bans, kinds, relations

pytestmark = pytest.mark.django_db


@pytest.fixture
def me():
    return factories.person("我")


@pytest.fixture
def star():
    return factories.person("星")


def follow(follower, *followees):
    for followee in followees:
        relations.follow(user=follower, target=followee)


def ids(answer, key="result"):
    return [card["id"] for card in ok(answer)[key]]


class TestFollowers:
    def test_come_newest_first_with_how_the_caller_stands_to_them(self, api, me, star):
        fans = [factories.person() for _ in range(3)]
        for fan in fans:
            follow(fan, star)
        follow(me, fans[0])
        answer = ok(api(me).get("user/list-follower", userId=star.pk, curUserId=me.pk))
        assert [(card["id"], card["isFollowed"]) for card in answer["result"]] == [
            (fans[2].pk, False), (fans[1].pk, False), (fans[0].pk, True)]  # fmt: skip
        assert answer["totalSize"] == 3
        assert answer["result"][0]["attribute"] == {}
        assert answer["result"][0]["level"] == 1

    def test_of_nobody_are_none(self, api, me, star):
        answer = ok(api(me).get("user/list-follower", userId=star.pk))
        assert (answer["result"], answer["totalSize"]) == ([], 0)

    def test_come_in_pages_that_miss_nobody_and_repeat_nobody(self, api, me, star):
        fans = [factories.person() for _ in range(23)]
        for fan in fans:
            follow(fan, star)
        phone = api(me)
        seen: list[int] = []
        while True:  # as the 1.1 app does: offset is what is shown, until that is all
            answer = ok(phone.get("user/list-follower", userId=star.pk, offset=len(seen), limit=7))
            seen += [card["id"] for card in answer["result"]]
            assert answer["totalSize"] == 23
            if len(seen) >= answer["totalSize"]:
                break
        assert seen == [fan.pk for fan in reversed(fans)]

    @pytest.mark.parametrize(("said", "shown"), [({}, 10), ({"limit": 0}, 10), ({"limit": 5}, 5), ({"limit": 500}, 20)])
    def test_are_ten_a_page_and_twenty_at_most(self, api, me, star, said, shown):
        for _ in range(22):
            follow(factories.person(), star)
        answer = ok(api(me).get("user/list-follower", userId=star.pk, **said))
        assert (len(answer["result"]), answer["totalSize"]) == (shown, 22)

    @pytest.mark.parametrize("said", [{"offset": -1}, {"limit": "x"}, {"offset": "1e3"}, {"limit": 2**31}])
    def test_odd_pages_are_refused(self, api, me, star, said):
        refused(api(me).get("user/list-follower", userId=star.pk, **said), 700, "参数错误")

    def test_past_the_end_are_none(self, api, me, star):
        follow(me, star)
        answer = ok(api(me).get("user/list-follower", userId=star.pk, offset=2**31 - 1))
        assert (answer["result"], answer["totalSize"]) == ([], 1)

    def test_who_is_banned_is_not_shown_and_no_phone_asks_for_them_for_ever(self, api, me, star):
        fans = [factories.person() for _ in range(4)]
        for fan in fans:
            follow(fan, star)
        bans.ban(fans[1])
        answer = ok(api(me).get("user/list-follower", userId=star.pk, limit=2))
        assert [card["id"] for card in answer["result"]] == [fans[3].pk, fans[2].pk]
        assert answer["totalSize"] > 2
        answer = ok(api(me).get("user/list-follower", userId=star.pk, offset=2, limit=2))
        assert ([card["id"] for card in answer["result"]], answer["totalSize"]) == ([fans[0].pk], 3)

    def test_who_blocks_me_and_whom_i_block_are_not_shown(self, api, me, star):
        """D18"""
        one, other, third = (factories.person() for _ in range(3))
        for fan in (one, other, third):
            follow(fan, star)
        relations.block(user=one, target=me)
        relations.block(user=me, target=other)
        assert ids(api(me).get("user/list-follower", userId=star.pk)) == [third.pk]
        assert ids(api(star).get("user/list-follower", userId=star.pk)) == [third.pk, other.pk, one.pk]

    def test_of_who_blocks_me_do_not_exist_for_me(self, api, me, star):
        relations.block(user=star, target=me)
        for path in ("user/list-follower", "user/list-following"):
            refused(api(me).get(path, userId=star.pk), 710, "用户不存在")
            refused(api(star).get(path, userId=me.pk), 710, "用户不存在")

    @pytest.mark.parametrize("path", ["user/list-follower", "user/list-following"])
    def test_nobodys_are_refused(self, api, me, path):
        refused(api(me).get(path, userId=1), 710, "用户不存在")
        refused(api(me).get(path), 700, "参数错误")


class TestFollowing:
    def test_is_spelled_both_ways(self, api, me, star):
        """The 1.1 app reads `result`, the document says `reslut`."""
        other = factories.person()
        follow(me, star, other)
        answer = ok(api(me).get("user/list-following", userId=me.pk))
        assert answer["result"] == answer["reslut"]
        assert [(card["id"], card["isFollowed"]) for card in answer["result"]] == [(other.pk, True), (star.pk, True)]
        assert answer["totalSize"] == 2

    def test_is_seen_with_the_eyes_of_who_looks(self, api, me, star):
        other = factories.person()
        follow(star, other)
        assert ok(api(me).get("user/list-following", userId=star.pk))["result"][0]["isFollowed"] is False


class TestBlocked:
    def test_come_newest_first(self, api, me):
        others = [factories.person() for _ in range(3)]
        for other in others:
            relations.block(user=me, target=other)
        answer = ok(api(me).get("user/list-blocked-user", offset=0, limit=2))
        assert [(card["id"], card["isBlocked"]) for card in answer["result"]] == [
            (others[2].pk, True), (others[1].pk, True)]  # fmt: skip
        assert answer["totalSize"] == 3

    def test_are_ones_own_and_no_one_elses(self, api, me, star):
        relations.block(user=me, target=star)
        answer = ok(api(star).get("user/list-blocked-user", userId=me.pk))
        assert (answer["result"], answer["totalSize"]) == ([], 0)

    def test_are_gone_when_unblocked(self, api, me, star):
        phone = api(me)
        for _ in range(2):
            ok(phone.post("user/block-user", userId=star.pk))
        assert ok(phone.get("user/list-blocked-user"))["totalSize"] == 1
        for _ in range(2):
            ok(phone.post("user/unblock-user", targetId=star.pk))
        answer = ok(phone.get("user/list-blocked-user"))
        assert (answer["result"], answer["totalSize"]) == ([], 0)


class TestByType:
    def test_anchors_have_broadcast_and_normal_people_have_not(self, api, me):
        anchors = [factories.person(kind="Anchor") for _ in range(3)]
        answer = ok(api(me).get("user/list-user-byType", type="Anchor", limit=2))
        assert [card["id"] for card in answer["result"]] == [anchors[2].pk, anchors[1].pk]
        assert (answer["totalSize"], answer["result"][0]["userType"]) == (3, "Anchor")
        answer = ok(api(me).get("user/list-user-byType", type="Normal"))
        assert (ids_of(answer), answer["totalSize"]) == ([me.pk], 1)

    def test_going_on_air_makes_an_anchor(self, api, me):
        phone = api(me)
        live = ok(phone.post("live/create-live", title="t"))["live"]["liveId"]
        ok(phone.post("live/start-live", liveId=live))
        assert ids(phone.get("user/list-user-byType", type="Anchor")) == [me.pk]
        assert ok(phone.get("user/list-user-byType", type="Normal"))["totalSize"] == 0

    @pytest.mark.parametrize("kind", ["", "anchor", "0", "Staff"])
    def test_other_types_are_refused(self, api, me, kind):
        refused(api(me).get("user/list-user-byType", type=kind), 700, "参数错误")

    def test_total_follows_whatever_happens_to_people(self, api, me):
        """Naming oneself, being banned, leaving: counted when it happens, never by reading all."""

        def total():
            return ok(phone.get("user/list-user-byType", type="Normal", limit=1))["totalSize"]

        phone = api(me)
        others = [factories.person() for _ in range(4)]
        unnamed = factories.person(display_name="")
        assert total() == 5
        User.objects.filter(pk=unnamed.pk).update(display_name="有了")
        assert total() == 6
        bans.ban(others[0])
        bans.ban(others[0])
        assert total() == 5
        bans.lift_ban(others[0])
        assert total() == 6
        kinds.fold()
        User.objects.filter(pk=others[1].pk).update(deletion_due_at=timezone.now())
        User.objects.filter(pk=others[2].pk).update(experience=5, kind="Anchor")
        assert total() == 4
        kinds.fold()
        kinds.fold()
        assert total() == 4
        assert kinds.recount() == 0

    def test_who_is_blocked_is_not_shown(self, api, me):
        other, third = factories.person(kind="Anchor"), factories.person(kind="Anchor")
        relations.block(user=other, target=me)
        assert ids(api(me).get("user/list-user-byType", type="Anchor")) == [third.pk]


class TestActive:
    @pytest.fixture
    def three(self):
        """Signed in one after the other."""
        people = [factories.person() for _ in range(3)]
        for minutes, person in enumerate(people):
            factories.token(person)
            Session.objects.filter(user=person).update(active_at=timezone.now() - timedelta(minutes=10 - minutes))
        return people

    def test_whose_phone_was_last_heard_of_comes_first(self, api, me, three):
        assert ids(api(me).get("user/list-active-user")) == [person.pk for person in reversed(three)]
        assert ids(api(me).get("user/list-active-user", offset=1, limit=1)) == [three[1].pk]

    def test_connecting_is_activity(self, api, me, three):
        token = factories.token(three[0])
        Session.objects.filter(user=three[0]).update(active_at=timezone.now() - timedelta(hours=1))
        assert ids(api(me).get("user/list-active-user"))[-1] == three[0].pk
        auth.SocketSessions().connect(token)
        assert ids(api(me).get("user/list-active-user"))[0] == three[0].pk

    def test_a_call_is_activity_once_an_hour(self, api, me, three):
        phone = api(three[0])
        long_ago = timezone.now() - timedelta(hours=2)
        Session.objects.filter(user=three[0]).update(active_at=long_ago, expires_at=long_ago + timedelta(days=30))
        assert ids(api(me).get("user/list-active-user"))[-1] == three[0].pk
        ok(phone.get("user/info"))
        assert ids(api(me).get("user/list-active-user"))[0] == three[0].pk

    def test_who_is_not_there_is_not_shown(self, api, me, three):
        """Signed out, banned, blocking, nameless, the caller: none of them."""
        auth.end_sessions(three[0])
        bans.ban(three[1])
        relations.block(user=three[2], target=me)
        factories.token(factories.person(display_name=""))
        gone = factories.person()
        factories.token(gone)
        Session.objects.filter(user=gone).update(expires_at=timezone.now())
        assert ids(api(me).get("user/list-active-user")) == []

    def test_two_phones_of_one_person_are_one_person(self, api, me, three, settings):
        settings.SINGLE_DEVICE_SIGN_IN = False
        factories.token(three[0])
        Session.objects.filter(user=three[1]).update(active_at=Session.objects.get(user=three[2]).active_at)
        assert sorted(ids(api(me).get("user/list-active-user"))) == sorted(person.pk for person in three)


class TestInLive:
    def where(self, api, caller, person):
        answer = ok(api(caller).get("user/isinlive", userId=person.pk))
        return answer["isInLive"], answer["liveId"]

    def test_the_owner_and_the_audience_are_in_it(self, api, me, star):
        live, fan = factories.live(star), factories.person()
        factories.inside(live, fan)
        assert self.where(api, me, star) == (True, live.pk)
        assert self.where(api, me, fan) == (True, live.pk)
        assert self.where(api, me, me) == (False, 0)

    @pytest.mark.parametrize("status", [Live.Status.TO_START, Live.Status.STOPPED, Live.Status.BANNED])
    def test_one_that_is_not_on_air_counts_for_nothing(self, api, me, star, status):
        factories.live(star, status=status)
        assert self.where(api, me, star) == (False, 0)

    def test_whose_owner_fell_silent_counts_for_nothing(self, api, me, star):
        live = factories.live(star)
        Live.objects.filter(pk=live.pk).update(owner_deadline=live.created_at)
        assert self.where(api, me, star) == (False, 0)

    def test_a_hidden_one_is_not_given_away_nor_is_who_blocks(self, api, me, star):
        factories.live(star, visible=False)
        assert self.where(api, me, star) == (False, 0)
        other = factories.person()
        factories.live(other)
        relations.block(user=other, target=me)
        assert self.where(api, me, other) == (False, 0)

    def test_nobody_is_refused(self, api, me):
        refused(api(me).get("user/isinlive", userId=1), 710, "用户不存在")
        refused(api(me).get("user/isinlive"), 700, "参数错误")


class TestCounters:
    def test_a_wrong_one_is_set_right_by_the_command_and_the_others_are_left_alone(self, me, star):
        follow(me, star)
        relations.block(user=me, target=factories.person())
        User.objects.filter(pk=star.pk).update(follower_count=7, blocked_count=3)
        User.objects.filter(pk=me.pk).update(blocked_count=0)
        said = StringIO()
        call_command("recount", stdout=said)
        assert said.getvalue().splitlines()[-1] == "2 people and 0 kinds of people were wrong"
        for person, counts in ((me, (0, 1, 1)), (star, (1, 0, 0))):
            person.refresh_from_db()
            assert (person.follower_count, person.following_count, person.blocked_count) == counts
        assert relations.recount() == []

    def test_ending_all_relations_of_somebody_leaves_everybody_elses_counters_right(self, me, star, monkeypatch):
        monkeypatch.setattr(relations, "BATCH", 2)
        people = [factories.person() for _ in range(5)]
        for person in people:
            follow(person, me, star)
            follow(me, person)
        for person in people[:3]:
            relations.block(user=person, target=me)
        for person in people[3:]:
            relations.block(user=me, target=person)
        relations.end_all(me)
        assert not Follow.objects.filter(follower=me).exists()
        assert not Follow.objects.filter(followee=me).exists()
        assert Block.objects.count() == 0
        assert relations.recount() == []
        star.refresh_from_db()
        assert star.follower_count == 5


def ids_of(answer):
    return [card["id"] for card in answer["result"]]
