from typing import Any

import pytest

from heihei_site.providers.streaming.rtmp import RtmpStreaming, publish_key
from tests.app import publish_url
from tests.orgjson import Json


@pytest.fixture(autouse=True)
def our_media_server(settings: Any) -> None:
    settings.STREAM_KEY = "secret"
    settings.RTMP_HUB = "hub"
    settings.RTMP_PUBLISH_HOST = "push.example.com:1935"
    settings.RTMP_PLAY_HOST = "play.example.com"
    settings.HLS_BASE_URL = "https://hls.example.com/hls/"


def test_the_app_publishes_to_the_address_we_would_publish_to() -> None:
    streaming = RtmpStreaming()
    details = Json(streaming.publish_details("s1"))
    assert publish_url(details) == streaming.push_address("s1")
    assert streaming.push_address("s1") == f"rtmp://push.example.com:1935/hub/s1?key={publish_key('s1')}"


def test_listeners_get_an_address_without_the_key() -> None:
    streaming = RtmpStreaming()
    assert streaming.play_address("s1") == "rtmp://play.example.com/hub/s1"
    assert streaming.hls_address("s1") == "https://hls.example.com/hls/s1.m3u8"


def test_a_key_opens_its_own_stream_only() -> None:
    assert publish_key("s1") == publish_key("s1") != publish_key("s2")


def test_a_stream_cannot_be_guessed_from_the_last_one() -> None:
    names = {RtmpStreaming().new_stream(10446) for _ in range(100)}
    assert len(names) == 100
    assert all(name.split("-")[2] == "10446" for name in names)
