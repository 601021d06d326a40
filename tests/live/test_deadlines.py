"""Who falls silent is out: by a sweep, or by whoever reads next. D21, I8: by the database's clock alone."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from live import selectors, tasks
from live.models import Live
from live.services import deadlines, rooms
from tests import factories
from tests.answers import ok, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def sweep(committed):
    def swept():
        with committed():
            return tasks.sweep()

    return swept


class TestTheOwner:
    def test_silent_for_80_seconds_is_still_on_air(self, evening, sweep):
        evening.silent(seconds=80)
        assert sweep() == {"lives": 0, "viewers": 0, "mic_links": 0}
        assert (evening.row().status, evening.told) == (1, [])

    def test_silent_for_90_seconds_is_ended_by_a_sweep_and_the_room_told(self, evening, sweep):
        evening.silent(seconds=90)
        assert sweep() == {"lives": 1, "viewers": 0, "mic_links": 0}
        assert (evening.row().status, evening.row().occupied, evening.inside()) == (2, 0, set())
        assert evening.shown("stop-live")[0]["live"]["liveId"] == evening.live.pk
        assert evening.told[-1] == {"do": "close", "room": evening.live.pk}

    def test_a_second_sweep_finds_nothing(self, evening, sweep):
        evening.silent(seconds=90)
        sweep()
        ended = evening.row().ended_at
        assert sweep() == {"lives": 0, "viewers": 0, "mic_links": 0}
        assert (len(evening.shown("stop-live")), evening.row().ended_at) == (1, ended)

    def test_a_room_that_never_started_ends_too(self, api, sweep):
        owner = factories.person()
        ok(api(owner).post("live/create-live", title="t"))
        assert sweep()["lives"] == 0
        Live.objects.update(owner_deadline=Live.objects.get().created_at)
        assert sweep()["lives"] == 1
        assert Live.objects.get().status == 2

    def test_a_beat_that_comes_too_late_is_725_and_the_live_is_over_without_any_sweep(self, evening):
        evening.silent(seconds=91)
        refused(evening.owners.get("live/heart-beat", liveId=evening.live.pk, isCreator=1), 725, "直播未开始或已结束")
        assert (evening.row().status, len(evening.shown("stop-live"))) == (2, 1)

    @pytest.mark.parametrize(
        ("path", "params"),
        [("live/get-live", {}), ("live/share-live", {}), ("live/quit-live", {}), ("live/list-live-users", {}),
         ("live/heart-beat", {"isCreator": 0}), ("live/live-like", {"type": 1}), ("live/buy-bullet", {"message": "x"}),
         ("live/buy-gift", {"giftId": 101}), ("live/join-live", {})],
    )  # fmt: skip
    def test_whoever_looks_next_ends_it(self, evening, gifts, path, params):
        evening.silent(seconds=91)
        evening.viewers.get(path, liveId=evening.live.pk, **params)
        assert (evening.row().status, evening.inside(), len(evening.shown("stop-live"))) == (2, set(), 1)

    def test_the_next_reader_is_told_it_has_ended(self, evening, gifts):
        evening.silent(seconds=91)
        assert ok(evening.viewers.get("live/get-live", liveId=evening.live.pk))["live"]["status"] == 2

    def test_no_gift_reaches_somebody_who_is_gone(self, evening, gifts):
        from payment import ledger

        evening.silent(seconds=91)
        answer = evening.viewers.get("live/buy-gift", liveId=evening.live.pk, giftId=101)
        refused(answer, 731, "无效的直播")
        assert ledger.balances(evening.viewer.pk).gold == 100
        assert evening.shown("gift") == []

    def test_no_text_is_said_there(self, evening):
        evening.silent(seconds=91)
        said = {"text": "在吗", "roomId": evening.live.pk, "liveId": evening.live.pk}
        refused(evening.viewers.post("msg/send-msg", **said), 733, "房间无效")
        assert evening.shown("text") == []

    def test_lists_show_it_no_more_before_any_sweep(self, evening):
        evening.silent(seconds=91)
        assert ok(evening.viewers.get("live/list-live-by-recommend"))["lives"] == []
        assert selectors.broadcasting([evening.owner.pk]) == {}

    def test_a_hundred_silent_owners_are_one_sweep(self, evening, sweep):
        for _ in range(20):
            factories.live()
        Live.objects.update(owner_deadline=evening.live.created_at)
        assert sweep()["lives"] == 21
        assert set(Live.objects.values_list("status", flat=True)) == {2}


class TestViewers:
    def test_silent_for_35_seconds_is_still_inside(self, evening, sweep):
        evening.asleep(evening.viewer, seconds=35)
        assert sweep() == {"lives": 0, "viewers": 0, "mic_links": 0}
        assert evening.viewer.pk in evening.inside()

    def test_silent_for_45_seconds_is_counted_out_and_the_room_told(self, evening, sweep):
        evening.asleep(evening.viewer, seconds=45)
        assert sweep() == {"lives": 0, "viewers": 1, "mic_links": 0}
        assert (evening.row().occupied, evening.inside()) == (1, {evening.owner.pk})
        assert evening.shown("list-live-users")[0]["totalCount"] == 1
        assert evening.told[-1] == {"do": "leave", "user": evening.viewer.pk, "room": evening.live.pk}

    def test_a_second_sweep_counts_nobody_twice(self, evening, sweep):
        evening.asleep(evening.viewer, seconds=45)
        sweep()
        assert sweep() == {"lives": 0, "viewers": 0, "mic_links": 0}
        assert evening.row().occupied == 1

    def test_who_beats_too_late_is_506(self, evening):
        evening.asleep(evening.viewer, seconds=46)
        answer = evening.viewers.get("live/heart-beat", liveId=evening.live.pk, isCreator=0)
        refused(answer, 506, "您不在该队伍")
        assert evening.inside() == {evening.owner.pk}

    def test_whose_lease_ran_out_neither_sees_nor_speaks_nor_pays(self, evening, gifts):
        from payment import ledger

        evening.asleep(evening.viewer, seconds=46)
        here = {"liveId": evening.live.pk}
        for answer in (
            evening.viewers.get("live/list-live-users", **here),
            evening.viewers.post("msg/send-msg", text="在", roomId=evening.live.pk, **here),
            evening.viewers.post("live/live-like", type=1, **here),
            evening.viewers.get("live/buy-gift", giftId=101, **here),
            evening.viewers.get("live/buy-bullet", message="飞", **here),
            evening.viewers.get("live/get-live", **here),
        ):
            refused(answer, 506, "您不在该队伍")
        assert (evening.told, ledger.balances(evening.viewer.pk).gold, evening.row().likes) == ([], 100, 0)

    @pytest.mark.parametrize("swept", [True, False])
    def test_who_comes_back_is_counted_once(self, evening, sweep, swept):
        evening.asleep(evening.viewer, seconds=46)
        if swept:
            sweep()
        ok(evening.viewers.post("live/join-live", liveId=evening.live.pk))
        assert (evening.row().occupied, evening.inside()) == (2, {evening.owner.pk, evening.viewer.pk})
        ok(evening.viewers.get("live/heart-beat", liveId=evening.live.pk, isCreator=0))

    def test_the_sweep_takes_no_owner_out_of_their_own_room(self, evening, sweep):
        """The owner's time is the live's 90 seconds."""
        evening.asleep(evening.owner, seconds=91)
        assert sweep() == {"lives": 0, "viewers": 0, "mic_links": 0}
        ok(evening.owners.get("live/heart-beat", liveId=evening.live.pk, isCreator=1))
        assert evening.owner.pk in evening.inside()

    def test_sockets_are_asked_by_the_same_clock(self, evening):
        assert selectors.rooms_of(evening.viewer.pk) == [evening.live.pk]
        evening.asleep(evening.viewer, seconds=46)
        assert selectors.rooms_of(evening.viewer.pk) == []


def test_a_live_that_cannot_be_ended_does_not_keep_the_others_from_ending(monkeypatch):
    broken, *_ = [factories.live(factories.person(), status=Live.Status.PLAYING) for _ in range(3)]
    Live.objects.update(owner_deadline=Now() - timedelta(seconds=1))
    end = rooms.end_live

    def fails_for_one(live_id, **how):
        if live_id == broken.pk:
            raise RuntimeError("this one cannot be ended")
        return end(live_id, **how)

    monkeypatch.setattr(rooms, "end_live", fails_for_one)
    assert deadlines.end_overdue() == 2
    assert set(Live.objects.filter(status=Live.Status.PLAYING)) == {broken}
