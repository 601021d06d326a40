"""Rooms where few people hear each other: Qiniu's, through its SDK against a server of ours, and the twin's."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from heihei_site.providers import registry
from heihei_site.providers.rtc.base import NotRemoved
from tests.providers.vendor import Says, Vendor, vendor

ACCESS, SECRET, APP, ROOM = "testaccess", "testsecret", "app1", "c0ffee" * 5
PATH = f"/v3/apps/{APP}/rooms/{ROOM}/users/10001"
ASKED = {"X-Reqid": "r1"}  # on every answer of theirs


@pytest.fixture
def qiniu(settings: Any) -> Iterator[Vendor]:
    settings.PROVIDERS = {"rtc": "heihei_site.providers.rtc.qiniu.QiniuRtc"}
    settings.QINIU_ACCESS_KEY, settings.QINIU_SECRET_KEY, settings.QINIU_RTC_APP = ACCESS, SECRET, APP
    with vendor() as server:
        settings.QINIU_RTC_API = server.url
        server.answers[PATH] = Says({}, headers=ASKED)
        yield server


def signed(text: str) -> str:
    return base64.urlsafe_b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()).decode()


def remove() -> None:
    registry.rtc().remove(room=ROOM, user_id=10001)


def test_a_token_is_signed_by_the_key_and_says_who_may_enter_where_until_when(qiniu: Vendor) -> None:
    token = registry.rtc().token(room=ROOM, user_id=10001, expires=1_900_000_000)
    key, signature, claims = token.split(":")
    assert (key, signature) == (ACCESS, signed(claims))
    assert json.loads(base64.urlsafe_b64decode(claims)) == {
        "appId": APP, "roomName": ROOM, "userId": "10001", "expireAt": 1_900_000_000, "permission": "user",
    }  # fmt: skip
    assert qiniu.asked == []


def test_throwing_somebody_out_is_one_signed_call(qiniu: Vendor) -> None:
    remove()
    [(method, path, _)], [headers] = qiniu.asked, qiniu.headers
    assert (method, path) == ("DELETE", PATH)
    host = qiniu.url.removeprefix("http://")
    content_type = f"\nContent-Type: {kind}" if (kind := headers["Content-Type"]) else ""
    dated = f"\nX-Qiniu-Date: {when}" if (when := headers["X-Qiniu-Date"]) else ""
    said = f"DELETE {PATH}\nHost: {host}{content_type}{dated}\n\n"
    assert headers["Authorization"] == f"Qiniu {ACCESS}:{signed(said)}"


def test_who_is_not_there_is_out_already(qiniu: Vendor) -> None:
    qiniu.answers[PATH] = Says({"error": "user not found"}, status=612, headers=ASKED)
    remove()


@pytest.mark.parametrize(
    "answer",
    [
        Says({"error": "bad token"}, status=401, headers=ASKED),
        Says({"error": "busy"}, status=503, headers=ASKED),
        Says("<html>captive portal</html>"),
        Says("<html>502</html>", status=502),
    ],
)
def test_what_is_no_yes_of_the_vendor_says_so_without_its_keys(qiniu: Vendor, answer: Says) -> None:
    qiniu.answers[PATH] = answer
    with pytest.raises(NotRemoved) as refused:
        remove()
    assert ACCESS not in str(refused.value) and SECRET not in str(refused.value)
    assert len(qiniu.asked) == 1


def test_a_vendor_that_is_not_there_or_hangs_is_not_waited_for_long(qiniu: Vendor, settings: Any) -> None:
    import qiniu as sdk

    sdk.set_default(connection_timeout=0.2)
    try:
        qiniu.answers[PATH] = Says({}, after=1, headers=ASKED)
        with pytest.raises(NotRemoved):
            remove()
    finally:
        sdk.set_default(connection_timeout=settings.RTC_TIMEOUT)
    settings.QINIU_RTC_API = "http://127.0.0.1:9"
    with pytest.raises(NotRemoved):
        remove()


def test_the_sdk_waits_as_long_as_the_settings_say(qiniu: Vendor, settings: Any) -> None:
    from qiniu import config

    registry.rtc()
    assert config.get_default("connection_timeout") == settings.RTC_TIMEOUT


def test_a_deployment_with_its_keys_passes_and_without_them_does_not(qiniu: Vendor, settings: Any) -> None:
    def found() -> list[str | None]:
        return [problem.id for problem in run_checks(tags=["providers"], include_deployment_checks=True)]

    assert found() == []
    settings.QINIU_RTC_APP = ""
    assert found() == ["providers.E003"]
    settings.PROVIDERS = {"rtc": "heihei_site.providers.rtc.outbox.OutboxRtc"}
    assert found() == ["providers.E002"]


def test_the_development_twin_writes_down_what_it_would_have_done(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    settings.PROVIDERS = {"rtc": "heihei_site.providers.rtc.outbox.OutboxRtc"}
    token = registry.rtc().token(room=ROOM, user_id=10001, expires=1_900_000_000)
    remove()
    entered, removed = map(json.loads, (tmp_path / "outbox" / "rtc.jsonl").read_text().splitlines())
    assert (entered["deed"], entered["token"], entered["expires"]) == ("token", token, 1_900_000_000)
    assert token.startswith("development-")
    assert (removed["deed"], removed["room"], removed["user_id"]) == ("remove", ROOM, 10001)
