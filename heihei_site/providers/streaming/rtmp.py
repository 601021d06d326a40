"""Our own media server (D39, ADR 0012): nginx with its RTMP module, as `deploy/nginx-rtmp/nginx.conf` sets it up."""

import hashlib
import hmac
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings

from heihei_site.providers.streaming import media_server, names, recordings


class RtmpStreaming:
    """The app's publisher appends `?key=<publishKey>` when security is "static"."""

    development_only: ClassVar[bool] = False
    needs: ClassVar = ("RTMP_PUBLISH_HOST", "HLS_BASE_URL", "REPLAY_BASE_URL")

    def new_stream(self, owner_id: int) -> str:
        return names.unguessable(owner_id)

    def publish_details(self, stream: str) -> dict[str, Any]:
        hub, play, hls = settings.RTMP_HUB, settings.RTMP_PLAY_HOST, _host_of(settings.HLS_BASE_URL)
        return {
            "id": f"rtmp.{hub}.{stream}",
            "hub": hub,
            "title": stream,
            "publishKey": publish_key(stream),
            "publishSecurity": "static",
            "disabled": False,
            "hosts": {
                "publish": {"rtmp": settings.RTMP_PUBLISH_HOST},
                "live": {"rtmp": play, "hls": hls, "http": hls},
                "playback": {"hls": hls, "http": hls},
            },
        }

    def push_address(self, stream: str) -> str:
        address = f"rtmp://{settings.RTMP_PUBLISH_HOST}/{settings.RTMP_HUB}/{stream}"
        return f"{address}?key={publish_key(stream)}"

    def play_address(self, stream: str) -> str:
        return f"rtmp://{settings.RTMP_PLAY_HOST}/{settings.RTMP_HUB}/{stream}"

    def hls_address(self, stream: str) -> str:
        return f"{settings.HLS_BASE_URL.rstrip('/')}/{stream}.m3u8"

    def cut_off(self, stream: str) -> bool:
        dropped = media_server.drop(stream)
        recordings.clear_hls(stream)
        return dropped

    def recording(self, stream: str, *, since: datetime, until: datetime) -> str:
        return recordings.replay_of(stream, since=since)

    def forget(self, stream: str) -> None:
        recordings.forget(stream)


def publish_key(stream: str) -> str:
    return hmac.new(settings.STREAM_KEY.encode(), stream.encode(), hashlib.sha256).hexdigest()[:32]


def key_is_valid(stream: str, key: str) -> bool:
    """Whether this key, given by a publisher, belongs to this stream."""
    return hmac.compare_digest(publish_key(stream).encode(), key.encode(errors="replace"))


def _host_of(url: str) -> str:
    return url.split("://", 1)[-1].split("/", 1)[0]
