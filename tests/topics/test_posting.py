"""create-subject, reply-subject, get-subject, update-subject, delete-subject."""

import pytest

from heihei_site.api.wire import clock
from heihei_site.realtime.models import Message
from heihei_site.uploads import tasks as upload_tasks
from heihei_site.uploads.models import Upload
from tests import voices
from tests.answers import ok, refused
from tests.messages.conftest import told
from tests.uploads import samples
from topics.models import Subject, Tally
from users.services import words

pytestmark = pytest.mark.django_db
UNKNOWN = 100, "话题或帖子不存在"
FILE = 102, "文件验证失败"


def nothing_posted():
    used = Upload.objects.exclude(used_by="")
    return not Subject.objects.exists() and not Tally.objects.exists() and not used.exists()


def test_a_post_has_the_keys_of_both_documented_shapes(corner):
    answer = ok(corner.post("非阿什顿飞111"))
    subject, now = answer["subject"], Subject.objects.get()
    assert set(subject.pop("shareInfo")) == {"weibo", "wechat", "friend"}
    assert subject == {
        "id": now.pk,
        "topicId": corner.topic.pk,
        "title": "非阿什顿飞111",
        "replyText": "非阿什顿飞111",
        "path": now.path,
        "replyPath": now.path,
        "length": 4,
        "replyLength": 4,
        "samples": voices.SAMPLES,
        "createTime": clock(now.created_at),
        "timeTip": "刚刚",
        "creatorId": corner.rain.pk,
        "createrId": corner.rain.pk,
        "mainSubjectId": 0,
        "replySubjectId": 0,
        "replyId": 0,
        "replyUserId": 0,
        "repliesTotal": 0,
        "replies": [],
        "isLike": False,
        "countings": {"viewCount": 0, "replyCount": 0, "likeCount": 0, "giftCount": 0},
    }
    assert answer["users"] == {
        str(corner.rain.pk): {
            "id": corner.rain.pk,
            "displayName": "小雨",
            "heiNum": corner.rain.hei_num,
            "coverUrl": "http://cdn/a.jpg",
            "level": 5,
            "birthDay": "1990-01-01",
            "gender": "Female",
            "honours": [],
            "isFollowed": False,
        }
    }
    assert "/data/record/" in now.path
    assert voices.topic_counts(corner.topic) == (0, 1, 0)


def test_a_reply_says_what_it_answers_and_whom(corner):
    post = corner.posted()
    first = corner.replied(post)
    answer = ok(corner.rains.post("topic/reply-subject", subjectId=first.pk, sign=voices.upload(corner.rain),
                                  samples="[2,3,44,5,0]"))  # fmt: skip
    subject = answer["subject"]
    assert (subject["mainSubjectId"], subject["replySubjectId"], subject["replyId"]) == (post.pk, first.pk, first.pk)
    assert (subject["replyUserId"], subject["creatorId"]) == (corner.south.pk, corner.rain.pk)
    assert (subject["samples"], subject["length"], subject["title"]) == ("[2,3,44,5,0]", 0, "")
    assert set(answer["users"]) == {str(corner.rain.pk), str(corner.south.pk)}
    assert (voices.counts(post), voices.counts(first)) == ((0, 2, 0, 0), (0, 1, 0, 0))
    assert voices.topic_counts(corner.topic) == (0, 3, 0)


def test_the_same_upload_again_is_the_same_post(corner):
    sign = voices.upload(corner.rain)
    first, again = ok(corner.post(sign=sign)), ok(corner.post("别的", sign=sign))
    assert again["subject"] == first["subject"]
    assert voices.topic_counts(corner.topic) == (0, 1, 0)


def test_so_is_a_reply(corner):
    post, sign = corner.posted(), voices.upload(corner.south)
    first, again = ok(corner.reply(post, sign=sign)), ok(corner.reply(post, sign=sign))
    assert again["subject"] == first["subject"]
    assert voices.counts(post) == (0, 1, 0, 0)


def test_an_upload_that_is_a_post_already_is_no_other_one(corner):
    sign = voices.upload(corner.rain)
    post = corner.posted(sign=sign)
    refused(corner.post(sign=sign, topicId=voices.topic().pk), *FILE)
    refused(corner.rains.post("topic/reply-subject", subjectId=post.pk, sign=sign, samples="1"), *FILE)
    assert Subject.objects.count() == 1


def test_one_that_was_deleted_does_not_come_back_by_its_upload(corner):
    sign = voices.upload(corner.rain)
    post = corner.posted(sign=sign)
    ok(corner.rains.post("topic/delete-subject", subjectId=post.pk))
    refused(corner.post(sign=sign), *FILE)
    assert Subject.objects.get().state == Subject.State.DELETED


@pytest.mark.parametrize("wrong", ["x", "0" * 32, "' OR 1=1"])
def test_without_an_upload_of_ones_own_nothing_is_posted(corner, wrong):
    refused(corner.post(sign=wrong), *FILE)
    refused(corner.post(sign=voices.upload(corner.south)), *FILE)
    refused(corner.post(sign=voices.upload(corner.rain, samples.picture(), format="mp3")), *FILE)
    assert nothing_posted()


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": "a,b"},
        {"samples": "1;2"},
        {"samples": "1," * 2500},
        {"samples": ""},
        {"title": ""},
        {"title": "长" * 65},
        {"length": -1},
        {"length": "x"},
        {"sign": ""},
        {"topicId": "abc"},
    ],
)
def test_a_wrong_parameter_posts_nothing(corner, wrong):
    refused(corner.post(**wrong), 700, "参数错误")
    assert nothing_posted()


@pytest.mark.parametrize("given", ["[2,3,44,5,0,0,2,3]", "1,2,3", "7", "[ 1 , 2 ]"])
def test_samples_come_back_as_they_were_sent(corner, given):
    assert ok(corner.post(samples=given))["subject"]["samples"] == given


def test_a_title_with_a_blocked_word_is_refused(corner):
    words.add(["官方"])
    refused(corner.post("我是官 方"), 700, "标题含有不允许的词，请修改后再试")
    assert nothing_posted()
    post = corner.posted()
    refused(corner.rains.post("topic/update-subject", subjectId=post.pk, title="官方"), 700,
            "标题含有不允许的词，请修改后再试")  # fmt: skip
    post.refresh_from_db()
    assert post.title == "晚安"


def test_a_topic_that_is_not_shown_is_none(corner):
    hidden = voices.topic(shown=False)
    old = voices.subject(hidden)
    for topic_id in (hidden.pk, 999999, 2**53 - 1, 10**16):
        answer = corner.post(topicId=topic_id)
        assert answer["errorcode"] in (100, 700)
    refused(corner.reply(old), *UNKNOWN)
    refused(corner.souths.post("topic/get-subject", subjectId=old.pk), *UNKNOWN)
    assert Subject.objects.count() == 1


def test_what_is_said_in_a_topic_takes_its_id_by_three_names(corner):
    for name in ("topicId", "id", "topic_id"):
        said = {name: corner.topic.pk, "type": 1, "offset": 0}
        assert ok(corner.souths.post("topic/topic-detail", **said))["topic"]["id"] == corner.topic.pk
    refused(corner.souths.post("topic/topic-detail", type=1, offset=0), 700, "参数错误")


def test_the_measured_length_takes_the_place_of_the_believed_one(corner, committed):
    with committed():
        post = corner.posted(sign=voices.upload(corner.rain, samples.amr(7)), length=600)
    post.refresh_from_db()
    assert post.length == 7
    assert ok(corner.souths.post("topic/get-subject", subjectId=post.pk))["subject"]["replyLength"] == 7


def test_a_file_that_nobody_can_hear_is_gone_and_its_author_is_told_once(corner, committed):
    with committed():
        post = corner.posted(sign=voices.upload(corner.rain, b"#!AMR\n" + b"\xff" * 500))
    post.refresh_from_db()
    assert post.state == Subject.State.REFUSED
    refused(corner.souths.post("topic/get-subject", subjectId=post.pk), *UNKNOWN)
    assert voices.topic_counts(corner.topic) == (0, 0, 0)
    Upload.objects.update(told_at=None, working_until=None)
    with committed():
        upload_tasks.examine()
    (tip,) = [message["msg"]["message"] for message in told(corner.rain)]
    assert tip["title"] == "声音无法播放"
    assert Message.objects.count() == 1


def test_an_author_words_a_title_anew_and_nobody_else_does(corner):
    post = corner.posted()
    assert ok(corner.rains.post("topic/update-subject", subjectId=post.pk, title="早安"))["subject"]["title"] == "早安"
    refused(corner.souths.post("topic/update-subject", subjectId=post.pk, title="我的"), 711, "用户权限不足")
    post.refresh_from_db()
    assert post.title == "早安"
    refused(corner.souths.post("topic/update-subject", subjectId=post.pk + 99, title="我的"), *UNKNOWN)


def test_who_deletes_a_post_deletes_its_thread_with_it_and_the_second_time_nothing(corner):
    post = corner.posted()
    other = corner.posted("另一个")
    reply = corner.replied(post)
    assert voices.topic_counts(corner.topic) == (0, 3, 0)
    refused(corner.souths.post("topic/delete-subject", subjectId=post.pk), 711, "用户权限不足")
    for _ in range(2):
        ok(corner.rains.post("topic/delete-subject", subjectId=post.pk))
    assert voices.topic_counts(corner.topic) == (0, 1, 0)
    for gone in (post, reply):
        refused(corner.souths.post("topic/get-subject", subjectId=gone.pk), *UNKNOWN)
        refused(corner.souths.post("topic/like-subject", subjectId=gone.pk), *UNKNOWN)
        refused(corner.reply(gone), *UNKNOWN)
    refused(corner.rains.post("topic/update-subject", subjectId=post.pk, title="x"), *UNKNOWN)
    assert [shown["id"] for shown in detail(corner)] == [other.pk]


def test_who_deletes_a_reply_leaves_what_answered_it(corner):
    post = corner.posted()
    reply = corner.replied(post)
    answer = voices.subject(creator=corner.rain, to=reply)
    ok(corner.souths.post("topic/delete-subject", subjectId=reply.pk))
    assert (voices.counts(post), voices.topic_counts(corner.topic)) == ((0, 1, 0, 0), (0, 2, 0))
    shown = ok(corner.souths.post("topic/subject-detail", subjectId=post.pk, offset=0))
    assert [one["id"] for one in shown["replys"]] == [answer.pk]


def detail(corner, kind=1):
    return ok(corner.souths.post("topic/topic-detail", topicId=corner.topic.pk, type=kind, offset=0))["subjects"]


@pytest.mark.parametrize("odd", ["abc", "1e3", "-1", 10**20, ""])
def test_an_odd_id_is_a_wrong_parameter(corner, odd):
    for call in ("get-subject", "subject-detail", "like-subject", "listen-subject", "unlike-subject", "delete-subject"):
        refused(corner.souths.post(f"topic/{call}", subjectId=odd, offset=0), 700, "参数错误")
