"""Share cards of topics and subjects, and the signed addresses they point to."""

import hmac

from django.conf import settings

from heihei_site.api.share_cards import Share, everywhere
from payment.selectors import address_of
from topics.models import Subject, Topic


def signature(what: str, number: int) -> str:
    """Of `topic` or `subject` and its id: pages cannot be walked through."""
    return hmac.digest(settings.SHARE_KEY.encode(), f"{what} {number}".encode(), "sha256").hex()[:32]


def picture_of(topic: Topic, base_url: str) -> str:
    return address_of(topic.img or settings.SHARE_PICTURE, base_url)


def of_topic(topic: Topic, base_url: str) -> Share:
    return _share("topic", topic.pk, f"#{topic.name}#", topic.content, picture_of(topic, base_url), base_url)


def of_subject(subject: Subject, topic: Topic, cover_url: str, base_url: str) -> Share:
    content = subject.title or topic.content
    return _share("subject", subject.pk, f"#{topic.name}#", content, cover_url, base_url)


def _share(what: str, number: int, title: str, content: str, cover_url: str, base_url: str) -> Share:
    return everywhere(
        title=title,
        content=content,
        url=f"{base_url}/html/topic.html?{what}={number}&sign={signature(what, number)}",
        cover_url=cover_url,
    )
