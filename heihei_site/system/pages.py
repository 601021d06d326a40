"""The few pages that people see in a browser."""

import hmac
import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from heihei_site.system import health
from topics import sharing as topic_sharing
from topics.selectors import find_shared
from topics.services import counting, topics

WORDS = {"database": "数据库", "bus": "消息总线", "workers": "后台任务"}


@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """`/`: is it well, and where to go on."""
    checks = [(WORDS[name], well) for name, well in health.report().items()]
    well = all(well for _, well in checks)
    return render(request, "system/status.html", {"checks": checks, "well": well, "playground": settings.DEVELOPMENT})


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
    counts = counting.of_subjects([subject.pk])[subject.pk] if subject else None
    return render(request, "system/topic.html", {"topic": topic, "subject": subject, "counts": counts})
