"""Qiniu Pili as it was recorded (api.md 直播列表, android_client.md 5.9), byte for byte."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from qiniu import BucketManager

from heihei_site.providers.checks import providers_are_real
from heihei_site.providers.streaming import pili
from heihei_site.providers.streaming.base import Unanswered
from heihei_site.providers.streaming.pili import PiliStreaming, publish_key
from tests.app import publish_url
from tests.orgjson import Json
from tests.providers.vendor import Says, Vendor, vendor

STREAM = "20170213-115710-10446"
ID = f"z1.heihei-test-0907.{STREAM}"


@pytest.fixture(autouse=True)
def hub(settings: Any) -> None:
    settings.STREAM_KEY = "secret"
    settings.QINIU_ACCESS_KEY = "access"
    settings.QINIU_SECRET_KEY = "qiniu's secret"
    settings.PILI_HUB = "heihei-test-0907"
    settings.PILI_DOMAIN = "heihei-test.wmlives.com"
    settings.PILI_BUCKET = "recordings-of-heihei"
    settings.PILI_PUBLISH_SECURITY = "dynamic"


@pytest.fixture
def api(settings: Any) -> Iterator[Vendor]:
    with vendor() as here:
        settings.PILI_API = here.url
        yield here


def test_addresses_are_those_that_were_recorded() -> None:
    streaming = PiliStreaming()
    hub = "heihei-test.wmlives.com/heihei-test-0907"
    assert streaming.play_address(STREAM) == f"rtmp://pili-live-rtmp.{hub}/{STREAM}"
    assert streaming.hls_address(STREAM) == f"http://pili-live-hls.{hub}/{STREAM}.m3u8"
    recorded = "http://pili-media.heihei-test.wmlives.com/recordings/{0}/{0}.mp4"
    assert streaming.recording_address(STREAM) == recorded.format(ID)


@pytest.mark.parametrize("security", ["static", "dynamic"])
def test_the_shipped_app_can_publish_with_what_it_is_given(settings: Any, security: str) -> None:
    settings.PILI_PUBLISH_SECURITY = security
    details = PiliStreaming().publish_details(STREAM)
    assert json.dumps(details, separators=(",", ":")) == (
        f'{{"id":"{ID}","hub":"heihei-test-0907","title":"{STREAM}","publishKey":"{publish_key(STREAM)}",'
        f'"publishSecurity":"{security}","disabled":false,"hosts":{{"publish":{{"rtmp":"pili-publish.heihei-test.wmlives.com"}},'
        '"live":{"rtmp":"pili-live-rtmp.heihei-test.wmlives.com","hdl":"pili-live-hdl.heihei-test.wmlives.com",'
        '"hls":"pili-live-hls.heihei-test.wmlives.com","http":"pili-live-hls.heihei-test.wmlives.com",'
        '"snapshot":"pili-live-snapshot.heihei-test.wmlives.com"},"playback":{"hls":"pili-media.heihei-test.wmlives.com",'
        '"http":"pili-media.heihei-test.wmlives.com"},"play":{"rtmp":"pili-live-rtmp.heihei-test.wmlives.com",'
        '"http":"pili-live-hls.heihei-test.wmlives.com"}}}'
    )
    address = "rtmp://pili-publish.heihei-test.wmlives.com/heihei-test-0907"
    secret = f"key={publish_key(STREAM)}" if security == "static" else "nonce=…"
    assert publish_url(Json(details)) == f"{address}/{STREAM}?{secret}"


def test_a_static_address_to_publish_to_is_the_app_s(settings: Any) -> None:
    settings.PILI_PUBLISH_SECURITY = "static"
    streaming = PiliStreaming()
    assert streaming.push_address(STREAM) == publish_url(Json(streaming.publish_details(STREAM)))


def test_a_dynamic_one_is_signed_as_the_app_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1487000000.5)
    signed = hmac.new(publish_key(STREAM).encode(), f"/heihei-test-0907/{STREAM}?nonce=1487000000".encode(), "sha1")
    token = base64.urlsafe_b64encode(signed.digest()).decode()
    assert token.endswith("=")
    assert PiliStreaming().push_address(STREAM) == (
        f"rtmp://pili-publish.heihei-test.wmlives.com/heihei-test-0907/{STREAM}?nonce=1487000000&token={token}"
    )


def test_the_signature_of_a_known_key_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pili, "publish_key", lambda stream: "k")
    assert pili.signed_now("x", nonce=1) == "nonce=1&token=" + KNOWN


# HMAC-SHA1 of `/heihei-test-0907/x?nonce=1` with the key `k`, by openssl.
KNOWN = "wCS0AXK4ZBcpwTEKHvQibsPwGF4="


def test_a_key_is_of_one_stream_and_no_key_of_ours_elsewhere() -> None:
    assert publish_key("s1") == publish_key("s1") != publish_key("s2")


class TestAskingPili:
    def test_a_stream_is_made_with_our_key_and_a_signature(self, api: Vendor) -> None:
        api.answers["/v1/streams"] = Says({"id": ID})
        stream = PiliStreaming().new_stream(10446)
        [(method, path, _)] = api.asked
        assert (method, path) == ("POST", "/v1/streams")
        body = (
            f'{{"hub":"heihei-test-0907","title":"{stream}","publishKey":"{publish_key(stream)}",'
            '"publishSecurity":"dynamic"}'
        )
        host = api.url.removeprefix("http://")
        signed = f"POST /v1/streams\nHost: {host}\nContent-Type: application/json\n\n{body}"
        digest = hmac.new(b"qiniu's secret", signed.encode(), "sha1").digest()
        assert api.headers[0]["Authorization"] == f"Qiniu access:{base64.urlsafe_b64encode(digest).decode()}"
        assert stream.split("-")[2] == "10446" and 5 <= len(stream) <= 64

    @pytest.mark.parametrize(
        "says", [Says({}, status=500), Says({}, status=401), Says({}, status=612), Says({}, after=6)]
    )
    def test_a_stream_that_was_not_made_is_none(self, api: Vendor, says: Says) -> None:
        api.answers["/v1/streams"] = says
        began = time.monotonic()
        with pytest.raises(Unanswered):
            PiliStreaming().new_stream(10446)
        assert time.monotonic() - began < 5

    def test_a_dripping_answer_is_late_too(self, api: Vendor) -> None:
        api.answers["/v1/streams"] = Says({"id": ID, "title": STREAM}, drip=0.2)
        began = time.monotonic()
        with pytest.raises(Unanswered):
            PiliStreaming().new_stream(10446)
        assert time.monotonic() - began < 5

    def test_nobody_there(self, settings: Any) -> None:
        settings.PILI_API = "http://127.0.0.1:9"
        with pytest.raises(Unanswered, match="ConnectError"):
            PiliStreaming().new_stream(10446)

    def test_cutting_off_disables_the_stream(self, api: Vendor) -> None:
        api.answers[f"/v1/streams/{ID}"] = Says({})
        assert PiliStreaming().cut_off(STREAM) is False
        assert api.asked[0][:2] == ("POST", f"/v1/streams/{ID}")

    def test_a_recording_is_saved_under_the_recorded_address(self, api: Vendor) -> None:
        api.answers[f"/v1/streams/{ID}/saveas"] = Says({"targetUrl": "…"})
        span = {"since": datetime(2017, 2, 13, tzinfo=UTC), "until": datetime(2017, 2, 13, 0, 1, tzinfo=UTC)}
        address = PiliStreaming().recording(STREAM, **span)
        assert address == f"http://pili-media.heihei-test.wmlives.com/recordings/{ID}/{ID}.mp4"

    def test_where_nothing_was_sent_there_is_none(self, api: Vendor) -> None:
        api.answers[f"/v1/streams/{ID}/saveas"] = Says({"error": "no data"}, status=619)
        now = datetime.now(UTC)
        assert PiliStreaming().recording(STREAM, since=now, until=now) == ""

    @pytest.mark.parametrize(("status", "fails"), [(200, False), (612, False), (599, True)])
    def test_forgetting_deletes_the_file(self, monkeypatch: pytest.MonkeyPatch, status: int, fails: bool) -> None:
        deleted = []

        class Info:
            status_code = status

        def delete(self: object, bucket: str, key: str) -> tuple[None, Info]:
            deleted.append((bucket, key))
            return None, Info()

        monkeypatch.setattr(BucketManager, "delete", delete)
        if fails:
            with pytest.raises(Unanswered):
                PiliStreaming().forget(STREAM)
        else:
            PiliStreaming().forget(STREAM)
        assert deleted == [("recordings-of-heihei", f"recordings/{ID}/{ID}.mp4")]


def test_it_is_not_deployed_without_its_hub(settings: Any) -> None:
    settings.PROVIDERS = {"streaming": "heihei_site.providers.streaming.pili.PiliStreaming"}
    assert providers_are_real(None) == []
    settings.PILI_HUB = settings.PILI_DOMAIN = ""
    [problem] = providers_are_real(None)
    assert (problem.id, problem.msg.split(" needs ")[1]) == ("providers.E003", "PILI_HUB, PILI_DOMAIN.")
