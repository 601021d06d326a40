"""What authors are told, and how often."""

from datetime import timedelta

import pytest
from django.db.models import F

from heihei_site.realtime.models import Message
from messages.models import InstantMessage
from tests import factories, voices
from tests.answers import ok, refused
from tests.conftest import Api
from tests.messages.conftest import told
from topics import tasks
from topics.models import News, Subject
from users.models import Block, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gifts")]


@pytest.fixture
def post(corner) -> Subject:
    return voices.subject(corner.topic, corner.rain)


def jobs():
    tasks.fold()
    return tasks.tell_authors()


def notices(user):
    """What each said, and from whom it came."""
    heard = [element for element in told(user) if element["msg"]["msgType"] == "sysnotify"]
    return [(element["msg"]["content"]["text"], element["msg"]["fromUserId"]) for element in heard]


def a_while_passes(seconds=61):
    News.objects.update(told_at=F("told_at") - timedelta(seconds=seconds))


def test_a_like_is_told_with_the_way_there(corner, post):
    ok(corner.souths.post("topic/like-subject", subjectId=post.pk))
    assert told(corner.rain) == []  # a job tells, so that a thousand at once need not wait for each other
    assert jobs() == 1
    (element,) = told(corner.rain)
    message = element["msg"]
    assert element["msgType"] == "IM"
    assert message["content"] == {"text": "我在话题#接口对接#里给你点赞了，"}
    assert message["jump"] == {"text": "查看", "link": f"wmlivesheihei://topic/{corner.topic.pk}"}
    assert (message["fromUserId"], message["toUserId"]) == (corner.south.pk, corner.rain.pk)
    assert jobs() == 0
    assert len(told(corner.rain)) == 1


def test_what_follows_within_a_while_is_told_in_one(corner, post, api):
    ok(corner.souths.post("topic/like-subject", subjectId=post.pk))
    jobs()
    fans = [factories.person() for _ in range(3)]
    for fan in fans:
        ok(api(fan).post("topic/like-subject", subjectId=post.pk))
    assert jobs() == 0
    a_while_passes()
    assert jobs() == 1
    assert notices(corner.rain)[1] == ("我和另外2人在话题#接口对接#里给你点赞了，", fans[2].pk)


def test_a_like_that_was_taken_back_is_no_news(corner, post, api):
    fan = factories.person()
    ok(api(fan).post("topic/like-subject", subjectId=post.pk))
    for call in ("like", "unlike"):
        ok(corner.souths.post(f"topic/{call}-subject", subjectId=post.pk))
    jobs()
    assert notices(corner.rain) == [("我在话题#接口对接#里给你点赞了，", fan.pk)]
    a_while_passes()
    ok(corner.souths.post("topic/like-subject", subjectId=post.pk))
    tasks.fold()
    ok(corner.souths.post("topic/unlike-subject", subjectId=post.pk))
    assert jobs() == 0


def test_liking_and_unliking_tells_once_a_while(corner, post):
    for _ in range(5):
        for call in ("like", "unlike", "like"):
            ok(corner.souths.post(f"topic/{call}-subject", subjectId=post.pk))
        jobs()
    assert len(notices(corner.rain)) == 1


def test_a_reply_is_told_to_whom_it_answers_and_to_whose_thread_it_is(corner, post):
    reply = corner.replied(post)
    jobs()
    assert notices(corner.rain) == [("我在话题#接口对接#里回复了你，", corner.south.pk)]
    third = factories.person("三")
    other = voices.subject(creator=third, to=post)
    ok(corner.reply(other))
    a_while_passes()
    jobs()
    assert len(notices(third)) == 1
    assert len(notices(corner.rain)) == 2
    assert notices(corner.south) == []
    assert reply.pk


def test_a_reply_to_a_reply_of_the_same_author_is_told_once(corner, post):
    own = voices.subject(creator=corner.rain, to=post)
    ok(corner.reply(own))
    jobs()
    assert len(notices(corner.rain)) == 1


def test_nobody_is_told_of_themselves(corner, post):
    ok(corner.rains.post("topic/like-subject", subjectId=post.pk))
    ok(corner.rains.post("topic/reply-subject", subjectId=post.pk, sign=voices.upload(corner.rain), samples="1"))
    assert jobs() == 0
    assert not InstantMessage.objects.exists()


def test_a_gift_is_told_with_its_picture(corner, post):
    assert ok(corner.souths.post("topic/buy-gift", subjectId=post.pk, giftId=105, gift_uuid="u", amount=1))
    jobs()
    (element,) = told(corner.rain)
    content = element["msg"]["content"]
    assert content["text"].startswith("我在话题#接口对接#里给你送了")
    assert content["img"].endswith("/static/gifts/105.png") and content["icon"].endswith("/static/gifts/105-icon.png")


@pytest.mark.parametrize("folds", ["after each gift", "once"])
def test_people_count_once_however_often_and_between_whom_they_give(corner, post, api, folds):
    def give(phone, uuid):
        ok(phone.post("topic/buy-gift", subjectId=post.pk, giftId=101, gift_uuid=uuid, amount=1))
        if folds == "after each gift":
            tasks.fold()

    other = factories.person(gold=100)
    others = api(other)
    for uuid in ("a", "b", "c"):
        give(corner.souths, f"{uuid} of south")
        give(others, f"{uuid} of the other")
    jobs()
    assert [(text[:6], who) for text, who in notices(corner.rain)] == [("我和另外1人", other.pk)]
    a_while_passes()
    give(corner.souths, "later")
    jobs()
    assert notices(corner.rain)[1][0].startswith("我在话题")


def test_of_what_is_gone_and_of_whom_one_blocks_nothing_is_told(corner, post):
    ok(corner.souths.post("topic/like-subject", subjectId=post.pk))
    tasks.fold()
    ok(corner.rains.post("topic/delete-subject", subjectId=post.pk))
    tasks.tell_authors()
    other = voices.subject(corner.topic, corner.rain)
    ok(corner.souths.post("topic/like-subject", subjectId=other.pk))
    tasks.fold()
    Block.objects.create(user=corner.rain, target=corner.south)
    tasks.tell_authors()
    assert not Message.objects.exists()
    assert not News.objects.filter(many__gt=0).exists()


def test_a_job_that_fails_tells_later_and_keeps_nobody_else(corner, post, monkeypatch):
    other = voices.subject(corner.topic, factories.person())
    for what in (post, other):
        ok(corner.souths.post("topic/like-subject", subjectId=what.pk))
    tasks.fold()
    told_to = []

    def fails_for_rain(*, recipient_id, **_):
        if recipient_id == corner.rain.pk:
            raise RuntimeError
        told_to.append(recipient_id)

    with monkeypatch.context() as patch:
        patch.setattr("topics.services.authors.notify", fails_for_rain)
        assert tasks.tell_authors() == 1
    assert told_to == [other.creator_id]
    assert tasks.tell_authors() == 1
    assert len(notices(corner.rain)) == 1


def test_a_gift_without_gold_is_told_to_nobody(corner, post):
    refused(corner.rains.post("topic/buy-gift", subjectId=post.pk, giftId=101), 700, "参数错误")
    poor = factories.person()
    refused(Api(poor).post("topic/buy-gift", subjectId=post.pk, giftId=101), 740, "余额不足")
    assert jobs() == 0
    assert voices.counts(post) == (0, 0, 0, 0)


def test_of_many_gifts_and_replies_of_one_person_nobody_else_is_told(corner, post, gifts):
    for amount in (1, 2, 3):
        ok(corner.souths.post("topic/buy-gift", subjectId=post.pk, giftId=101, gift_uuid="u", amount=amount))
    tasks.fold()
    for amount in (4, 5):
        ok(corner.souths.post("topic/buy-gift", subjectId=post.pk, giftId=101, gift_uuid="u", amount=amount))
    for _ in range(2):
        corner.replied(post)
    assert jobs() == 2
    assert sorted(notices(corner.rain)) == sorted([
        ("我在话题#接口对接#里给你送了小黄瓜，", corner.south.pk),
        ("我在话题#接口对接#里回复了你，", corner.south.pk),
    ])  # fmt: skip


@pytest.mark.parametrize("together", [True, False])
def test_who_takes_an_old_like_back_takes_away_no_news_of_another(corner, post, api, together):
    fan = factories.person()
    ok(corner.souths.post("topic/like-subject", subjectId=post.pk))
    jobs()
    ok(api(fan).post("topic/like-subject", subjectId=post.pk))
    if not together:
        tasks.fold()
    ok(corner.souths.post("topic/unlike-subject", subjectId=post.pk))
    tasks.fold()
    a_while_passes()
    assert jobs() == 1
    assert notices(corner.rain)[1:] == [("我在话题#接口对接#里给你点赞了，", fan.pk)]


def test_of_whom_has_been_banned_meanwhile_nothing_is_told(corner, post, api):
    fan = factories.person()
    for phone in (api(fan), corner.souths):
        ok(phone.post("topic/like-subject", subjectId=post.pk))
    corner.replied(post)
    tasks.fold()
    User.objects.filter(pk=corner.south.pk).update(is_active=False)
    assert jobs() == 1
    assert [author for _, author in notices(corner.rain)] == [fan.pk]
