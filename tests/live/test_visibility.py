"""An owner hides a live, shows it again, deletes it: set-live-visible, delete-live."""

from datetime import UTC, datetime

import pytest

from live.models import Live
from tests import factories
from tests.answers import ok, refused
from users.models import User

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 1, 4, 0, 0, tzinfo=UTC)
LISTS = ["live/list-live-by-recommend", "live/list-live-by-follow", "live/list-live-by-user"]


def ids(answer):
    return {live["liveId"] for key in ("lives", "lookbacks") for live in ok(answer).get(key, [])}


def everywhere(evening, viewer):
    """Which of the lists show the live to this phone."""
    return [path for path in LISTS if evening.live.pk in ids(viewer.get(path, userId=evening.owner.pk))]


@pytest.fixture
def over(evening):
    """The live has ended and was recorded."""
    User.objects.filter(pk=evening.owner.pk).update(live_count=4)
    Live.objects.update(status=2, occupied=0, ended_at=NOON, lookback_addr="http://cdn/r.mp4")
    return evening


@pytest.fixture
def fan(evening):
    phone = evening.phone(factories.person())
    ok(phone.post("user/follow", userId=evening.owner.pk))
    evening.told.clear()
    return phone


class TestVisible:
    @pytest.mark.parametrize("status", [1, 2])
    def test_hides_from_every_list_and_shows_again(self, over, fan, status):
        Live.objects.update(status=status)
        assert everywhere(over, fan) == LISTS
        for visible, found in ((0, []), (0, []), (1, LISTS)):
            card = ok(over.owners.post("live/set-live-visible", liveId=over.live.pk, visible=visible))["live"]
            assert (card["liveId"], card["visible"], card["status"]) == (over.live.pk, visible, status)
            assert card["pushAddr"] == ""
            assert everywhere(over, fan) == found
            assert over.live.pk in ids(over.owners.get("live/list-live-by-user"))

    def test_nobody_is_led_to_a_hidden_one(self, evening, fan):
        assert ok(fan.get("user/info", uid=evening.owner.pk))["userStatus"]["jump"]
        ok(evening.owners.post("live/set-live-visible", liveId=evening.live.pk, visible=0))
        assert ok(fan.get("user/info", uid=evening.owner.pk))["userStatus"]["jump"] == ""

    def test_who_is_inside_stays(self, evening):
        ok(evening.owners.post("live/set-live-visible", liveId=evening.live.pk, visible=0))
        ok(evening.viewers.get("live/heart-beat", liveId=evening.live.pk, isCreator=0))
        assert evening.inside() == {evening.owner.pk, evening.viewer.pk}
        assert evening.told == []

    def test_one_that_was_hidden_before_it_began_is_not_announced(self, evening, fan):
        live = factories.live(factories.person(), status=0)
        owner = evening.phone(live.owner)
        ok(fan.post("user/follow", userId=live.owner_id))
        ok(owner.post("live/set-live-visible", liveId=live.pk, visible=0))
        evening.told.clear()
        ok(owner.get("live/start-live", liveId=live.pk))
        assert evening.shown("start-live-notify") == []

    def test_is_the_owners_to_do(self, evening):
        refused(evening.viewers.post("live/set-live-visible", liveId=evening.live.pk, visible=0), 711, "用户权限不足")
        assert evening.row().visible

    @pytest.mark.parametrize("status", [3, 4])
    def test_what_is_gone_stays_as_it_is(self, evening, status):
        Live.objects.update(status=status)
        refused(evening.owners.post("live/set-live-visible", liveId=evening.live.pk, visible=0), 731, "直播无效")
        assert evening.row().visible

    @pytest.mark.parametrize("wrong", [{"visible": 2}, {"visible": "x"}, {}, {"visible": 0, "liveId": 5}])
    def test_odd_ones_are_refused(self, evening, wrong):
        answer = evening.owners.post("live/set-live-visible", **{"liveId": evening.live.pk} | wrong)
        assert answer["errorcode"] == (731 if "liveId" in wrong else 700)
        assert evening.row().visible


class TestDeleting:
    def test_takes_it_out_of_every_list_and_out_of_the_count(self, over, fan):
        assert everywhere(over, fan) == LISTS
        card = ok(over.owners.post("live/delete-live", liveId=over.live.pk))["live"]
        assert (card["liveId"], card["status"]) == (over.live.pk, 4)
        assert everywhere(over, fan) == []
        own = ok(over.owners.get("live/list-live-by-user"))
        assert (own["lives"], own["totalCount"]) == ([], 0)
        refused(fan.get("live/get-live", liveId=over.live.pk), 731, "直播无效")
        assert User.objects.get(pk=over.owner.pk).live_count == 3

    def test_a_second_time_it_already_is(self, over):
        """The phone sends it again when an answer is lost."""
        first, second = (ok(over.owners.post("live/delete-live", liveId=over.live.pk)) for _ in range(2))
        assert first == second
        assert User.objects.get(pk=over.owner.pk).live_count == 3

    def test_one_that_is_running_ends_first(self, evening):
        User.objects.filter(pk=evening.owner.pk).update(live_count=1)
        card = ok(evening.owners.post("live/delete-live", liveId=evening.live.pk))["live"]
        (stopped,) = evening.shown("stop-live")
        assert (stopped["live"]["status"], card["status"]) == (2, 4)
        assert card["endTime"] and card["onlineUsers"] == 0
        assert evening.inside() == set()
        assert (evening.row().status, User.objects.get(pk=evening.owner.pk).live_count) == (4, 0)

    def test_one_that_never_began_was_never_counted(self, evening):
        live = factories.live(factories.person(live_count=2), status=0)
        ok(evening.phone(live.owner).post("live/delete-live", liveId=live.pk))
        live.refresh_from_db()
        assert (live.status, User.objects.get(pk=live.owner_id).live_count) == (4, 2)

    def test_one_whose_owner_fell_silent_ends_and_is_deleted(self, evening):
        User.objects.filter(pk=evening.owner.pk).update(live_count=1)
        evening.silent(seconds=91)
        ok(evening.owners.post("live/delete-live", liveId=evening.live.pk))
        assert len(evening.shown("stop-live")) == 1
        assert (evening.row().status, User.objects.get(pk=evening.owner.pk).live_count) == (4, 0)

    def test_is_the_owners_to_do(self, over):
        refused(over.viewers.post("live/delete-live", liveId=over.live.pk), 711, "用户权限不足")
        assert over.row().status == 2

    def test_what_operators_banned_stays_banned(self, over):
        Live.objects.update(status=3)
        refused(over.owners.post("live/delete-live", liveId=over.live.pk), 731, "直播无效")
        assert (over.row().status, User.objects.get(pk=over.owner.pk).live_count) == (3, 4)

    def test_to_others_a_deleted_one_is_unknown(self, over):
        Live.objects.update(status=4)
        refused(over.viewers.post("live/delete-live", liveId=over.live.pk), 731, "直播无效")
        refused(over.owners.post("live/delete-live", liveId=5), 731, "直播无效")


@pytest.mark.parametrize("path", ["live/set-live-visible", "live/delete-live"])
def test_needs_a_token(api, path):
    refused(api().post(path, liveId=1, visible=1), 720, "token无效")
