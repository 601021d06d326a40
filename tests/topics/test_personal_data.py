"""What is left of a person who is gone, and what one gets a copy of."""

import pytest

from tests import voices
from tests.answers import ok
from topics import personal_data, tasks
from topics.models import Like, Listen, Standing, Subject

pytestmark = pytest.mark.django_db


def test_who_is_erased_has_said_liked_and_heard_nothing(corner):
    own = voices.subject(corner.topic, corner.south)
    post = voices.subject(corner.topic, corner.rain)
    reply = voices.subject(creator=corner.south, to=post)
    ok(corner.souths.post("topic/like-subject", subjectId=post.pk))
    ok(corner.souths.post("topic/listen-subject", subjectId=post.pk))
    ok(corner.rains.post("topic/like-subject", subjectId=own.pk))
    for _ in range(2):
        personal_data.erase(corner.south.pk)
        assert voices.counts(post) == (1, 0, 0, 0)
        assert voices.topic_counts(corner.topic) == (1, 1, 1)
    tasks.fold()
    assert tasks.recount() == 0
    assert not Like.objects.filter(user=corner.south).exists()
    assert not Listen.objects.exists()
    for gone in Subject.objects.filter(pk__in=(own.pk, reply.pk)):
        assert (gone.state, gone.title, gone.path, gone.samples) == (Subject.State.DELETED, "", "", "")


def test_the_warmth_of_a_like_goes_with_who_gave_it(corner):
    liked, untouched = (voices.subject(corner.topic, corner.rain) for _ in range(2))
    ok(corner.souths.post("topic/like-subject", subjectId=liked.pk))
    tasks.fold()
    personal_data.erase(corner.south.pk)
    tasks.fold()
    heats = dict(Standing.objects.values_list("pk", "heat"))
    assert heats[liked.pk] == pytest.approx(heats[untouched.pk], abs=0.01)


def test_a_copy_has_what_one_said_liked_and_heard(corner):
    post = voices.subject(corner.topic, corner.rain, title="晚安")
    ok(corner.souths.post("topic/like-subject", subjectId=post.pk))
    ok(corner.souths.post("topic/listen-subject", subjectId=post.pk))
    rains = {name: list(rows) for name, rows in personal_data.own_data(corner.rain.pk).items()}
    souths = {name: list(rows) for name, rows in personal_data.own_data(corner.south.pk).items()}
    assert [row["title"] for row in rains["subjects"]] == ["晚安"]
    assert [row["subject_id"] for row in souths["likes"]] == [row["subject_id"] for row in souths["heard"]] == [post.pk]
    assert souths["subjects"] == rains["likes"] == []
