"""Telling authors what others did with what they made (D45). Deeds leave it to a job: what a thousand people do to one
post at once, its author's list of messages need not stand for; and what follows within AUTHOR_QUIET is told in one."""

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from heihei_site.api import addresses
from heihei_site.realtime.publish import telling
from messages.services.notices import notify
from payment.selectors import address_of
from topics.models import Like, News, Subject
from users.models import User
from users.selectors import here

AT_ONCE = 500  # told in one run

DID: dict[str, str] = {
    News.Kind.LIKE: "给你点赞了",
    News.Kind.REPLY: "回复了你",
    News.Kind.GIFT: "给你送了{gift}",
}

log = structlog.get_logger(__name__)


def tell_waiting() -> int:
    """Everything that is due; returns how much. Run twice or in parallel, each is told once."""
    told = 0
    for news_id in list(_due().order_by(F("told_at").asc(nulls_first=True)).values_list("pk", flat=True)[:AT_ONCE]):
        try:
            told += _tell(news_id)
        except Exception:  # one that cannot be told does not keep the others
            log.exception("author_not_told", news=news_id)
    return told


def _due() -> QuerySet[News]:
    long_ago = Q(told_at=None) | Q(told_at__lte=Now() - settings.AUTHOR_QUIET)
    return News.objects.filter(long_ago, many__gt=0)


@telling()
def _tell(news_id: int) -> bool:
    """Looks again with the row held; another worker may be at it."""
    held = _due().filter(pk=news_id).select_for_update(no_key=True, skip_locked=True, of=("self",))
    news = held.select_related("subject__topic", "gift").first()
    if news is None:
        return False
    News.objects.filter(pk=news.pk).update(many=0, people=None, told_at=Now())
    actor = _actor(news)
    if actor is None or news.subject.state != Subject.State.SHOWN:
        return False
    _notify(news, actor)
    return True


def _actor(news: News) -> User | None:
    """Who did it last; of a like, who still likes it. Nobody who has left meanwhile."""
    who = news.actor_id
    if news.kind == News.Kind.LIKE:
        likes = Like.objects.filter(here("user__"), subject=news.subject_id).exclude(user_id=news.subject.creator_id)
        last = likes.filter(user_id=who).first() or likes.first()
        if last is None:
            return None
        who = last.user_id
    actor: User | None = User.objects.filter(here(""), pk=who).first()
    return actor


def _notify(news: News, actor: User) -> None:
    topic, base = news.subject.topic, addresses.public_url()
    gift = news.gift if news.kind == News.Kind.GIFT else None
    did = DID[news.kind].format(gift=gift.name if gift else "礼物")
    who = f"我和另外{news.many - 1}人" if news.many > 1 else "我"
    notify(
        recipient_id=news.subject.creator_id,
        actor=actor,
        text=f"{who}在话题#{topic.name}#里{did}，",
        link=f"wmlivesheihei://topic/{topic.pk}",
        img=address_of(gift.image, base) if gift else "",
        icon=address_of(gift.icon, base) if gift else "",
    )
