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
    live = Live.objects.select_related("owner").exclude(status__in=Live.GONE).filter(pk=live_id).first()
    if live is None:
        raise Http404
    on_air = live.status == Live.Status.PLAYING
    listen = registry.streaming().hls_address(live.stream) if on_air else live.lookback_addr
    return render(request, "system/live.html", {"live": live, "on_air": on_air, "listen": listen})
