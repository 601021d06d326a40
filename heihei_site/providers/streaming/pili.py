"""Qiniu Pili, version 1: the one whose stream objects the shipped apps read (D39). Signatures are the SDK's.

What a live account alone could show has not been seen: that a hub of today still speaks version 1.
"""

import base64
import hmac
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx
import orjson
from django.conf import settings
from qiniu import Auth, BucketManager, QiniuMacAuth

from heihei_site.providers.streaming import names
from heihei_site.providers.streaming.asking import ask
from heihei_site.providers.streaming.base import Unanswered

REGION = "z1"  # where Pili's streams live; part of every id
JSON = "application/json"
DONE = {200, 204}
NOTHING_THERE = {404, 612, 619}  # no such stream, no such file, nothing was sent


class PiliStreaming:
    development_only: ClassVar[bool] = False
    needs: ClassVar = ("QINIU_ACCESS_KEY", "QINIU_SECRET_KEY", "PILI_HUB", "PILI_DOMAIN", "PILI_BUCKET")

    def new_stream(self, owner_id: int) -> str:
        stream = names.unguessable(owner_id)
        made = {"publishKey": publish_key(stream), "publishSecurity": settings.PILI_PUBLISH_SECURITY}
        said = {"hub": settings.PILI_HUB, "title": stream, **made}
        if not _call("streams", said, within=settings.MEDIA_TIMEOUT):
            raise Unanswered("no such hub")
        return stream

    def publish_details(self, stream: str) -> dict[str, Any]:
        hls, playback = _host("live-hls"), _host("media")
        return {
            "id": stream_id(stream),
            "hub": settings.PILI_HUB,
            "title": stream,
            "publishKey": publish_key(stream),
            "publishSecurity": settings.PILI_PUBLISH_SECURITY,
            "disabled": False,
            "hosts": {
                "publish": {"rtmp": _host("publish")},
                "live": {
                    "rtmp": _host("live-rtmp"),
                    "hdl": _host("live-hdl"),
                    "hls": hls,
                    "http": hls,
                    "snapshot": _host("live-snapshot"),
                },
                "playback": {"hls": playback, "http": playback},
                "play": {"rtmp": _host("live-rtmp"), "http": hls},
            },
        }

    def push_address(self, stream: str) -> str:
        address = f"rtmp://{_host('publish')}/{settings.PILI_HUB}/{stream}"
        if settings.PILI_PUBLISH_SECURITY == "static":
            return f"{address}?key={publish_key(stream)}"
        return f"{address}?{signed_now(stream, nonce=int(time.time()))}"

    def play_address(self, stream: str) -> str:
        return f"rtmp://{_host('live-rtmp')}/{settings.PILI_HUB}/{stream}"

    def hls_address(self, stream: str) -> str:
        return f"http://{_host('live-hls')}/{settings.PILI_HUB}/{stream}.m3u8"

    def recording_address(self, stream: str) -> str:
        return f"http://{_host('media')}/{_recording_key(stream)}"

    def cut_off(self, stream: str) -> bool:
        """Pili does not say whether somebody was sending."""
        _call(f"streams/{stream_id(stream)}", {"disabled": True}, within=settings.MEDIA_JOB_TIMEOUT)
        return False

    def recording(self, stream: str, *, since: datetime, until: datetime) -> str:
        span = {"start": int(since.timestamp()), "end": int(until.timestamp()) + 1}
        wanted = {"name": f"{stream_id(stream)}.mp4", "format": "mp4", **span}
        saved = _call(f"streams/{stream_id(stream)}/saveas", wanted, within=settings.MEDIA_JOB_TIMEOUT)
        return self.recording_address(stream) if saved else ""

    def forget(self, stream: str) -> None:
        """The file that people play. What Pili keeps of the stream itself goes by the hub's own time of storage."""
        bucket = BucketManager(Auth(settings.QINIU_ACCESS_KEY, settings.QINIU_SECRET_KEY))
        _, said = bucket.delete(settings.PILI_BUCKET, _recording_key(stream))
        if said.status_code not in DONE | NOTHING_THERE:
            raise Unanswered(f"HTTP {said.status_code}")


def publish_key(stream: str) -> str:
    """Given to Pili when the stream is made, and to its owner."""
    return hmac.digest(settings.STREAM_KEY.encode(), f"pili: {stream}".encode(), "sha256").hex()[:32]


def signed_now(stream: str, *, nonce: int) -> str:
    """What the app's publisher appends when security is "dynamic"."""
    path = f"/{settings.PILI_HUB}/{stream}?nonce={nonce}"
    token = base64.urlsafe_b64encode(hmac.digest(publish_key(stream).encode(), path.encode(), "sha1"))
    return f"nonce={nonce}&token={token.decode()}"


def stream_id(stream: str) -> str:
    return f"{REGION}.{settings.PILI_HUB}.{stream}"


def _recording_key(stream: str) -> str:
    return f"recordings/{stream_id(stream)}/{stream_id(stream)}.mp4"


def _host(role: str) -> str:
    return f"pili-{role}.{settings.PILI_DOMAIN}"


def _call(what: str, said: Mapping[str, Any], *, within: float) -> bool:
    """Whether Pili did it; False where it has nothing of the stream. Raises Unanswered."""
    url, body = f"{settings.PILI_API}/v1/{what}", orjson.dumps(said)
    signer = QiniuMacAuth(settings.QINIU_ACCESS_KEY, settings.QINIU_SECRET_KEY)
    token = signer.token_of_request("POST", None, url, "", JSON, body.decode())
    headers = {"Authorization": f"Qiniu {token}", "Content-Type": JSON}
    status, _ = ask(httpx.Request("POST", url, content=body, headers=headers), within=within)
    if status in NOTHING_THERE:
        return False
    if status not in DONE:
        raise Unanswered(f"HTTP {status}")
    return True
