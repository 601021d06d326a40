"""Three questions a machine asks: does this process answer, does everything behind it, and is the money sound."""

import time
from collections.abc import Callable

import structlog
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from heihei_site.system.tasks import CANARY
from payment import audit

CANARY_TOO_OLD = 8  # seconds: four canaries missed

log = structlog.get_logger(__name__)


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


def _bus() -> bool:
    cache.set("health", 1, 5)
    return bool(cache.get("health") == 1)


def _workers() -> bool:
    return bool(time.time() - cache.get(CANARY, 0) < CANARY_TOO_OLD)


CHECKS: dict[str, Callable[[], bool]] = {"database": _database, "bus": _bus, "workers": _workers}


def report() -> dict[str, bool]:
    """What answers. A failure is an answer too: it is logged, never raised."""
    found = {}
    for name, check in CHECKS.items():
        try:
            found[name] = check()
        except Exception as error:
            log.warning("health_check_failed", check=name, error=str(error))
            found[name] = False
    return found


@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 only when database, bus, and workers (with beat) answer."""
    found = report()
    return JsonResponse({"ok": all(found.values()), **found}, status=200 if all(found.values()) else 503)


@never_cache
def money(request: HttpRequest) -> JsonResponse:
    """200 while every promise of the money holds (`manage.py reconcile` says what is wrong where one does not)."""
    found = audit.latest()
    return JsonResponse(found, status=200 if found["ok"] else 503)


@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers: the load balancer's probe."""
    return JsonResponse({"ok": True})
