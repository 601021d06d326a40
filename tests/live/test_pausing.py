"""The owner's app goes to the background and comes back: pause-live, continue-live."""

import pytest

from live.models import Live
from tests.answers import ok, refused

pytestmark = pytest.mark.django_db
BOTH = ["live/pause-live", "live/continue-live"]


def test_the_room_is_told_once_of_each(evening):
    """The 1.1 app sends again what was answered late; nobody is to read it twice."""
    room = evening.live.pk
    for path, action, text in zip(
        BOTH, ("pause-live", "goon-live"), ("主播离开一下，马上回来", "主播回来了"), strict=True
    ):
        for _ in range(2):
            ok(evening.owners.post(path, liveId=room))
        said = {"room": room, "msgType": "action", "action": action, "roomId": room, "liveId": room, "text": text}
        assert evening.shown(action) == [said]
        assert (evening.row().paused, evening.row().status) == (action == "pause-live", 1)


def test_coming_back_without_having_been_away_is_no_news(evening):
    ok(evening.owners.post("live/continue-live", liveId=evening.live.pk))
    assert (evening.told, evening.row().paused) == ([], False)


def test_heart_beats_go_on_and_viewers_stay(evening):
    ok(evening.owners.post("live/pause-live", liveId=evening.live.pk))
    ok(evening.owners.get("live/heart-beat", liveId=evening.live.pk, isCreator=1))
    ok(evening.viewers.get("live/heart-beat", liveId=evening.live.pk, isCreator=0))
    assert evening.inside() == {evening.owner.pk, evening.viewer.pk}


def test_a_live_that_ends_is_not_paused_any_more(evening):
    ok(evening.owners.post("live/pause-live", liveId=evening.live.pk))
    ok(evening.owners.post("live/stop-live", liveId=evening.live.pk))
    assert not evening.row().paused


@pytest.mark.parametrize("path", BOTH)
def test_is_the_owners_to_do(evening, path):
    Live.objects.update(paused=path == "live/continue-live")
    refused(evening.viewers.post(path, liveId=evening.live.pk), 711, "用户权限不足")
    assert evening.row().paused is (path == "live/continue-live")
    assert evening.told == []


@pytest.mark.parametrize("path", BOTH)
def test_what_is_over_is_over(evening, path):
    Live.objects.update(status=2)
    refused(evening.owners.post(path, liveId=evening.live.pk), 735, "直播已结束")
    Live.objects.update(status=3)
    refused(evening.owners.post(path, liveId=evening.live.pk), 731, "无效的直播")
    refused(evening.owners.post(path, liveId=5), 731, "无效的直播")
    assert evening.told == []


@pytest.mark.parametrize("path", BOTH)
def test_one_that_ended_in_silence_is_over_too(evening, path):
    evening.silent(seconds=91)
    refused(evening.owners.post(path, liveId=evening.live.pk), 735, "直播已结束")
    assert evening.shown("pause-live") == evening.shown("goon-live") == []
