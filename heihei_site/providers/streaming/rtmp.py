import hashlib
import hmac
import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone


class RtmpStreaming:
    """Our own RTMP server (D39). The app's publisher appends `?key=<publishKey>` when security is "static"."""

    development_only: ClassVar[bool] = False

    def new_stream(self, owner_id: int) -> str:
        return f"{timezone.localtime():%Y%m%d-%H%M%S}-{owner_id}-{secrets.token_hex(8)}"

    def publish_details(self, stream: str) -> dict[str, Any]:
        hub, play = settings.RTMP_HUB, settings.RTMP_PLAY_HOST
        return {
            "id": f"rtmp.{hub}.{stream}",
            "hub": hub,
            "title": stream,
            "publishKey": publish_key(stream),
            "publishSecurity": "static",
            "hosts": {
                "publish": {"rtmp": settings.RTMP_PUBLISH_HOST},
                "live": {"rtmp": play, "hls": _host_of(settings.HLS_BASE_URL)},
                "playback": {"hls": _host_of(settings.HLS_BASE_URL)},
            },
        }

    def push_address(self, stream: str) -> str:
        address = f"rtmp://{settings.RTMP_PUBLISH_HOST}/{settings.RTMP_HUB}/{stream}"
        return f"{address}?key={publish_key(stream)}"

    def play_address(self, stream: str) -> str:
        return f"rtmp://{settings.RTMP_PLAY_HOST}/{settings.RTMP_HUB}/{stream}"

    def hls_address(self, stream: str) -> str:
        return f"{settings.HLS_BASE_URL.rstrip('/')}/{stream}.m3u8"


def publish_key(stream: str) -> str:
    return hmac.new(settings.STREAM_KEY.encode(), stream.encode(), hashlib.sha256).hexdigest()[:32]


def _host_of(url: str) -> str:
    return url.split("://", 1)[-1].split("/", 1)[0]
