"""Who saw what is left of a live (api.md 回放观看用户列表)."""

import pytest
from django.utils import timezone

from live.models import Live, ReplayViewer
from tests import factories
from tests.answers import ok, refused
from users.models import Block, Follow, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def replay():
    return factories.live(status=2, ended_at=timezone.now(), lookback_addr="http://cdn/r.mp4")


def opens(api, user, live):
    ok(api(user).get("live/get-live", liveId=live.pk))


def names(api, live, viewer=None, **asked):
    answer = ok(api(viewer or factories.person()).get("live/list-replay-users", liveId=live.pk, **asked))
    return [user["displayName"] for user in answer["users"]]


def test_who_opened_it_is_listed_the_latest_first_and_once(api, replay):
    one, other, third = (factories.person(name) for name in ("一", "二", "三"))
    for user in (one, other, third, one):
        opens(api, user, replay)
    assert names(api, replay) == ["一", "三", "二"]


def test_a_card_says_what_the_phone_shows(api, replay):
    seen, me = factories.person("小宋", description="没有什么不可以", address="北京市"), factories.person()
    Follow.objects.create(follower=me, followee=seen)
    opens(api, seen, replay)
    (card,) = ok(api(me).get("live/list-replay-users", liveId=str(replay.pk)))["users"]
    shown = {"id": seen.pk, "displayName": "小宋", "description": "没有什么不可以", "address": "北京市", "region": ""}
    shown |= {"gender": "Female", "birthDay": "1990-01-01", "isFollowed": True, "user_type": "Normal", "level": 1}
    assert {name: card[name] for name in shown} == shown
    assert card["user_status"] == "Published" and card["lastModified"] > 0


def test_its_owner_is_no_viewer_and_neither_is_who_only_looked_at_the_list(api, replay):
    opens(api, replay.owner, replay)
    assert names(api, replay) == names(api, replay) == []


@pytest.mark.parametrize("fields", [{"status": 1}, {"lookback_addr": ""}])
def test_where_there_is_no_replay_nobody_saw_one(api, replay, fields):
    Live.objects.filter(pk=replay.pk).update(**fields)
    ok(api(factories.person(), version="1.1.2").get("live/get-live", liveId=replay.pk))
    assert names(api, replay) == []
    assert not ReplayViewer.objects.exists()


def test_nobody_who_left_or_with_whom_there_is_a_block(api, replay):
    me, banned, leaving, blocked, blocking, shown = (factories.person(name) for name in "我禁走拉黑人")
    for user in (banned, leaving, blocked, blocking, shown):
        opens(api, user, replay)
    User.objects.filter(pk=banned.pk).update(is_active=False)
    User.objects.filter(pk=leaving.pk).update(deletion_due_at=timezone.now())
    Block.objects.create(user=me, target=blocked)
    Block.objects.create(user=blocking, target=me)
    assert names(api, replay, me) == ["人"]


def test_fifty_at_most_and_pages(api, replay):
    for _ in range(53):
        ReplayViewer.objects.create(live=replay, user=factories.person())
    pages = [names(api, replay, offset=at, limit=20) for at in (0, 20, 40, 60)]
    assert [len(page) for page in pages] == [20, 20, 13, 0]
    assert len({name for page in pages for name in page}) == 53
    assert len(names(api, replay)) == len(names(api, replay, limit=1000)) == 50


@pytest.mark.parametrize("status", [3, 4])
def test_of_a_banned_or_deleted_live_nobody_is_told(api, replay, status):
    opens(api, factories.person(), replay)
    Live.objects.filter(pk=replay.pk).update(status=status)
    refused(api(factories.person()).get("live/list-replay-users", liveId=replay.pk), 731, "无效的直播")


def test_nobody_without_a_good_token_is_told_or_counted(api, replay):
    opens(api, factories.person("一"), replay)
    nobody = api()
    for path in ("live/list-replay-users", "live/get-live"):
        refused(nobody.get(path, liveId=replay.pk), 720, "token无效")
        refused(nobody.get(path, liveId=replay.pk, token="0" * 64), 720, "token无效")
    assert names(api, replay) == ["一"]


def test_of_no_live(api):
    phone = api(factories.person())
    refused(phone.get("live/list-replay-users", liveId=5), 731, "无效的直播")
    refused(phone.get("live/list-replay-users", liveId="x"), 700, "参数错误")
    refused(phone.get("live/list-replay-users"), 700, "参数错误")
