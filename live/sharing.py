"""Share cards and the signed addresses they point to (api.md 直播分享)."""

import hmac
import time
from datetime import timedelta

from django.conf import settings

from heihei_site.api.share_cards import Share, everywhere
from live.models import Live

TITLE = "黑黑直播"
DAY = int(timedelta(days=1).total_seconds())
UNTIL = 8  # digits of `sign` that say until when it is good; the others prove it


class LinkForged(Exception):
    """Not an address of ours."""


class LinkExpired(Exception):
    """One of ours, given out too long ago."""


def signature(live_id: int, *, now: float | None = None) -> str:
    """The same all day long, so that cards of a live stay alike."""
    day = int(time.time() if now is None else now) // DAY + 1
    return _signed(live_id, f"{day * DAY + int(settings.SHARE_LINK_LIFETIME.total_seconds()):0{UNTIL}x}")


def _signed(live_id: int, until: str) -> str:
    proof = hmac.digest(settings.SHARE_KEY.encode(), f"{live_id}:{until}".encode(), "sha256").hex()
    return until + proof[: 32 - UNTIL]


def opened(live_id: str, sign: str) -> int:
    """The id of the live that the address leads to. Raises LinkForged or LinkExpired."""
    if not (live_id.isascii() and live_id.isdecimal() and len(live_id) <= 16):
        raise LinkForged
    until = sign[:UNTIL]
    if not hmac.compare_digest(_signed(int(live_id), until).encode(), sign.encode(errors="replace")):
        raise LinkForged
    if int(until, 16) < time.time():
        raise LinkExpired
    return int(live_id)


def address(live: Live, base_url: str) -> str:
    return f"{base_url}/html/live.html?liveid={live.pk}&sign={signature(live.pk)}"


def cards(live: Live, base_url: str, viewer_id: int) -> Share:
    """Works for ended lives too: every end page asks."""
    state = "正在直播" if live.is_open else "的直播"
    return everywhere(
        title=TITLE,
        content=f"{live.owner.display_name} {state}：{live.title}",
        url=f"{address(live, base_url)}&uid={viewer_id}",
        cover_url=live.owner.cover_url,
    )
