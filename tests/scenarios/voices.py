"""Topics and records: `topic/*`, `record/*`."""

import hashlib

from django.core.files.uploadedfile import SimpleUploadedFile

from payment.services import purchases
from records.models import Record
from records.services import review
from tests import factories, voices
from tests.scenarios.registry import Params, scenario
from tests.uploads import samples
from topics.models import Subject
from users.models import User
from users.services import words


def said(*, by: User | None = None) -> tuple[User, Subject]:
    """Who hears a post that has a reply, and likes what they hear."""
    words.blocked_in("")
    post = voices.subject(voices.topic(type=1), by)
    voices.subject(to=post)
    hearer = factories.person(gold=100)
    purchases.pay_for(user_id=hearer.pk, receiver_id=post.creator_id, gold=1, reason="gift", key=f"heard {post.pk}")
    return hearer, post


for path in ("get", "like", "listen"):

    @scenario(f"topic/{path}-subject")
    def of_a_post() -> tuple[User | None, Params]:
        hearer, post = said()
        return hearer, {"subjectId": post.pk}


@scenario("topic/unlike-subject")
def unlike_subject() -> tuple[User | None, Params]:
    hearer, post = said()
    voices.like(hearer, post)
    return hearer, {"subjectId": post.pk}


@scenario("topic/delete-subject")
def delete_subject() -> tuple[User | None, Params]:
    author = factories.person()
    _, post = said(by=author)
    return author, {"subjectId": post.pk}


@scenario("topic/update-subject")
def update_subject() -> tuple[User | None, Params]:
    author, params = delete_subject()
    return author, params | {"title": "早安"}


@scenario("topic/create-subject")
def create_subject() -> tuple[User | None, Params]:
    author, post = said()
    sign = voices.upload(author)
    return author, {"topicId": post.topic_id, "sign": sign, "samples": "1,2,3", "title": "晚安", "length": 5}


@scenario("topic/reply-subject")
def reply_subject() -> tuple[User | None, Params]:
    author, post = said()
    return author, {"subjectId": post.pk, "sign": voices.upload(author), "samples": "1,2,3"}


@scenario("topic/buy-gift")
def give_for_a_voice() -> tuple[User | None, Params]:
    hearer, post = said()
    return hearer, {"subjectId": post.pk, "giftId": 101, "amount": 1, "gift_uuid": "u"}


@scenario("topic/topic-list")
def topic_list() -> tuple[User | None, Params]:
    hearer, post = said()
    voices.topic()
    factories.token(post.creator)
    return hearer, {"offset": 0}


@scenario("topic/topic-detail")
def topic_detail() -> tuple[User | None, Params]:
    hearer, post = said()
    return hearer, {"topicId": post.topic_id, "type": 0, "offset": 0}


@scenario("topic/subject-detail")
def subject_detail() -> tuple[User | None, Params]:
    hearer, post = said()
    return hearer, {"subjectId": post.pk, "offset": 0}


def record_by(user: User, number: int = 0) -> Record:
    record = Record.objects.create(user=user, file="data/record/x.amr", file_md5=f"{number:032}", length=5)
    review.publish(record.pk)
    return record


@scenario("record/refresh-record")
def refresh_record() -> tuple[User | None, Params]:
    hearer = factories.person()
    record_by(hearer)
    record_by(factories.live().owner)
    return hearer, {"score": 0}


@scenario("record/read-record")
def read_record() -> tuple[User | None, Params]:
    return factories.person(), {"recordId": record_by(factories.live().owner).pk}


@scenario("record/delete-record")
def delete_record() -> tuple[User | None, Params]:
    owner = factories.person()
    return owner, {"recordId": record_by(owner).pk}


@scenario("record/upload-record")
def upload_record() -> tuple[User | None, Params]:
    sound = samples.amr(5)
    file, digest = SimpleUploadedFile("a.amr", sound), hashlib.md5(sound).hexdigest()
    return factories.person(), {"file": file, "fileName": "a.amr", "fileMd5": digest, "recordLength": 5}


def topics_of_operators(count: int) -> tuple[User, Params]:
    voices.Topic.objects.update(shown=False)
    for _ in range(count):
        voices.topic()
    return factories.person(), {"offset": 0}


def posts_of_people(count: int) -> tuple[User, Params]:
    topic = voices.topic()
    for _ in range(count):
        post = voices.subject(topic)
        for _ in range(count):
            voices.subject(to=post)
    return factories.person(), {"topicId": topic.pk, "type": 1, "offset": 0}


def thread_of_people(count: int) -> tuple[User, Params]:
    post = voices.subject()
    for _ in range(count):
        voices.subject(to=post)
    return factories.person(), {"subjectId": post.pk, "offset": 0}


def records_of_people(count: int) -> tuple[User, Params]:
    for number in range(count):
        record_by(factories.live().owner, number)
    return factories.person(), {"score": 0}
