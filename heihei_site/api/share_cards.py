"""What phones show where something of ours is shared (api.md 直播分享)."""

from typing import TypedDict


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


def everywhere(*, title: str, content: str, url: str, cover_url: str) -> Share:
    card: ShareCard = {"title": title, "content": content, "url": url, "cover_url": cover_url}
    return {"weibo": card, "wechat": card, "friend": card}
