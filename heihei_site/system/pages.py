"""The few pages that people see in a browser."""

import hmac
import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from heihei_site.providers import registry
from heihei_site.system import health
from live import sharing
from live.models import Live

WORDS = {"database": "数据库", "bus": "消息总线", "workers": "后台任务"}


@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """`/`: is it well, and where to go on."""
    checks = [(WORDS[name], well) for name, well in health.report().items()]
    well = all(well for _, well in checks)
    return render(request, "system/status.html", {"checks": checks, "well": well, "playground": settings.DEVELOPMENT})


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
