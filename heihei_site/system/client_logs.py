"""Logs that phones send: kept for a while, for whoever looks into a complaint."""

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from rest_framework.request import Request

from heihei_site.api.callers import Caller
from heihei_site.api.logs import scrub
from heihei_site.system.models import ClientLog

BATCH = 1000  # rows deleted in one statement


def keep(caller: Caller, text: str) -> None:
    """Of a longer log its end: that is where it went wrong. Tokens, codes and phone numbers are hidden first."""
    version = caller.request.headers.get("version") or (caller.session.client_version if caller.anyone else "")
    ClientLog.objects.create(
        user=caller.anyone,
        platform=_said(caller.request, "deveiceType", 16),
        version=version[:32],
        device=_said(caller.request, "model", 64),
        text=str(scrub(text))[-settings.CLIENT_LOG_LENGTH :],
    )


def _said(request: Request, header: str, length: int) -> str:
    """A header as phones send it: raw UTF-8, which HTTP reads as latin-1."""
    value = request.headers.get(header, "")
    return str(scrub(value.encode("latin-1", "replace").decode(errors="replace")))[:length]


def forget_old() -> int:
    """Deletes what is too old and, of the rest, all but the newest; returns how many. Run twice, it finds nothing."""
    old = ClientLog.objects.filter(created_at__lt=Now() - settings.CLIENT_LOGS_AGE)
    gone = _delete(old)
    newest_ids = ClientLog.objects.order_by("-pk").values_list("pk", flat=True)
    last_kept = list(newest_ids[settings.CLIENT_LOGS_KEPT - 1 : settings.CLIENT_LOGS_KEPT])
    return gone + (_delete(ClientLog.objects.filter(pk__lt=last_kept[0])) if last_kept else 0)


def _delete(logs: QuerySet[ClientLog]) -> int:
    gone = 0
    while ids := list(logs.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        gone += ClientLog.objects.filter(pk__in=ids).delete()[0]
    return gone
