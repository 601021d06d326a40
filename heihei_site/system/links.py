"""Deep links of banners: `wmlives_heihei://…`, the one scheme that every generation of phones knows."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

SCHEME = "wmlives_heihei"
_NUMBER = re.compile(r"[0-9]{1,16}")
_ADDRESS = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)


class NoSuchLink(ValueError):
    """Says in Chinese what was expected instead."""


def to_user(given: str) -> str:
    """Out of a user id, or of the link itself."""
    return _to("user", given, "用户 ID，或 wmlives_heihei://user?id=用户ID")


def to_live(given: str) -> str:
    """Out of a liveId, or of the link to a live or a replay."""
    host = "replay" if given.strip().lower().startswith(f"{SCHEME}://replay") else "live"
    return _to(host, given, "liveId，或 wmlives_heihei://live?id=liveId（回放用 replay）")


def to_page(given: str) -> str:
    """Out of an http(s) address, which opens within the app, or of the link itself."""
    expected = NoSuchLink("网页地址（http:// 或 https://），或 wmlives_heihei://webview?url=…&type=0")
    given = given.strip()
    if _ADDRESS.fullmatch(given):
        return f"{SCHEME}://webview?{urlencode({'url': given, 'type': 0})}"
    host, query = _parts(given)
    address, opens_in = query.get("url", [""])[-1], query.get("type", ["0"])[-1]
    if host != "webview" or not _ADDRESS.fullmatch(address) or opens_in not in ("0", "1"):
        raise expected
    return f"{SCHEME}://webview?{urlencode({'url': address, 'type': opens_in})}"


def _to(host: str, given: str, expected: str) -> str:
    given = given.strip()
    if not _NUMBER.fullmatch(given):
        found, query = _parts(given)
        given = query.get("id", [""])[-1]
        if found != host or not _NUMBER.fullmatch(given):
            raise NoSuchLink(expected)
    return f"{SCHEME}://{host}?id={int(given)}"


def _parts(link: str) -> tuple[str, dict[str, list[str]]]:
    scheme, colon, rest = link.partition("://")
    if scheme.lower() != SCHEME or not colon:
        return "", {}
    parts = urlsplit(f"//{rest}")  # the scheme's underscore is none that urlsplit knows
    return (parts.hostname or ""), parse_qs(parts.query)
