"""Share cards and the signed addresses they point to (api.md 直播分享)."""

import hmac
from typing import TypedDict

from django.conf import settings

from live.models import Live

TITLE = "黑黑直播"


class ShareCard(TypedDict):
    title: str
    content: str
    url: str
    cover_url: str


class Share(TypedDict):
    """All three always: without `weibo` the 1.1 app crashes on every end page (D29)."""

    weibo: ShareCard
    wechat: ShareCard
    friend: ShareCard


def signature(live_id: int) -> str:
    return hmac.digest(settings.SHARE_KEY.encode(), str(live_id).encode(), "sha256").hex()[:32]


def address(live: Live, base_url: str) -> str:
    return f"{base_url}/html/live.html?liveid={live.pk}&sign={signature(live.pk)}"


def cards(live: Live, base_url: str, viewer_id: int) -> Share:
    """Works for ended lives too: every end page asks."""
    state = "正在直播" if live.is_open else "的直播"
    card: ShareCard = {
        "title": TITLE,
        "content": f"{live.owner.display_name} {state}：{live.title}",
        "url": f"{address(live, base_url)}&uid={viewer_id}",
        "cover_url": live.owner.cover_url,
    }
    return {"weibo": card, "wechat": card, "friend": card}
