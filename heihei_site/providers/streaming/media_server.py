"""What we say to our own media server, and how each of us knows that it is the other."""

import hmac
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import httpx
from django.conf import settings

from heihei_site.providers.streaming.asking import ask
from heihei_site.providers.streaming.base import Unanswered


def hook_secret() -> str:
    """In the address of every hook."""
    return _derived("hooks")


def control_secret() -> str:
    """In the address of everything that we may ask it to do."""
    return _derived("control")


def _derived(purpose: str) -> str:
    return hmac.digest(settings.STREAM_KEY.encode(), f"media server: {purpose}".encode(), "sha256").hex()[:32]


def is_sent(stream: str) -> bool:
    """Whether somebody is connected and sends this stream now. Raises Unanswered, soon: a phone may be waiting."""
    said = _ask("stat", within=settings.MEDIA_TIMEOUT)
    try:
        streams = ElementTree.fromstring(said).iterfind(".//application/live/stream")
        return any(each.findtext("name") == stream and each.find("publishing") is not None for each in streams)
    except ElementTree.ParseError:
        raise Unanswered("stat is no XML") from None


def drop(stream: str) -> bool:
    """Ends the connection that sends this stream. False where there is none. For jobs. Raises Unanswered."""
    which = urlencode({"app": settings.RTMP_HUB, "name": stream}, quote_via=quote)
    said = _ask(f"drop/publisher?{which}", within=settings.MEDIA_JOB_TIMEOUT)
    try:
        return int(said) > 0
    except ValueError:
        raise Unanswered("drop gives no number") from None


def _ask(what: str, *, within: float) -> bytes:
    url = f"{settings.RTMP_CONTROL_URL.rstrip('/')}/{control_secret()}/{what}"
    status, said = ask(httpx.Request("GET", url), within=within)
    if status != 200:
        raise Unanswered(f"HTTP {status}")
    return said
