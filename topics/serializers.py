"""What phones are told about topics and subjects: the keys of both documented shapes (contract_notes.md (e) 17)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NotRequired, TypedDict

from django.utils import timezone

from heihei_site.api.share_cards import Share
from heihei_site.api.wire import clock, time_tip
from payment.selectors import address_of
from topics import selectors, sharing
from topics.models import Subject, Topic
from topics.services import counting
from topics.services.counting import Counts
from users.models import User
from users.selectors import followed_by
from users.serializers import Honour


class PosterCard(TypedDict):
    """Somebody who says or is answered something."""

    id: int
    display_name: str
    hei_num: int
    cover_url: str
    level: int
    birth_day: str
    gender: str
    honours: list[Honour]
    is_followed: bool


class ActiveCard(PosterCard):
    time_tip: str


class TopicCountings(TypedDict):
    """What happened in it, and `reply_count`: how much there is to hear."""

    view_count: int
    reply_count: int
    like_count: int


class SubjectCountings(TopicCountings):
    gift_count: int


class CountedTopic(TopicCountings):
    topic_id: int


class CountedSubject(SubjectCountings):
    subject_id: int


class TopicCard(TypedDict):
    id: int
    name: str
    img: str
    content: str
    cat_name: str
    is_top: int
    type: int
    countings: TopicCountings
    share_info: Share


class ReplyCard(TypedDict):
    """`main_subject_id` is the post whose thread it is in, `reply_subject_id` what it answers: both 0 for a post."""

    id: int
    topic_id: int
    title: str
    path: str
    length: int
    samples: str
    create_time: str
    time_tip: str
    creator_id: int
    main_subject_id: int
    reply_subject_id: int
    reply_user_id: int
    replies_total: int
    is_like: bool
    countings: SubjectCountings
    share_info: Share


class SubjectCard(ReplyCard):
    """With the newest few of its thread."""

    replies: list[ReplyCard]


class SubjectAnswer(TypedDict):
    subject: SubjectCard
    users: dict[str, PosterCard]


class SubjectDetail(TypedDict):
    topic: TopicCard
    subject: ReplyCard
    replys: list[ReplyCard]
    users: dict[str, PosterCard]
    page_size: int
    offset: int


class TopicDetail(TypedDict):
    topic: TopicCard
    subjects: list[SubjectCard]
    users: dict[str, PosterCard]
    page_size: int
    offset: int


class DueChatArea(TypedDict):
    topic: NotRequired[TopicCard]
    users: list[ActiveCard]


class TopicList(TypedDict):
    due_chat: DueChatArea
    topics: list[TopicCard]
    page_size: int
    offset: int


class Counted(TypedDict):
    subject_countings: CountedSubject
    topic_countings: CountedTopic


class GoldLeft(TypedDict):
    gold: int


def poster_card(user: User, *, followed: bool) -> PosterCard:
    return {
        "id": user.pk,
        "display_name": user.display_name,
        "hei_num": user.hei_num,
        "cover_url": user.cover_url,
        "level": user.level,
        "birth_day": user.birth_day,
        "gender": user.gender,
        "honours": [],
        "is_followed": followed,
    }


def topic_cards(topics: Sequence[Topic], base_url: str) -> list[TopicCard]:
    """One query."""
    counted = counting.of_topics([topic.pk for topic in topics])
    return [_topic_card(topic, counted.get(topic.pk, Counts()), base_url) for topic in topics]


def _topic_card(topic: Topic, counts: Counts, base_url: str) -> TopicCard:
    return {
        "id": topic.pk,
        "name": topic.name,
        "img": address_of(topic.img, base_url) if topic.img else "",
        "content": topic.content,
        "cat_name": topic.cat_name,
        "is_top": int(topic.is_top),
        "type": topic.type,
        "countings": _of_topic(counts),
        "share_info": sharing.of_topic(topic, base_url),
    }


class Cards:
    """Subjects of one topic as one person sees them, with everybody in them: four queries, however many."""

    def __init__(self, subjects: Iterable[Subject], topic: Topic, viewer: User, base_url: str) -> None:
        shown = {subject.pk: subject for subject in subjects}
        self.topic, self.base_url, self.now = topic, base_url, timezone.now()
        self.people = {user.pk: user for user in selectors.people_of(shown.values())}
        self.followed = followed_by(viewer.pk, self.people)
        self.counts = counting.of_subjects(shown)
        self.liked = selectors.liked_by(viewer, shown)

    @property
    def users(self) -> dict[str, PosterCard]:
        return {str(pk): poster_card(user, followed=pk in self.followed) for pk, user in self.people.items()}

    def of(self, subject: Subject) -> ReplyCard:
        counts = self.counts.get(subject.pk, Counts())
        cover_url = self.people[subject.creator_id].cover_url
        return {
            "id": subject.pk,
            "topic_id": subject.topic_id,
            "title": subject.title,
            "path": subject.path,
            "length": subject.length,
            "samples": subject.samples,
            "create_time": clock(subject.created_at),
            "time_tip": time_tip(subject.created_at, self.now),
            "creator_id": subject.creator_id,
            "main_subject_id": subject.main_id or 0,
            "reply_subject_id": subject.replied_id or 0,
            "reply_user_id": subject.reply_user_id,
            "replies_total": counts.replies,
            "is_like": subject.pk in self.liked,
            "countings": _of_subject(counts),
            "share_info": sharing.of_subject(subject, self.topic, cover_url, self.base_url),
        }

    def with_replies(self, subject: Subject, replies: Mapping[int, list[Subject]]) -> SubjectCard:
        return {**self.of(subject), "replies": [self.of(reply) for reply in replies.get(subject.pk, [])]}


def active_cards(people: Iterable[tuple[User, datetime]], viewer: User) -> list[ActiveCard]:
    """Who was active when. One query."""
    known, now = list(people), timezone.now()
    followed = followed_by(viewer.pk, [user.pk for user, _ in known])
    return [
        {**poster_card(user, followed=user.pk in followed), "time_tip": time_tip(moment, now)} for user, moment in known
    ]


def counted(subject: Subject) -> Counted:
    """How often everything has happened by now. Two queries."""
    of_subject = counting.of_subjects([subject.pk]).get(subject.pk, Counts())
    of_topic = counting.of_topics([subject.topic_id]).get(subject.topic_id, Counts())
    return {
        "subject_countings": {"subject_id": subject.pk, **_of_subject(of_subject)},
        "topic_countings": {"topic_id": subject.topic_id, **_of_topic(of_topic)},
    }


def _of_topic(counts: Counts) -> TopicCountings:
    return {"view_count": counts.views, "reply_count": counts.replies, "like_count": counts.likes}


def _of_subject(counts: Counts) -> SubjectCountings:
    return {**_of_topic(counts), "gift_count": counts.gifts}
