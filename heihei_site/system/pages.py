"""The few pages that people see in a browser."""

import hmac
import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from heihei_site.providers import registry
from heihei_site.system import health
from live import sharing
from live.models import Live
from topics import sharing as topic_sharing
from topics.selectors import find_shared
from topics.services import counting, topics

WORDS = {"database": "数据库", "bus": "消息总线", "workers": "后台任务"}


@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """`/`: is it well, and where to go on."""
    checks = [(WORDS[name], well) for name, well in health.report().items()]
    return render(request, "system/status.html", {"checks": checks, "well": all(well for _, well in checks)})


def shared_live(request: HttpRequest) -> HttpResponse:
    """What a share card opens: who broadcasts what. Only with a signature of ours: rooms cannot be walked through."""
    live_id, sign = request.GET.get("liveid", ""), request.GET.get("sign", "")
    if not re.fullmatch(r"[0-9]{1,16}", live_id) or not hmac.compare_digest(
        sharing.signature(int(live_id)).encode(), sign.encode()
    ):
        raise Http404
    known = Live.objects.select_related("owner").with_overdue().exclude(status__in=Live.GONE)
    live = known.filter(pk=live_id).first()
    if live is None:
        raise Http404
    is_open = live.is_open and not live.overdue  # the owner's deadline counts, not whether a sweep has been by (D21)
    on_air = is_open and live.status == Live.Status.PLAYING
    listen = registry.streaming().hls_address(live.stream) if on_air else live.lookback_addr
    return render(request, "system/live.html", {"live": live, "is_open": is_open, "on_air": on_air, "listen": listen})


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
