"""The lists lives are found in: D18, D30, D40."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests import factories
from tests.answers import ok, refused
from users.models import Block

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 1, 4, 0, 0, tzinfo=UTC)


@pytest.fixture
def phone(api):
    return api(factories.person())


def ids(answer, key="lives"):
    return [live["liveId"] for live in ok(answer)[key]]


class TestRecommended:
    def test_what_a_card_says(self, phone):
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
        assert card["streamAddr"] and card["pushAddr"] == "" and "qiniuObj" not in card

    def test_recommended_ones_first_then_the_newest(self, phone):
        old = factories.live(started_at=NOON)
        new = factories.live(started_at=NOON + timedelta(minutes=1))
        best = factories.live(started_at=NOON - timedelta(hours=1), recommended=True)
        assert ids(phone.get("live/list-live-by-recommend")) == [best.pk, new.pk, old.pk]

    def test_only_what_is_on_air(self, phone):
        for status in (0, 2, 3, 4):
            factories.live(status=status)
        factories.live(owner_deadline=NOON)
        assert ids(phone.get("live/list-live-by-recommend")) == []

    def test_hidden_ones_only_to_their_owner(self, api, phone):
        live = factories.live(visible=False)
        assert ids(phone.get("live/list-live-by-recommend")) == []
        assert ids(api(live.owner).get("live/list-live-by-recommend")) == [live.pk]

    def test_replays_only_when_there_is_a_recording(self, phone):
        """B58: a replay without an address closes at once."""
        factories.live(status=2, ended_at=NOON)
        recorded = factories.live(status=2, ended_at=NOON, lookback_addr="http://cdn/r.mp4")
        later = factories.live(status=2, ended_at=NOON + timedelta(hours=1), lookback_addr="http://cdn/s.mp4")
        factories.live(status=3, ended_at=NOON, lookback_addr="http://cdn/banned.mp4")
        answer = phone.get("live/list-live-by-recommend")
        assert ids(answer, "liveskback") == ids(answer, "lookbacks") == [later.pk, recorded.pk]
        assert answer["lives"] == []

    def test_nobodys_who_blocks_or_is_blocked(self, api):
        me = factories.person()
        blocked, blocking, other = (factories.live() for _ in range(3))
        Block.objects.create(user=me, target=blocked.owner)
        Block.objects.create(user=blocking.owner, target=me)
        assert ids(api(me).get("live/list-live-by-recommend")) == [other.pk]

    def test_pages_miss_nobody_though_all_started_at_once(self, phone):
        for _ in range(25):
            factories.live(started_at=NOON)
        pages = [ids(phone.get("live/list-live-by-recommend", offset=at, limit=10)) for at in (0, 10, 20, 30)]
        assert [len(page) for page in pages] == [10, 10, 5, 0]
        assert len({live for page in pages for live in page}) == 25

    def test_without_paging_up_to_fifty(self, phone):
        for _ in range(51):
            factories.live()
        assert len(ids(phone.get("live/list-live-by-recommend"))) == 50
        assert len(ids(phone.get("live/list-live-by-recommend", limit=1000))) == 50

    @pytest.mark.parametrize("wrong", [{"offset": -1}, {"limit": -1}, {"offset": "x"}, {"limit": 2**31}])
    def test_odd_paging_is_700(self, phone, wrong):
        refused(phone.get("live/list-live-by-recommend", **wrong), 700, "参数错误")

    def test_says_whom_the_caller_follows(self, api):
        me, live = factories.person(), factories.live()
        phone = api(me)
        ok(phone.post("user/follow", userId=live.owner.pk))
        assert ok(phone.get("live/list-live-by-recommend"))["lives"][0]["isFollowed"] is True


class TestOfOnePerson:
    def test_newest_first_with_what_the_caller_needs(self, api, phone):
        owner = factories.person(live_count=3)
        old, middle = (
            factories.live(owner, status=2, started_at=NOON, ended_at=NOON, created_at=NOON + timedelta(hours=at))
            for at in (0, 1)
        )
        now = factories.live(owner, created_at=timezone.now())
        answer = phone.get("live/list-live-by-user", userId=owner.pk)
        assert ids(answer) == [now.pk, middle.pk, old.pk]
        assert (answer["totalCount"], answer["isFollowed"], answer["expireTime"]) == (3, False, 120)
        assert answer["lives"][2]["createTime"] == "2026-01-01 12:00:00"
        assert ids(api(owner).get("live/list-live-by-user")) == [now.pk, middle.pk, old.pk]

    def test_hides_what_is_gone_never_began_or_is_hidden(self, api, phone):
        owner = factories.person()
        factories.live(owner, status=3)
        factories.live(owner, status=4)
        factories.live(owner, status=2, started_at=None)
        hidden = factories.live(owner, status=2, started_at=NOON, visible=False)
        factories.live(owner, status=0)
        assert ids(phone.get("live/list-live-by-user", userId=owner.pk)) == []
        assert ids(api(owner).get("live/list-live-by-user")) == [hidden.pk]

    def test_pages_of_ten_and_at_most_twenty(self, phone):
        owner = factories.person()
        for _ in range(25):
            factories.live(owner, status=2, started_at=NOON, created_at=NOON)
        asked = {"userId": owner.pk}
        assert len(ids(phone.get("live/list-live-by-user", **asked))) == 10
        pages = [ids(phone.get("live/list-live-by-user", **asked, offset=at, limit=50)) for at in (0, 20, 40)]
        assert [len(page) for page in pages] == [20, 5, 0]
        assert len({live for page in pages for live in page}) == 25

    def test_of_nobody(self, phone):
        refused(phone.get("live/list-live-by-user", userId=5), 710, "用户不存在")
        refused(phone.get("live/list-live-by-user", userId="x"), 700, "参数错误")

    def test_an_empty_user_id_is_oneself(self, api):
        live = factories.live()
        assert ids(api(live.owner).get("live/list-live-by-user", userId="")) == [live.pk]


def test_what_nobody_beats_for_is_not_shown_as_running_in_a_persons_list(phone):
    """I8: with no sweep alive it would else be shown as running for ever."""
    live = factories.live(owner_deadline=NOON)
    assert ids(phone.get("live/list-live-by-user", userId=live.owner_id)) == []
