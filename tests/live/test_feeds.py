"""The lists of what is on air, and the order in them (docs/adr/0010-ranking.md): D18, D40."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from live.models import NEW_LIVE_SCORE, Live, RecentTickets
from live.services import feeds
from live.tasks import rank
from tests import factories
from tests.answers import ok, refused
from users.models import Block, Follow

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 1, 4, 0, 0, tzinfo=UTC)


@pytest.fixture
def phone(api):
    return api(factories.person())


def ids(answer, key="lives"):
    return [live["liveId"] for live in ok(answer)[key]]


def feed(phone, **asked):
    return ids(phone.get("live/list-live-by-recommend", **asked))


def old_live(listeners=0, **fields):
    """Begun long enough ago to be listed by nothing but what goes on in it."""
    return factories.live(started_at=NOON, occupied=1 + listeners, **fields)


def score(live):
    return Live.objects.get(pk=live.pk).score


class TestCards:
    def test_what_one_says(self, phone):
        owner = factories.person("阿嘿", cover_url="http://cdn/a.jpg", points_earned=42)
        live = factories.live(owner, title="来听", started_at=NOON, total_users=9, address="长沙")
        answer = ok(phone.get("live/list-live-by-recommend"))
        assert set(answer) == {"errorcode", "errormsg", "lives", "liveskback", "lookbacks", "expireTime"}
        assert answer["expireTime"] == 60
        (card,) = answer["lives"]
        assert (card["liveId"], card["title"], card["liveName"], card["status"]) == (live.pk, "来听", "来听", 1)
        assert (card["userId"], card["creatorId"]) == (owner.pk, owner.pk)
        assert (card["userName"], card["creatorName"]) == ("阿嘿", "阿嘿")
        assert (card["coverUrl"], card["creatorCover"]) == ("http://cdn/a.jpg", "http://cdn/a.jpg")
        assert (card["onlineUsers"], card["onlineUser"], card["totalUsers"], card["viewernum"]) == (1, 1, 9, 9)
        assert (card["gender"], card["birthDay"], card["liveCity"]) == ("Female", "1990-01-01", "长沙")
        assert (card["startTime"], card["totalTickets"], card["isFollowed"]) == ("2026-01-01 12:00:00", 42, False)
        assert (card["isrecomm"], card["visible"], card["honours"]) == (0, 1, [])
        assert (card["roomUserCount"], card["roomNowUserCount"]) == (100_000, 1)
        assert card["streamAddr"] and card["pushAddr"] == "" and "qiniuObj" not in card

    def test_say_whom_the_caller_follows(self, api):
        me, live, other = factories.person(), factories.live(), factories.live()
        phone = api(me)
        ok(phone.post("user/follow", userId=live.owner.pk))
        lives = ok(phone.get("live/list-live-by-recommend"))["lives"]
        assert {card["liveId"]: card["isFollowed"] for card in lives} == {live.pk: True, other.pk: False}


class TestWhatIsListed:
    def test_only_what_is_on_air(self, phone):
        for status in (0, 2, 3, 4):
            factories.live(status=status)
        factories.live(owner_deadline=NOON)
        assert feed(phone) == []

    def test_hidden_ones_only_to_their_owner(self, api, phone):
        live = factories.live(visible=False)
        assert feed(phone) == []
        assert feed(api(live.owner)) == [live.pk]

    @pytest.mark.parametrize("fields", [{}, {"recommended": True}])
    def test_nobodys_who_blocks_or_is_blocked(self, api, fields):
        """Not even what operators recommend."""
        me = factories.person()
        blocked, blocking, other = (factories.live(**fields) for _ in range(3))
        Block.objects.create(user=me, target=blocked.owner)
        Block.objects.create(user=blocking.owner, target=me)
        assert feed(api(me)) == [other.pk]

    def test_a_live_is_there_as_soon_as_it_began_and_gone_as_soon_as_it_ended(self, api, phone):
        live = factories.live(status=0)
        ok(api(live.owner).get("live/start-live", liveId=live.pk))
        assert feed(phone) == [live.pk]
        ok(api(live.owner).post("live/stop-live", liveId=live.pk))
        assert feed(phone) == []


class TestOrder:
    def test_recommended_then_followed_then_the_others(self, api):
        me = factories.person()
        other = old_live(listeners=500)
        followed, dull = old_live(listeners=1), old_live(listeners=0)
        best = old_live(recommended=True)
        for live in (followed, dull):
            Follow.objects.create(follower=me, followee=live.owner)
        rank()
        assert feed(api(me)) == [best.pk, followed.pk, dull.pk, other.pk]

    def test_recommended_ones_in_the_order_of_their_places_then_the_newest(self, api):
        third = factories.live(started_at=NOON, recommended=True, recommended_place=2)
        second = factories.live(started_at=NOON + timedelta(minutes=1), recommended=True, recommended_place=2)
        me, first = factories.person(), factories.live(started_at=NOON, recommended=True, recommended_place=1)
        Follow.objects.create(follower=me, followee=third.owner)
        Live.objects.filter(pk=third.pk).update(score=9)
        assert feed(api(me)) == [first.pk, second.pk, third.pk]

    def test_a_recommendation_ends_at_its_moment_though_no_job_has_been_by(self, phone):
        """I8."""
        soon = timezone.now() + timedelta(minutes=1)
        over = old_live(recommended=True, recommended_until=timezone.now())
        running, other = old_live(recommended=True, recommended_until=soon), old_live(score=9)
        assert feed(phone) == [running.pk, other.pk, over.pk]
        assert [card["isrecomm"] for card in ok(phone.get("live/list-live-by-recommend"))["lives"]] == [1, 0, 0]
        assert feeds.end_recommendations() == 1
        assert set(Live.objects.filter(recommended=True)) == {running}
        assert feed(phone) == [running.pk, other.pk, over.pk]

    def test_more_listeners_first_and_of_the_same_step_the_newest(self, phone):
        three, fifty, seven, four = (
            factories.live(started_at=NOON + timedelta(minutes=at), occupied=1 + listeners)
            for at, listeners in enumerate((3, 50, 7, 4))
        )
        assert rank()["scores"] == 3  # seven is a step above three, as every live is at first
        assert feed(phone) == [fifty.pk, seven.pk, four.pk, three.pk]
        assert [score(live) for live in (three, four, seven, fifty)] == [2, 2, 3, 5]

    def test_ten_tickets_given_lately_weigh_as_much_as_a_listener(self, phone):
        heard, given, little = old_live(listeners=3), old_live(total_tickets=150), old_live(total_tickets=9)
        rank()
        assert [score(live) for live in (heard, given, little)] == [2, 4, 0]
        assert feed(phone) == [given.pk, heard.pk, little.pk]

    @pytest.mark.parametrize(("minutes", "found"), [(0, 4), (5, 3), (10, 2), (60, 0), (10**6, 0)])
    def test_a_gift_counts_half_after_five_minutes(self, minutes, found):
        """150 tickets: 16, 8.5, 4.75 … with the live itself."""
        live = old_live(total_tickets=150)
        rank()
        RecentTickets.objects.update(counted_at=F("counted_at") - timedelta(minutes=minutes))
        rank()
        assert score(live) == found

    def test_what_was_given_before_and_what_is_given_now_add_up(self):
        live = old_live(total_tickets=100)
        rank()
        RecentTickets.objects.update(counted_at=F("counted_at") - timedelta(minutes=5))
        Live.objects.update(total_tickets=130)
        rank()
        recent = RecentTickets.objects.get()
        assert recent.tickets == pytest.approx(80, abs=0.1)
        assert (recent.live_id, recent.counted) == (live.pk, 130)

    def test_gifts_that_phones_send_count(self, api, gifts, evening):
        Live.objects.update(started_at=NOON)
        rank()
        assert score(evening.live) == 1  # one viewer
        factories.give_gold(evening.viewer, 1000)
        for number in range(10):
            ok(
                evening.viewers.post(
                    "live/buy-gift", liveId=evening.live.pk, giftId=101, gift_uuid="u", amount=number + 1
                )
            )
        given = evening.row().total_tickets
        rank()
        assert RecentTickets.objects.get().tickets == given > 0

    def test_a_live_of_the_first_ten_minutes_counts_as_if_seven_more_listened(self, phone):
        seven, ten_minutes = old_live(listeners=7), timezone.now() - timedelta(minutes=10)
        young = factories.live(started_at=ten_minutes + timedelta(seconds=30))
        grown_up = factories.live(started_at=ten_minutes - timedelta(seconds=30))
        assert rank()["scores"] == 1
        assert [score(live) for live in (young, seven, grown_up)] == [3, 3, 0]
        assert feed(phone) == [young.pk, seven.pk, grown_up.pk]

    def test_a_new_live_has_what_the_job_would_give_it(self):
        """So that it is in its place before the first run."""
        live = factories.live()
        assert (score(live), rank()["scores"], score(live)) == (NEW_LIVE_SCORE, 0, NEW_LIVE_SCORE)

    def test_who_stands_on_a_step_does_not_hop(self):
        """Up at twice as many, down only when a quarter of that is missing: pages do not shift at every coming."""
        live, found = old_live(), []
        for listeners in (14, 15, 14, 12, 11, 12, 14, 15, 2):
            Live.objects.update(occupied=1 + listeners)
            rank()
            found.append(score(live))
        assert found == [3, 4, 4, 4, 3, 3, 3, 4, 1]

    def test_an_empty_room_with_the_owner_away_counts_nobody_twice(self):
        live = old_live(listeners=-1)
        rank()
        assert score(live) == 0


class TestJob:
    def test_writes_nothing_where_nothing_happens(self):
        old_live(listeners=3, total_tickets=20), old_live(listeners=900)
        assert rank()["scores"] == 2
        with CaptureQueriesContext(connection) as asked:
            assert rank() == {"scores": 0, "recommendations": 0}
        assert not [query for query in asked.captured_queries if query["sql"].startswith("UPDATE")]

    def test_what_is_over_is_left_as_it_is_and_its_tickets_forgotten(self):
        live = old_live(total_tickets=150)
        rank()
        Live.objects.update(status=2)
        assert rank()["scores"] == 0
        assert (score(live), RecentTickets.objects.count()) == (4, 0)

    def test_gifts_write_nothing_but_the_lives_own_counter(self, gifts, evening):
        """What the ranking costs, it does not cost those who give."""
        with CaptureQueriesContext(connection) as asked:
            ok(evening.viewers.post("live/buy-gift", liveId=evening.live.pk, giftId=101, gift_uuid="u", amount=1))
        assert not [
            query for query in asked.captured_queries if "recenttickets" in query["sql"] or "score =" in query["sql"]
        ]


class TestPages:
    def test_go_through_all_three_parts_and_miss_nobody(self, api):
        me = factories.person()
        for number in range(25):
            live = factories.live(started_at=NOON, recommended=number < 3)
            if number % 3 == 1:
                Follow.objects.create(follower=me, followee=live.owner)
        phone = api(me)
        whole = feed(phone)
        pages = [feed(phone, offset=at, limit=4) for at in range(0, 32, 4)]
        assert [len(page) for page in pages] == [4, 4, 4, 4, 4, 4, 1, 0]
        assert [live for page in pages for live in page] == whole
        assert len(set(whole)) == 25

    def test_miss_nobody_though_all_started_at_once(self, phone):
        for _ in range(25):
            factories.live(started_at=NOON)
        pages = [feed(phone, offset=at, limit=10) for at in (0, 10, 20, 30)]
        assert [len(page) for page in pages] == [10, 10, 5, 0]
        assert len({live for page in pages for live in page}) == 25

    def test_are_not_needed_up_to_fifty(self, phone):
        for _ in range(51):
            factories.live()
        assert len(feed(phone)) == len(feed(phone, limit=1000)) == 50

    @pytest.mark.parametrize("path", ["live/list-live-by-recommend", "live/list-live-by-follow"])
    def test_end_at_the_depth_of_the_list(self, api, settings, path):
        """Whoever asks for the ten-millionth reads no ten million."""
        settings.FEED_DEPTH, me = 5, factories.person()
        for _ in range(7):
            Follow.objects.create(follower=me, followee=factories.live().owner)
            factories.live(factories.person(), status=2, ended_at=NOON, lookback_addr="x")
        phone = api(me)
        answers = [ok(phone.get(path, offset=at, limit=4)) for at in (0, 4, 8, 2**31 - 1)]
        assert [len(answer["lives"]) for answer in answers] == [4, 1, 0, 0]

    @pytest.mark.parametrize("path", ["live/list-live-by-recommend", "live/list-live-by-follow"])
    @pytest.mark.parametrize("wrong", [{"offset": -1}, {"limit": -1}, {"offset": "x"}, {"limit": 2**31}])
    def test_odd_ones_are_700(self, phone, path, wrong):
        refused(phone.get(path, **wrong), 700, "参数错误")


class TestFollowed:
    def follow(self, api, *lives):
        me = factories.person()
        for live in lives:
            Follow.objects.create(follower=me, followee=live.owner)
        return api(me)

    def test_only_theirs_the_best_first(self, api):
        quiet, loud, hidden = old_live(), old_live(listeners=9), old_live(visible=False)
        old_live(listeners=99), old_live(recommended=True)
        phone = self.follow(api, quiet, loud, hidden)
        rank()
        answer = phone.get("live/list-live-by-follow")
        assert ids(answer) == [loud.pk, quiet.pk]
        assert [card["isFollowed"] for card in answer["lives"]] == [True, True]
        assert set(answer) == {"errorcode", "errormsg", "lives", "liveskback", "lookbacks", "expireTime"}
        assert answer["expireTime"] == 60

    def test_only_what_is_on_air(self, api):
        lives = [factories.live(status=status) for status in (0, 2, 3, 4)]
        assert ids(self.follow(api, *lives, factories.live(owner_deadline=NOON)).get("live/list-live-by-follow")) == []

    def test_nothing_of_whom_one_stopped_following_or_blocks(self, api):
        left, blocked, phone = factories.live(), factories.live(), api(factories.person())
        for live in (left, blocked):
            ok(phone.post("user/follow", userId=live.owner_id))
        assert len(ids(phone.get("live/list-live-by-follow"))) == 2
        ok(phone.post("user/unfollow", userId=left.owner_id))
        ok(phone.post("user/block-user", userId=blocked.owner_id))
        assert ids(phone.get("live/list-live-by-follow")) == []

    def test_pages_go_on_where_the_last_ended(self, api):
        lives = [factories.live(started_at=NOON) for _ in range(12)]
        phone = self.follow(api, *lives)
        whole = ids(phone.get("live/list-live-by-follow"))
        pages = [ids(phone.get("live/list-live-by-follow", offset=at, limit=5)) for at in (0, 5, 10, 15)]
        assert [live for page in pages for live in page] == whole
        assert len(set(whole)) == 12

    def test_needs_a_token(self, api):
        refused(api().get("live/list-live-by-follow"), 720, "token无效")
