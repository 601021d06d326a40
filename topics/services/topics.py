"""The topics that there are, in order: operators make them, so they are few, and every process knows them."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from heihei_site.postgres.kept import Kept
from topics.models import Topic, TopicStanding
from topics.services.heat import COLD

FIRST_TOPICS: list[dict[str, Any]] = [
    {
        "name": "约聊专区",
        "cat_name": "约聊专区",
        "type": Topic.Type.DUE_CHAT,
        "content": "刚刚在线的人都在这里，约一个聊聊吧",
    },
    {"name": "唱给陌生人", "cat_name": "唱歌", "content": "用一分钟唱一段你最近单曲循环的歌", "order": 1},
    {"name": "睡前故事", "cat_name": "故事", "content": "讲一个小故事，陪别人入睡", "order": 2},
    {"name": "方言大会", "cat_name": "生活", "content": "用你的家乡话说一句绕口令", "order": 3},
    {"name": "今天的小确幸", "cat_name": "生活", "content": "说说今天让你高兴的一件小事", "order": 4},
]


@Kept
def shown() -> list[Topic]:
    """Pinned ones first, then by the operators' order, then the warmest, their standings loaded."""
    topics = Topic.objects.filter(shown=True).select_related("standing")
    return sorted(topics, key=lambda topic: (not topic.is_top, topic.order, -topic.standing.heat, topic.pk))


def find(topic_id: int) -> Topic | None:
    return next((topic for topic in shown() if topic.pk == topic_id), None)


def due_chat() -> Topic | None:
    """The area of people to call; operators have one or none."""
    return next((topic for topic in shown() if topic.type == Topic.Type.DUE_CHAT), None)


def normal() -> list[Topic]:
    return [topic for topic in shown() if topic.type != Topic.Type.DUE_CHAT]


@transaction.atomic
def save(topic: Topic) -> None:
    """As operators want it."""
    topic.save()
    TopicStanding.objects.get_or_create(topic=topic, defaults={"heat": COLD})
    shown.changed()


@transaction.atomic
def make_due_chat(topic: Topic) -> None:
    """In the place of the one that was."""
    Topic.objects.filter(type=Topic.Type.DUE_CHAT).exclude(pk=topic.pk).update(type=Topic.Type.NORMAL)
    Topic.objects.filter(pk=topic.pk).update(type=Topic.Type.DUE_CHAT)
    shown.changed()


@transaction.atomic
def set_shown(chosen: QuerySet[Topic], is_shown: bool) -> int:
    """Returns how many were not so before."""
    changed = Topic.objects.filter(pk__in=chosen.values("pk")).exclude(shown=is_shown).update(shown=is_shown)
    shown.changed()
    return changed


def seed() -> None:
    """Where there is no topic. What operators have changed or taken out stays so."""
    if not Topic.objects.exists():
        for first in FIRST_TOPICS:
            save(Topic(**first))
