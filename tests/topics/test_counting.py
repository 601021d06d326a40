"""like-, unlike-, listen-subject, and the counts that they make (docs/adr/0017-counting-and-heat.md)."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st

from tests import voices
from tests.answers import ok
from topics import tasks
from topics.models import Listen, Standing, Subject, Tally, TopicStanding
from topics.services import heat, recounting

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(corner) -> Subject:
    return voices.subject(corner.topic, corner.rain)


def counted(answer):
    ok(answer)
    of_subject, of_topic = answer["subjectCountings"], answer["topicCountings"]
    assert all(type(value) is int for value in (*of_subject.values(), *of_topic.values()))
    return of_subject, of_topic


def test_a_like_counts_once_for_the_subject_and_its_topic(corner, post):
    for _ in range(2):
        of_subject, of_topic = counted(corner.souths.post("topic/like-subject", subjectId=post.pk))
        assert of_subject == {"subjectId": post.pk, "viewCount": 0, "replyCount": 0, "likeCount": 1, "giftCount": 0}
        assert of_topic == {"topicId": corner.topic.pk, "viewCount": 0, "replyCount": 1, "likeCount": 1}
    assert ok(corner.souths.post("topic/get-subject", subjectId=post.pk))["subject"]["isLike"] is True
    assert ok(corner.rains.post("topic/get-subject", subjectId=post.pk))["subject"]["isLike"] is False


def test_a_like_is_taken_back_once(corner, post):
    for call, likes in (("unlike", 0), ("like", 1), ("unlike", 0), ("unlike", 0), ("like", 1)):
        of_subject, of_topic = counted(corner.souths.post(f"topic/{call}-subject", subjectId=post.pk))
        assert (of_subject["likeCount"], of_topic["likeCount"]) == (likes, likes)
        tasks.fold()
    assert voices.counts(post) == (0, 0, 1, 0)


def test_somebody_who_hears_it_counts_once_a_minute(corner, post):
    for _ in range(3):
        assert counted(corner.souths.post("topic/listen-subject", subjectId=post.pk))[0]["viewCount"] == 1
    assert counted(corner.rains.post("topic/listen-subject", subjectId=post.pk))[0]["viewCount"] == 2
    Listen.objects.update(counted_at=F("counted_at") - timedelta(seconds=61))
    of_subject, of_topic = counted(corner.souths.post("topic/listen-subject", subjectId=post.pk))
    assert (of_subject["viewCount"], of_topic["viewCount"]) == (3, 3)


def test_folding_changes_no_count(corner, post):
    reply = voices.subject(creator=corner.south, to=post)
    for what in (post, reply):
        for phone in (corner.rains, corner.souths):
            ok(phone.post("topic/like-subject", subjectId=what.pk))
            ok(phone.post("topic/listen-subject", subjectId=what.pk))
    before = voices.counts(post), voices.counts(reply), voices.topic_counts(corner.topic)
    assert before == ((2, 1, 2, 0), (2, 0, 2, 0), (4, 2, 4))
    assert tasks.fold() == 10
    assert tasks.fold() == 0
    assert not Tally.objects.exists()
    assert (voices.counts(post), voices.counts(reply), voices.topic_counts(corner.topic)) == before
    assert Standing.objects.get(pk=post.pk).likes == 2
    assert TopicStanding.objects.get().views == 4


def test_what_is_wrong_is_set_right_and_what_is_right_is_left(corner, post):
    reply = voices.subject(creator=corner.south, to=post)
    voices.subject(creator=corner.south, to=reply)
    voices.subject(corner.topic, corner.south, state=Subject.State.HIDDEN)
    counting = voices.counts(post), voices.counts(reply)
    voices.like(corner.south, post)
    TopicStanding.objects.update(replies=-1)  # the hidden one was counted by its factory
    assert recounting.recount() == 0
    assert (voices.counts(post)[:2], voices.counts(reply)) == (counting[0][:2], counting[1])
    tasks.fold()
    Standing.objects.filter(pk=post.pk).update(likes=7, replies=0)
    TopicStanding.objects.update(likes=3, replies=100)
    assert tasks.recount() == 2
    assert tasks.recount() == 0
    assert voices.counts(post) == (0, 2, 1, 0)
    assert voices.topic_counts(corner.topic) == (0, 3, 1)


MOMENT = datetime(2026, 11, 28, 20, tzinfo=heat.EPOCH.tzinfo)
DEEDS = st.lists(
    st.tuples(st.floats(0.5, 50), st.integers(-(10**6), 10**7).map(lambda s: MOMENT + timedelta(seconds=s))),
    min_size=1,
    max_size=30,
)


@given(DEEDS, st.integers(0, 30))
def test_heat_is_the_same_in_whatever_portions_it_comes(deeds, cut):
    at_once = heat.warmed(heat.COLD, deeds)
    in_two = heat.warmed(heat.warmed(heat.COLD, deeds[:cut]), deeds[cut:])
    assert in_two == pytest.approx(at_once, abs=1e-6)
    assert heat.warmed(heat.COLD, deeds[::-1]) == pytest.approx(at_once, abs=1e-6)


@given(DEEDS, st.floats(0.5, 10), st.integers(0, 10**6))
def test_what_is_taken_back_leaves_no_warmth(deeds, weight, seconds):
    given_at = MOMENT + timedelta(seconds=seconds)
    before = heat.warmed(heat.COLD, [*deeds, (5.0, MOMENT)])
    after = heat.warmed(heat.warmed(before, [(weight, given_at)]), [(-weight, given_at)])
    assert after == pytest.approx(before, abs=1e-3)


def test_what_is_a_half_life_older_must_have_been_twice_as_warm():
    earlier = MOMENT - settings.HEAT_HALF_LIFE
    assert heat.fresh(2, earlier) == pytest.approx(heat.fresh(1, MOMENT), abs=1e-9)
    assert heat.fresh(1.9, earlier) < heat.fresh(1, MOMENT) < heat.fresh(2.1, earlier)


def test_one_person_warms_a_subject_once_by_hearing_and_once_by_liking_it(corner, post):
    def warmth():
        tasks.fold()
        return Standing.objects.get(pk=post.pk).heat

    began = warmth()
    ok(corner.rains.post("topic/like-subject", subjectId=post.pk))
    ok(corner.rains.post("topic/listen-subject", subjectId=post.pk))
    assert warmth() == began  # nobody warms their own
    ok(corner.souths.post("topic/listen-subject", subjectId=post.pk))
    heard = warmth()
    assert heard > began
    Listen.objects.update(counted_at=F("counted_at") - timedelta(seconds=61))
    ok(corner.souths.post("topic/listen-subject", subjectId=post.pk))
    assert warmth() == heard
    ok(corner.souths.post("topic/like-subject", subjectId=post.pk))
    liked = warmth()
    assert liked > heard
    for _ in range(3):
        ok(corner.souths.post("topic/unlike-subject", subjectId=post.pk))
        assert warmth() == pytest.approx(heard, abs=1e-6)
        ok(corner.souths.post("topic/like-subject", subjectId=post.pk))
        assert warmth() == pytest.approx(liked, abs=1e-4)


def test_a_tally_of_what_is_gone_is_folded_into_nothing(corner, post):
    Tally.objects.create(subject_id=999, topic_id=998, likes=1, warmth=1)
    tasks.fold()
    assert not Tally.objects.filter(subject_id=999).exists()


def test_get_config_says_how_often_others_did_what_with_all_that_one_said(corner, post):
    other = voices.subject(corner.topic, corner.rain)
    gone = voices.subject(corner.topic, corner.rain, state=Subject.State.HIDDEN)
    voices.subject(creator=corner.south, to=post)
    for what in (post, other):
        ok(corner.souths.post("topic/like-subject", subjectId=what.pk))
    ok(corner.souths.post("topic/listen-subject", subjectId=post.pk))
    voices.like(corner.south, gone)
    for _ in range(2):
        countings = ok(corner.rains.post("user/get-config"))["countings"]
        assert countings == {"viewCount": 1, "replyCount": 1, "likeCount": 2, "giftCount": 0}
        tasks.fold()
    nothing = {"viewCount": 0, "replyCount": 0, "likeCount": 0, "giftCount": 0}
    assert ok(corner.souths.post("user/get-config"))["countings"] == nothing
