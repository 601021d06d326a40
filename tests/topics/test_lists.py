"""topic-list, topic-detail, subject-detail: what is shown, in which order, to whom."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils import timezone

from tests import factories, voices
from tests.answers import ok, refused
from topics import tasks
from topics.models import Standing, Subject, Tally
from topics.services import counting, topics
from users.models import Block, Follow, Session, User

pytestmark = pytest.mark.django_db
UNKNOWN = 100, "话题或帖子不存在"
HOT, NEW = 0, 1


def detail(phone, topic, kind=NEW, offset=0):
    return ok(phone.post("topic/topic-detail", topicId=topic.pk, type=kind, offset=offset))


def ids(rows):
    return [row["id"] for row in rows]


def warm(subject, weight):
    counting.add(Tally(subject_id=subject.pk, topic_id=subject.topic_id, warmth=weight))


# --- topic-list -------------------------------------------------------------------------------------------------------


def test_topics_that_are_pinned_come_first_then_by_order_then_the_warmest(corner):
    corner.topic.order = 9
    topics.save(corner.topic)
    last = voices.topic(order=10)
    cold, warmer = voices.topic(order=5), voices.topic(order=5)
    pinned = voices.topic(order=99, is_top=True)
    voices.topic(shown=False)
    counting.add(Tally(topic_id=warmer.pk, warmth=1))
    tasks.fold()
    topics.shown.forget()
    answer = ok(corner.souths.post("topic/topic-list", offset=0))
    assert ids(answer["topics"]) == [pinned.pk, warmer.pk, cold.pk, corner.topic.pk, last.pk]
    assert (answer["offset"], answer["pageSize"]) == (5, settings.TOPICS_PAGE)
    assert answer["dueChat"] == {"users": []}


def test_a_topic_says_what_it_is(corner):
    topic = voices.topic("瞎聊", img="gifts/101.png", content="瞎聊下吧", cat_name="生活", is_top=True)
    voices.subject(topic)
    card = ok(corner.souths.post("topic/topic-list", offset=0))["topics"][0]
    assert card.pop("shareInfo")["wechat"]["title"] == "#瞎聊#"
    assert card == {
        "id": topic.pk,
        "name": "瞎聊",
        "img": "http://testserver/static/gifts/101.png",
        "content": "瞎聊下吧",
        "catName": "生活",
        "isTop": 1,
        "type": 0,
        "countings": {"viewCount": 0, "replyCount": 1, "likeCount": 0},
    }


def test_topics_are_paged(corner):
    for number in range(24):
        voices.topic(order=number)
    first = ok(corner.souths.post("topic/topic-list", offset=0))
    second = ok(corner.souths.post("topic/topic-list", offset=first["offset"]))
    assert (len(first["topics"]), len(second["topics"]), second["offset"]) == (20, 5, 25)
    assert not set(ids(first["topics"])) & set(ids(second["topics"]))
    assert ok(corner.souths.post("topic/topic-list", offset=10**6))["topics"] == []


def test_the_due_chat_area_shows_who_was_just_active(corner, api):
    area = voices.topic("约聊专区", type=1)
    Follow.objects.create(follower=corner.south, followee=corner.rain)
    blocked, gone, bot = factories.person(), factories.person(), factories.person()
    for who in (blocked, gone, bot):
        api(who)
    Block.objects.create(user=blocked, target=corner.south)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    User.objects.filter(pk=bot.pk).update(display_name="")
    Session.objects.filter(user=corner.rain).update(active_at=timezone.now() - timedelta(minutes=2, seconds=5))
    answer = ok(corner.souths.post("topic/topic-list", offset=0))
    assert answer["dueChat"]["topic"]["id"] == area.pk
    assert answer["dueChat"]["topic"]["type"] == 1
    (person,) = answer["dueChat"]["users"]
    assert (person["id"], person["timeTip"], person["isFollowed"]) == (corner.rain.pk, "2分钟前", True)
    assert (person["heiNum"], person["level"], person["birthDay"]) == (corner.rain.hei_num, 5, "1990-01-01")
    assert area.pk not in ids(answer["topics"])


# --- topic-detail -----------------------------------------------------------------------------------------------------


def test_posts_are_paged_by_eleven_and_every_one_is_shown_once(corner):
    posts = [voices.subject(corner.topic).pk for _ in range(25)]
    for kind in (NEW, HOT, "new", "hot"):
        pages, offset = [], 0
        while True:
            page = detail(corner.souths, corner.topic, kind, offset)
            assert page["pageSize"] == 11
            if not page["subjects"]:
                break
            pages.append(ids(page["subjects"]))
            offset += len(pages[-1])
            assert page["offset"] == offset
        assert list(map(len, pages)) == [11, 11, 3]
        assert [one for page in pages for one in page] == posts[::-1]


def test_the_list_ends_after_a_depth(corner, settings):
    settings.POSTS_DEPTH = 15
    for _ in range(20):
        voices.subject(corner.topic)
    assert len(detail(corner.souths, corner.topic, HOT, 11)["subjects"]) == 4
    assert detail(corner.souths, corner.topic, HOT, 15)["subjects"] == []
    assert detail(corner.souths, corner.topic, NEW, 2**31 - 1)["subjects"] == []


def test_the_warmest_post_is_the_first_of_the_hot_ones(corner):
    old, middle, new = (voices.subject(corner.topic) for _ in range(3))
    warm(old, 20)
    tasks.fold()
    assert ids(detail(corner.souths, corner.topic, HOT)["subjects"]) == [old.pk, new.pk, middle.pk]
    assert ids(detail(corner.souths, corner.topic, NEW)["subjects"]) == [new.pk, middle.pk, old.pk]
    Standing.objects.filter(pk=old.pk).update(heat=Standing.objects.get(pk=old.pk).heat - 10)  # five days later
    assert ids(detail(corner.souths, corner.topic, HOT)["subjects"]) == [new.pk, middle.pk, old.pk]


def test_a_post_has_its_newest_three_replies_with_it(corner):
    post = voices.subject(corner.topic, corner.rain)
    replies = [voices.subject(creator=corner.south, to=post) for _ in range(4)]
    ok(corner.souths.post("topic/like-subject", subjectId=replies[3].pk))
    answer = detail(corner.souths, corner.topic)
    (card,) = answer["subjects"]
    assert ids(card["replies"]) == [reply.pk for reply in replies[:0:-1]]
    assert (card["repliesTotal"], card["countings"]["replyCount"]) == (4, 4)
    assert [reply["isLike"] for reply in card["replies"]] == [True, False, False]
    assert [reply["replyUserId"] for reply in card["replies"]] == [corner.rain.pk] * 3
    assert "replies" not in card["replies"][0]
    assert set(answer["users"]) == {str(corner.rain.pk), str(corner.south.pk)}


def test_what_nobody_should_see_is_not_there(corner):
    kept = voices.subject(corner.topic, corner.rain)
    blocking, blocked, banned, leaving = (factories.person() for _ in range(4))
    for creator in (blocking, blocked, banned, leaving):
        voices.subject(corner.topic, creator)
        voices.subject(creator=creator, to=kept)
    for state in (Subject.State.HIDDEN, Subject.State.DELETED, Subject.State.REFUSED):
        voices.subject(corner.topic, state=state)
        voices.subject(to=kept, state=state)
    Block.objects.create(user=blocking, target=corner.south)
    Block.objects.create(user=corner.south, target=blocked)
    User.objects.filter(pk=banned.pk).update(is_active=False)
    User.objects.filter(pk=leaving.pk).update(deletion_due_at=timezone.now() + timedelta(days=15))
    for kind in (NEW, HOT):
        (card,) = detail(corner.souths, corner.topic, kind)["subjects"]
        assert (card["id"], card["replies"]) == (kept.pk, [])
    assert ok(corner.souths.post("topic/subject-detail", subjectId=kept.pk, offset=0))["replys"] == []
    assert len(detail(corner.rains, corner.topic)["subjects"]) == 3


def test_between_people_of_whom_one_blocks_the_other_nothing_is_heard_liked_or_answered(corner, gifts):
    post, reply = voices.subject(corner.topic, corner.rain), None
    stranger = voices.subject(corner.topic)
    reply = voices.subject(creator=corner.rain, to=stranger)
    Block.objects.create(user=corner.rain, target=corner.south)
    for what in (post, reply, voices.subject(to=post)):
        for call in ("get-subject", "subject-detail", "like-subject", "unlike-subject", "listen-subject"):
            refused(corner.souths.post(f"topic/{call}", subjectId=what.pk, offset=0), *UNKNOWN)
        refused(corner.reply(what), *UNKNOWN)
        refused(corner.souths.post("topic/buy-gift", subjectId=what.pk, giftId=101), *UNKNOWN)
    assert ids(ok(corner.souths.post("topic/subject-detail", subjectId=stranger.pk, offset=0))["replys"]) == []


@pytest.mark.parametrize("wrong", ["2", "warm", "-1"])
def test_another_order_is_a_wrong_parameter(corner, wrong):
    refused(corner.souths.post("topic/topic-detail", topicId=corner.topic.pk, type=wrong, offset=0), 700, "参数错误")


def test_a_hidden_topic_is_unknown(corner):
    hidden = voices.topic(shown=False)
    refused(corner.souths.post("topic/topic-detail", topicId=hidden.pk, type=1, offset=0), *UNKNOWN)


# --- subject-detail ---------------------------------------------------------------------------------------------------


def test_a_post_is_shown_with_its_thread_under_both_names(corner):
    post = voices.subject(corner.topic, corner.rain)
    replies = [voices.subject(creator=corner.south, to=post) for _ in range(22)]
    answer = ok(corner.souths.post("topic/subject-detail", subjectId=post.pk, offset=0))
    assert answer["topic"]["id"] == corner.topic.pk
    assert answer["subject"]["id"] == post.pk
    assert answer["replys"] == answer["replies"]
    assert ids(answer["replys"]) == [reply.pk for reply in replies[:1:-1]]
    assert (answer["pageSize"], answer["offset"]) == (20, 20)
    second = ok(corner.souths.post("topic/subject-detail", subjectId=post.pk, offset=20))
    assert (ids(second["replys"]), second["offset"]) == ([replies[1].pk, replies[0].pk], 22)


def test_a_reply_is_shown_in_its_thread(corner):
    post = voices.subject(corner.topic, corner.rain)
    reply = voices.subject(creator=corner.south, to=post)
    answer = ok(corner.souths.post("topic/subject-detail", subjectId=reply.pk, offset=0))
    assert (answer["subject"]["id"], ids(answer["replys"])) == (reply.pk, [reply.pk])


def test_what_is_shared_opens_in_a_browser_and_nothing_beside_it(corner, client):
    post = voices.subject(corner.topic, corner.rain, title="<b>晚安</b>")
    answer = ok(corner.souths.post("topic/subject-detail", subjectId=post.pk, offset=0))
    card = answer["subject"]["shareInfo"]["weibo"]
    assert card["title"] == "#接口对接#"
    page = client.get(card["url"], headers={"host": "localhost"}).content.decode()
    assert "&lt;b&gt;晚安" in page and post.path in page and f"wmlivesheihei://topic/{corner.topic.pk}" in page
    topic_url = answer["topic"]["shareInfo"]["friend"]["url"]
    assert "#接口对接#" in client.get(topic_url, headers={"host": "localhost"}).content.decode()
    for wrong in (card["url"][:-1] + "x", topic_url.replace(f"topic={corner.topic.pk}", "topic=999999"),
                  card["url"].replace("subject=", "topic=")):  # fmt: skip
        assert client.get(wrong, headers={"host": "localhost"}).status_code == 404
    ok(corner.rains.post("topic/delete-subject", subjectId=post.pk))
    assert client.get(card["url"], headers={"host": "localhost"}).status_code == 404


def test_a_shared_page_says_to_previews_what_it_is_and_runs_no_script(corner, client):
    corner.topic.content = '说说"今天"<script>'
    topics.save(corner.topic)
    topics.shown.forget()
    post = voices.subject(corner.topic, corner.rain, title="晚安")
    shared = ok(corner.souths.post("topic/subject-detail", subjectId=post.pk, offset=0))
    card, of_topic = shared["subject"]["shareInfo"]["wechat"], shared["topic"]["shareInfo"]["wechat"]
    answer = client.get(card["url"], headers={"host": "localhost"})
    page = answer.content.decode()
    assert '<meta property="og:title" content="#接口对接#">' in page
    assert '<meta property="og:image" content="http://cdn/a.jpg">' in page
    assert "script-src" not in answer["Content-Security-Policy"] and "<script" not in page
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "media-src 'self' http://cdn;" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"].startswith("max-age=0")
    page = client.get(of_topic["url"], headers={"host": "localhost"}).content.decode()
    assert "<b>1</b> 条声音" in page and "<script>" not in page
    assert finders.find(of_topic["coverUrl"].partition("/static/")[2]), "a picture, though the topic has none"
    assert '<meta property="og:image" content="http://localhost/static/live/card.png">' in page


def test_a_shared_reply_is_gone_with_who_made_the_post(corner, client):
    post = voices.subject(corner.topic, corner.rain)
    reply = voices.subject(creator=corner.south, to=post)
    url = ok(corner.souths.post("topic/get-subject", subjectId=reply.pk))["subject"]["shareInfo"]["weibo"]["url"]
    assert client.get(url, headers={"host": "localhost"}).status_code == 200
    User.objects.filter(pk=corner.rain.pk).update(is_active=False)
    assert client.get(url, headers={"host": "localhost"}).status_code == 404
