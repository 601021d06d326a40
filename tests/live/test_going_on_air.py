"""start-live-notify: followers are told that somebody is on air (api.md 消息数据定义; D12, D18)."""

import orjson
import pytest
from django.conf import settings
from django.db.models.functions import Now

from heihei_site.realtime import storage
from heihei_site.realtime.models import MassMessage, Message, StreamKind
from live.models import Live
from tests import factories
from tests.answers import ok, refused
from users.models import Block, Follow

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return factories.person("阿嘿", gender="Male")


@pytest.fixture
def live(owner):
    return factories.live(owner, status=Live.Status.TO_START)


@pytest.fixture
def fans(owner):
    fans = [factories.person() for _ in range(3)]
    for fan in fans:
        Follow.objects.create(follower=fan, followee=owner)
    return fans


def missed(user) -> list[dict]:
    """What a phone gets that connects now for the first time."""
    rows = storage.read((StreamKind.PERSON, user.pk), 0, 99, 99)
    return [orjson.loads(row.element)["msg"] for row in rows]


def test_every_follower_is_told_once(api, owner, live, fans, told):
    someone = factories.person()
    Follow.objects.create(follower=owner, followee=someone)
    for _ in range(2):
        ok(api(owner, version="1.1.2").get("live/start-live", liveId=live.pk))
    news = [message for message in told if message.get("action") == "start-live-notify"]
    assert all(message.pop("msgId") > 0 for message in news)
    assert news == [
        {
            "person": fan.pk,
            "msgType": "action",
            "action": "start-live-notify",
            "comment": "系统通知",
            "link": f"wmlives_heihei://live?id={live.pk}",
            "text": "您关注的阿嘿开播了",
            "text-head": "您关注的",
            "text-tail": "开播了",
            "fromUserId": owner.pk,
            "fromUserName": "阿嘿",
            "gender": "Male",
            "getuiAction": "live",
        }
        for fan in fans
    ]
    assert (missed(someone), missed(owner)) == ([], [])


def test_who_blocked_or_is_blocked_is_not_told(api, owner, live, fans):
    """Blocking ends following; a row that is left all the same changes nothing."""
    Block.objects.create(user=owner, target=fans[0])
    Block.objects.create(user=fans[1], target=owner)
    ok(api(owner).get("live/start-live", liveId=live.pk))
    assert [len(missed(fan)) for fan in fans] == [0, 0, 1]


def test_a_hidden_live_is_no_news(api, owner, live, fans):
    Live.objects.update(visible=False)
    ok(api(owner).get("live/start-live", liveId=live.pk))
    assert (MassMessage.objects.count(), missed(fans[0])) == (0, [])


def test_what_does_not_start_is_not_told(api, owner, live, fans):
    refused(api(fans[0]).get("live/start-live", liveId=live.pk), 711, "用户权限不足")
    Live.objects.update(status=Live.Status.STOPPED)
    refused(api(owner).get("live/start-live", liveId=live.pk), 731, "直播无效")
    assert MassMessage.objects.count() == 0


def test_who_comes_late_is_not_told_old_news(api, owner, live, fans):
    """Within ten minutes it is what it was; later its number says only that there was something."""
    ok(api(owner).get("live/start-live", liveId=live.pk))
    [news] = missed(fans[0])
    assert (news["action"], "expireTime" in news) == ("start-live-notify", False)
    assert settings.LIVE_NEWS_SECONDS == 600
    Message.objects.update(expires_at=Now())
    assert missed(fans[0]) == [{"msgType": "action", "action": "expired", "msgId": news["msgId"]}]
