"""What a share card opens in a browser: `/html/live.html?liveid&sign&uid`, and what its script asks for.

Only with a signature of ours, and for a month: rooms cannot be walked through. What a guest may see is in guests.py.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from heihei_site.api import addresses
from heihei_site.providers import registry
from live import guests, sharing
from live.models import Live
from live.selectors import APP_LINK
from live.services import archives
from payment.selectors import gift_list

REASONS = {
    "forged": ("链接打不开", "这个链接不完整，或不是黑黑给出的。请回到分享的地方重新打开。", HTTPStatus.NOT_FOUND),
    "expired": ("链接已过期", "分享的链接一个月内有效。请朋友再分享一次，就能继续听。", HTTPStatus.GONE),
    "gone": ("直播不在了", "这场直播已被删除，或者从没有过。黑黑里还有很多人在聊天。", HTTPStatus.NOT_FOUND),
}
LONGEST_PART = 9999


class Closed(Exception):
    """Nothing to see; `reason` is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _live(request: HttpRequest) -> Live:
    try:
        live_id = sharing.opened(request.GET.get("liveid", ""), request.GET.get("sign", ""))
    except sharing.LinkForged:
        raise Closed("forged") from None
    except sharing.LinkExpired:
        raise Closed("expired") from None
    known = Live.objects.select_related("owner").with_overdue().exclude(status__in=Live.GONE)
    live = known.filter(pk=live_id).first()
    if live is None or not live.owner.is_here:
        raise Closed("gone")
    return live


def _state(live: Live) -> dict[str, Any]:
    """What changes while somebody looks on. The owner's deadline counts, not whether a sweep has been by (D21)."""
    is_open = live.is_open and not live.overdue
    on_air = is_open and live.status == Live.Status.PLAYING
    # Offered together with what was said, which takes a moment longer to be written down.
    written = live.archive or live.archive_due is None
    recorded = live.lookback_addr if live.status == Live.Status.STOPPED and written else ""
    return {
        "phase": "live" if on_air else "waiting" if is_open else "replay" if recorded else "ended",
        "sound": registry.streaming().hls_address(live.stream) if on_air else recorded,
        "paused": live.paused,
        "title": live.title,
        "online": live.occupied,
        "total": live.total_users,
        "since": int(live.started_at.timestamp()) if live.started_at else 0,
        "spoken": bool(recorded and live.archive),
    }


@require_safe
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    try:
        live = _live(request)
    except Closed as closed:
        return _closed(request, closed.reason)
    state = _state(live)
    base_url = addresses.base_url(request)
    host = "replay" if state["phase"] == "replay" else "live"
    link = urlencode({"liveid": live.pk, "sign": request.GET["sign"]})
    boot = {
        **state,
        "now": int(timezone.now().timestamp()),
        "socket": f"/ws/guest?{link}",
        "state": f"/html/live-state.json?{link}",
        "lines": f"/html/live-lines.json?{link}",
        "player": static("live/hls-1.7.4.light.min.js"),
        "icons": {gift["id"]: gift["icon"] for gift in gift_list(base_url)},
    }
    shown = {
        "live": live,
        "state": state,
        "boot": boot,
        "app_link": APP_LINK.format(host, live.pk),
        "cover": _picture(live.owner.cover_url, base_url),
        "url": f"{base_url}/html/live.html?{link}",  # whoever shares it on makes it no younger
    }
    answer = render(request, "live/share.html", shown)
    answer["Content-Security-Policy"] = _policy(request, str(state["sound"]), live)
    return answer


def _closed(request: HttpRequest, reason: str) -> HttpResponse:
    title, text, status = REASONS[reason]
    shown = {"title": title, "text": text, "reason": reason, "app_link": APP_LINK.partition("{")[0] + "homepage"}
    answer = render(request, "live/closed.html", shown, status=status)
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"
    return answer


def _picture(address: str, base_url: str) -> str:
    """For previews, which want an absolute address."""
    return address if address.startswith(("http://", "https://")) else f"{base_url}{static(settings.SHARE_PICTURE)}"


def _policy(request: HttpRequest, sound: str, live: Live) -> str:
    """Scripts of ours alone; sound from where this live's is, now and once it is a replay."""
    heard = {_origin(address) for address in (sound, registry.streaming().hls_address(live.stream))}
    heard.add(_origin(settings.REPLAY_BASE_URL))
    origins = " ".join(sorted(heard - {""}))
    scheme = "wss" if request.is_secure() or settings.PUBLIC_URL.startswith("https://") else "ws"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: http: https:",
            f"media-src 'self' blob: {origins}",
            f"connect-src 'self' {scheme}://{request.get_host()} {origins}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _answered(answer: Callable[[HttpRequest, Live], dict[str, Any]]) -> Callable[[HttpRequest], HttpResponse]:
    """For the script: 404 or 410 where the page itself would say so."""

    @require_safe
    @never_cache
    @wraps(answer)
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return JsonResponse(answer(request, _live(request)))
        except Closed as closed:
            return JsonResponse({"phase": closed.reason}, status=REASONS[closed.reason][2])

    return view


@_answered
def state(request: HttpRequest, live: Live) -> dict[str, Any]:
    return _state(live)


@_answered
def lines(request: HttpRequest, live: Live) -> dict[str, Any]:
    """Some of what was said, in order, from the archive: `part` counts from 0; `more` says whether there is another."""
    number = request.GET.get("part", "0")
    if live.status != Live.Status.STOPPED or not live.archive or not _is_part(number):
        return {"lines": [], "more": False}
    try:
        found = archives.read_part(live.archive, int(number))
    except FileNotFoundError:  # just written anew: the script asks again
        found = None
    began = int(live.created_at.timestamp())
    public = ((guests.public(message), at - began) for message, at in found or ())
    shown: list[guests.Line] = [{"at": max(0, at), "msg": message} for message, at in public if message is not None]
    return {"lines": shown, "more": found is not None}


def _is_part(number: str) -> bool:
    return number.isascii() and number.isdecimal() and len(number) <= len(str(LONGEST_PART))


@require_safe
def old_link(request: HttpRequest) -> HttpResponse:
    """`/static/share` and `/s/` with userid, liveid and ctime, as cards of earlier years have them (contract_notes 62).
    They carry no signature: only who knows all three is led on."""
    named = {name: request.GET.get(name, "") for name in ("userid", "liveid", "ctime")}
    if not all(value.isascii() and value.isdecimal() and len(value) <= 16 for value in named.values()):
        raise Http404
    live = Live.objects.filter(pk=int(named["liveid"]), owner_id=int(named["userid"])).first()
    if live is None or int(live.created_at.timestamp()) != int(named["ctime"]):
        raise Http404
    return HttpResponseRedirect(sharing.address(live, addresses.base_url(request)))
