"""The few pages that people see in a browser."""

import hmac
import re
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from heihei_site.api import addresses
from heihei_site.system import health
from topics import sharing as topic_sharing
from topics.models import Subject
from topics.selectors import find_shared
from topics.services import counting, topics

WORDS = {"database": "数据库", "bus": "消息总线", "workers": "后台任务"}


@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """`/`: is it well, and where to go on."""
    checks = [(WORDS[name], well) for name, well in health.report().items()]
    well = all(well for _, well in checks)
    return render(request, "system/status.html", {"checks": checks, "well": well, "playground": settings.DEVELOPMENT})


@require_safe
@never_cache
def shared_topic(request: HttpRequest) -> HttpResponse:
    """What the share card of a topic or a subject opens, with a signature of ours."""
    what = "subject" if "subject" in request.GET else "topic"
    number, sign = request.GET.get(what, ""), request.GET.get("sign", "")
    if not re.fullmatch(r"[0-9]{1,16}", number) or not hmac.compare_digest(
        topic_sharing.signature(what, int(number)).encode(), sign.encode()
    ):
        raise Http404
    subject = find_shared(int(number)) if what == "subject" else None
    topic = topics.find(subject.topic_id if subject else int(number) if what == "topic" else 0)
    if topic is None:
        raise Http404
    base_url = addresses.base_url(request)
    picture = topic_sharing.picture_of(topic, base_url)
    shown = {
        "topic": topic,
        "subject": subject,
        "counts": counting.of_subjects([subject.pk])[subject.pk]
        if subject
        else counting.of_topics([topic.pk])[topic.pk],
        "picture": picture,
        "preview": _absolute(subject.creator.cover_url) or picture if subject else picture,
        "url": f"{base_url}/html/topic.html?{urlencode({what: number, 'sign': sign})}",
    }
    answer = render(request, "system/topic.html", shown)
    answer["Content-Security-Policy"] = _policy(subject)
    return answer


def _absolute(address: str) -> str:
    """For previews; empty where it is none."""
    return address if address.startswith(("http://", "https://")) else ""


def _policy(subject: Subject | None) -> str:
    """No scripts; sound from where this one is."""
    parts = urlsplit(subject.path if subject else "")
    sound = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' http: https:",
            f"media-src 'self' {sound}".rstrip(),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
