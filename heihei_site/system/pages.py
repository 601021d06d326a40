"""The few pages that people see in a browser."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from heihei_site.system import health

WORDS = {"database": "数据库", "bus": "消息总线", "workers": "后台任务"}


@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """`/`: is it well, and where to go on."""
    checks = [(WORDS[name], well) for name, well in health.report().items()]
    well = all(well for _, well in checks)
    return render(request, "system/status.html", {"checks": checks, "well": well, "playground": settings.DEVELOPMENT})
