"""Where lives that are over are found, and a person's lives (D30)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from live.models import Live
from tests import factories
from tests.answers import ok, refused
from users.models import Block, Follow

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 1, 4, 0, 0, tzinfo=UTC)
FEEDS = ["live/list-live-by-recommend", "live/list-live-by-follow"]


@pytest.fixture
def phone(api):
    return api(factories.person())


def ids(answer, key="lives"):
    return [live["liveId"] for live in ok(answer)[key]]


def replay(owner=None, *, hours=0, **fields):
    moment = NOON + timedelta(hours=hours)
    given = {"status": 2, "started_at": NOON, "ended_at": moment, "lookback_addr": "http://cdn/r.mp4", **fields}
    return factories.live(owner, **given)


def fan_of(api, *lives):
    me = factories.person()
    for owner in {live.owner for live in lives}:
        Follow.objects.create(follower=me, followee=owner)
    return api(me)


@pytest.mark.parametrize("path", FEEDS)
class TestInTheFeeds:
    def test_the_newest_first_under_both_names(self, api, path):
        old, new, middle = replay(), replay(hours=2), replay(hours=1)
        answer = fan_of(api, old, new, middle).get(path)
        assert ids(answer, "liveskback") == ids(answer, "lookbacks") == [new.pk, middle.pk, old.pk]
        assert answer["lives"] == []
        card = answer["lookbacks"][0]
        assert (card["status"], card["lookbackAddr"], card["isFollowed"]) == (2, "http://cdn/r.mp4", True)
        assert (card["length"], card["endTime"]) == (7200, "2026-01-01 14:00:00")
        assert (card["creatorName"], card["onlineUser"]) == (new.owner.display_name, 0)

    def test_only_when_there_is_a_recording(self, api, path):
        """B58: a replay without an address closes at once."""
        shown, without, banned = replay(), replay(lookback_addr=""), replay(status=3)
        deleted, hidden = replay(status=4), replay(visible=False)
        assert ids(fan_of(api, shown, without, banned, deleted, hidden).get(path), "lookbacks") == [shown.pk]

    def test_nobodys_who_is_banned_or_on_the_way_out(self, api, path):
        here, banned, leaving = replay(), replay(), replay()
        phone = fan_of(api, here, banned, leaving)
        type(here.owner).objects.filter(pk=banned.owner_id).update(is_active=False)
        type(here.owner).objects.filter(pk=leaving.owner_id).update(deletion_due_at=timezone.now())
        assert ids(phone.get(path), "lookbacks") == [here.pk]

    def test_pages_go_on_where_the_last_ended(self, api, path):
        """Of a few people with many each, many of the same moment."""
        owners = [factories.person() for _ in range(3)]
        lives = [replay(owner, hours=number // 4) for number in range(9) for owner in owners]
        phone = fan_of(api, *lives)
        whole = ids(phone.get(path), "lookbacks")
        pages = [ids(phone.get(path, offset=at, limit=10), "lookbacks") for at in (0, 10, 20, 30)]
        assert [len(page) for page in pages] == [10, 10, 7, 0]
        assert [live for page in pages for live in page] == whole
        assert set(whole) == {live.pk for live in lives}


def test_of_others_in_the_one_and_not_in_the_other(api):
    mine, other = replay(), replay()
    phone = fan_of(api, mine)
    assert ids(phone.get("live/list-live-by-follow"), "lookbacks") == [mine.pk]
    assert set(ids(phone.get("live/list-live-by-recommend"), "lookbacks")) == {mine.pk, other.pk}


def test_nobodys_who_blocks_or_is_blocked(api):
    me = factories.person()
    blocked, blocking, other = replay(), replay(), replay()
    Block.objects.create(user=me, target=blocked.owner)
    Block.objects.create(user=blocking.owner, target=me)
    assert ids(api(me).get("live/list-live-by-recommend"), "lookbacks") == [other.pk]


class TestOfOnePerson:
    def test_the_newest_first_with_what_the_caller_needs(self, api, phone):
        owner = factories.person(live_count=3)
        old, middle = (replay(owner, created_at=NOON + timedelta(hours=at)) for at in (0, 1))
        now = factories.live(owner, created_at=timezone.now())
        answer = phone.get("live/list-live-by-user", userId=owner.pk)
        assert ids(answer) == [now.pk, middle.pk, old.pk]
        assert (answer["totalCount"], answer["isFollowed"], answer["expireTime"]) == (3, False, 120)
        assert answer["lives"][2]["createTime"] == "2026-01-01 12:00:00"
        assert ids(api(owner).get("live/list-live-by-user")) == [now.pk, middle.pk, old.pk]

    def test_b58_what_cannot_be_listened_to_is_shown_to_nobody_and_a_hidden_one_to_its_owner(self, api, phone):
        """Every row opens the replay page, the owner's too, and that closes at once where there is no recording."""
        owner = factories.person(live_count=3)
        shown, hidden = replay(owner, hours=3), replay(owner, visible=False)
        replay(owner, lookback_addr="")
        others, own = phone.get("live/list-live-by-user", userId=owner.pk), api(owner).get("live/list-live-by-user")
        assert (ids(others), others["totalCount"]) == ([shown.pk], 1)
        assert (set(ids(own)), own["totalCount"]) == ({shown.pk, hidden.pk}, 2)

    def test_hides_from_everybody_what_is_gone_or_never_began(self, api, phone):
        owner = factories.person()
        replay(owner, status=3), replay(owner, status=4), replay(owner, started_at=None)
        factories.live(owner, status=0)
        assert ids(phone.get("live/list-live-by-user", userId=owner.pk)) == []
        assert ids(api(owner).get("live/list-live-by-user")) == []

    def test_pages_of_ten_and_at_most_twenty(self, phone):
        owner = factories.person(live_count=25)
        for _ in range(25):
            replay(owner, created_at=NOON)
        asked = {"userId": owner.pk}
        assert len(ids(phone.get("live/list-live-by-user", **asked))) == 10
        pages = [ids(phone.get("live/list-live-by-user", **asked, offset=at, limit=50)) for at in (0, 20, 40)]
        assert [len(page) for page in pages] == [20, 5, 0]
        assert len({live for page in pages for live in page}) == 25

    def test_a_phone_that_loads_until_it_has_shown_them_all_comes_to_an_end(self, phone):
        owner = factories.person(live_count=90)  # most of them without a recording
        for _ in range(15):
            replay(owner)
        totals = [
            ok(phone.get("live/list-live-by-user", userId=owner.pk, offset=at))["totalCount"] for at in (0, 10, 20)
        ]
        assert totals == [90, 15, 20]

    def test_says_whether_the_caller_follows(self, api):
        live = replay()
        answer = ok(fan_of(api, live).get("live/list-live-by-user", userId=live.owner_id))
        assert (answer["isFollowed"], answer["lives"][0]["isFollowed"]) == (True, True)

    def test_of_nobody(self, phone):
        refused(phone.get("live/list-live-by-user", userId=5), 710, "用户不存在")
        refused(phone.get("live/list-live-by-user", userId="x"), 700, "参数错误")

    @pytest.mark.parametrize("mine", [True, False])
    def test_of_who_blocks_or_is_blocked(self, api, mine):
        me, live = factories.person(), replay()
        one, other = (me, live.owner) if mine else (live.owner, me)
        Block.objects.create(user=one, target=other)
        refused(api(me).get("live/list-live-by-user", userId=live.owner_id), 710, "用户不存在")

    def test_an_empty_user_id_is_oneself(self, api):
        live = factories.live()
        assert ids(api(live.owner).get("live/list-live-by-user", userId="")) == [live.pk]

    def test_what_nobody_beats_for_is_not_shown_as_running(self, phone):
        """I8: with no sweep alive it would else be shown as running for ever."""
        live = factories.live(owner_deadline=NOON)
        assert ids(phone.get("live/list-live-by-user", userId=live.owner_id)) == []
        assert Live.objects.get().status == 1
