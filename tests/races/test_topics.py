"""A hundred phones at one post: counts are exact, and nobody waits for anybody in a circle."""

import threading

import pytest
from django.db import connection, transaction

from messages.models import InstantMessage
from payment import ledger
from payment.reconciliation import breaches
from tests import factories, voices
from tests.answers import ok
from tests.races.crowd import at_once, codes, same_phone
from topics import tasks
from topics.models import Like, Listen, Subject, Tally
from topics.services import recounting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def disk(settings, tmp_path, monkeypatch):
    """Of each test's own; nobody listens to what is on it."""
    monkeypatch.setattr("heihei_site.jobs.soon", lambda job: None)
    options = {**settings.STORAGES["uploads"], "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "uploads": options}


@pytest.fixture
def people():
    return [factories.person() for _ in range(20)]


@pytest.fixture
def phones(api, people):
    return [api(person) for person in people]


def call(phone, path, subject, **said):
    return lambda: same_phone(phone).post(f"topic/{path}", subjectId=subject.pk, **said)


def fold_meanwhile(deeds):
    """The job runs as often as it can while they happen."""
    over = threading.Event()

    def fold():
        try:
            while not over.wait(0.02):  # else it takes the time of those who do them
                tasks.fold()
                tasks.tell_authors()
        finally:
            connection.close()

    jobs = [threading.Thread(target=fold) for _ in range(2)]
    for job in jobs:
        job.start()
    try:
        return at_once(deeds)
    finally:
        over.set()
        for job in jobs:
            job.join()


def test_a_hundred_likes_and_listens_at_once_are_counted_exactly(api):
    topic = voices.topic()
    post = voices.subject(topic)
    fans = [api(factories.person()) for _ in range(100)]
    deeds = [call(fan, path, post) for fan in fans for path in ("like-subject", "listen-subject")]
    assert codes(at_once(deeds)) == {0: 200}
    assert voices.counts(post) == (100, 0, 100, 0)
    assert voices.topic_counts(topic) == (100, 1, 100)
    tasks.fold()
    assert voices.counts(post) == (100, 0, 100, 0)
    assert (Like.objects.count(), Listen.objects.count()) == (100, 100)
    assert tasks.tell_authors() == 1
    assert InstantMessage.objects.count() == 1


def test_so_are_those_of_few_people_who_change_their_minds_while_the_job_folds(phones):
    topic = voices.topic()
    post = voices.subject(topic)
    deeds = [
        call(phone, path, post) for _ in range(2) for phone in phones for path in ("like-subject", "unlike-subject")
    ]
    deeds += [call(phone, "listen-subject", post) for _ in range(2) for phone in phones]
    assert codes(fold_meanwhile(deeds)) == {0: len(deeds)}
    likes = Like.objects.count()
    assert voices.counts(post) == (20, 0, likes, 0)
    tasks.fold()
    assert voices.counts(post) == (20, 0, likes, 0)
    assert voices.topic_counts(topic) == (20, 1, likes)
    assert recounting.recount() == 0


def test_one_like_sent_twenty_times_at_once_is_one(api):
    post = voices.subject()
    phone = api(factories.person())
    assert codes(at_once([call(phone, "like-subject", post)] * 20)) == {0: 20}
    assert codes(at_once([call(phone, "listen-subject", post)] * 20)) == {0: 20}
    assert voices.counts(post) == (1, 0, 1, 0)
    assert Tally.objects.filter(likes=1).count() == 1


def test_a_hundred_replies_at_once_are_counted_exactly(people, phones):
    topic = voices.topic()
    post = voices.subject(topic)
    signs = [(phone, voices.upload(who)) for who, phone in zip(people, phones, strict=True) for _ in range(5)]
    deeds = [call(phone, "reply-subject", post, sign=sign, samples="1") for phone, sign in signs]
    assert codes(fold_meanwhile(deeds)) == {0: 100}
    assert voices.counts(post) == (0, 100, 0, 0)
    assert voices.topic_counts(topic) == (0, 101, 0)
    assert recounting.recount() == 0


def test_one_post_sent_ten_times_at_once_is_posted_once(api):
    topic, who = voices.topic(), factories.person()
    phone, sign = api(who), voices.upload(who)
    said = {"topicId": topic.pk, "sign": sign, "samples": "1", "title": "晚安", "length": 3}
    answers = at_once([lambda: same_phone(phone).post("topic/create-subject", **said)] * 10)
    assert {answer["subject"]["id"] for answer in map(ok, answers)} == {Subject.objects.get().pk}
    assert voices.topic_counts(topic) == (0, 1, 0)


def test_a_reply_against_the_deletion_of_what_it_answers_is_there_before_it_or_refused(api):
    """Whichever comes first, the topic counts what there is to hear."""
    for turn in range(6):
        topic, author = voices.topic(), factories.person()
        post = voices.subject(topic, author)
        fan = factories.person()
        first = voices.subject(creator=fan, to=post)
        phones = api(author), api(fan)
        gone = (post, phones[0]) if turn % 2 else (first, phones[1])
        signs = [voices.upload(fan) for _ in range(8)]
        deeds = [call(phones[1], "reply-subject", (post, first)[n % 2], sign=sign, samples="1")
                 for n, sign in enumerate(signs)]  # fmt: skip
        deeds.insert(3, call(gone[1], "delete-subject", gone[0]))
        deeds.insert(5, call(gone[1], "delete-subject", gone[0]))
        answers = fold_meanwhile(deeds)
        assert set(codes(answers)) <= {0, 100}
        shown = Subject.objects.filter(topic=topic, state=Subject.State.SHOWN)
        thread = shown.filter(main=post)
        assert voices.counts(post)[1] == thread.count()
        assert voices.topic_counts(topic)[1] == (0 if turn % 2 else 1 + thread.count())
    assert recounting.recount() == 0


def test_gifts_at_once_are_paid_counted_and_told(api, gifts):
    topic, rain = voices.topic(), factories.person()
    post = voices.subject(topic, rain)
    fans = [api(factories.person(gold=5)) for _ in range(10)]
    deeds = [call(fan, "buy-gift", post, giftId=101, gift_uuid="u", amount=n % 7) for fan in fans for n in range(1, 9)]
    answers = codes(fold_meanwhile(deeds))
    assert answers[0] + answers[740] + answers[700] == len(deeds)
    paid = ledger.balances(rain.pk).point
    assert paid == 50
    assert voices.counts(post)[3] == 50
    assert list(breaches()) == []


def test_a_like_does_not_wait_for_who_holds_the_post(api):
    """Somebody hides it, slowly; the job folds; a like is as quick as ever."""
    post = voices.subject()
    phone = api(factories.person())
    held, done = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                list(Subject.objects.select_for_update().filter(pk=post.pk))
                with connection.cursor() as cursor:
                    cursor.execute("SELECT FROM topics_standing FOR UPDATE")
                held.set()
                assert done.wait(30)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(30)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        for path in ("like-subject", "listen-subject", "unlike-subject"):
            ok(phone.post(f"topic/{path}", subjectId=post.pk))
    finally:
        done.set()
        holder.join()
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")
    assert voices.counts(post) == (1, 0, 0, 0)
