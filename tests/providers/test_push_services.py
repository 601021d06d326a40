"""Getui and Apple, asked over real connections: signatures, payloads, and what each of their answers means."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from heihei_site.providers.checks import providers_are_real
from heihei_site.providers.push.apns import ApnsPush
from heihei_site.providers.push.base import Answer, Notification, NotTaken, Result
from heihei_site.providers.push.getui import GetuiPush
from tests.providers import push_services
from tests.providers.push_services import Apple, Getui
from tests.providers.test_push import PUSH

TAKEN = Answer(Result.ACCEPTED)


@pytest.fixture
def getui(settings: Any) -> Iterator[Getui]:
    with push_services.getui() as here:
        settings.GETUI_API = here.url
        for name, value in push_services.GETUI.items():
            setattr(settings, name, value)
        yield here


@pytest.fixture
def apple(settings: Any) -> Iterator[Apple]:
    with push_services.apple() as here:
        settings.APNS_API = here.url
        for name, value in push_services.APPLE.items():
            setattr(settings, name, value)
        yield here


def several(many: int, **changes: Any) -> list[Notification]:
    return [
        replace(PUSH, request_id=f"{number:013}-{number}", token=f"abc{number:061}", **changes)
        for number in range(many)
    ]


class TestGetui:
    def test_gets_the_payload_for_the_app_and_what_is_shown_without_it(self, getui: Getui) -> None:
        later = replace(PUSH, expires_at=timezone.now() + timedelta(minutes=10))
        assert GetuiPush().send([later]) == [TAKEN]
        (one,) = getui.taken.values()
        assert 595_000 < one["settings"]["ttl"] <= 600_000
        assert one["audience"] == {"cid": ["clientid-1"]}
        assert json.loads(one["push_message"]["transmission"]) == PUSH.payload
        shown = one["push_channel"]["android"]["ups"]["notification"]
        assert (shown["title"], shown["body"], shown["click_type"]) == (PUSH.title, PUSH.text, "payload")
        assert json.loads(shown["payload"]) == PUSH.payload

    def test_shows_it_on_iphones_that_registered_with_it(self, getui: Getui) -> None:
        GetuiPush().send([replace(PUSH, platform="ios")])
        (one,) = getui.taken.values()
        ios = one["push_channel"]["ios"]
        assert ios["aps"]["alert"] == {"title": PUSH.title, "body": PUSH.text}
        assert (json.loads(ios["payload"]), ios["apns-collapse-id"]) == (PUSH.payload, PUSH.collapse)

    def test_takes_200_in_one_call_and_one_sign_in_serves_all(self, getui: Getui) -> None:
        vendor = GetuiPush()
        assert vendor.send(several(200)) == vendor.send(several(200)) == [TAKEN] * 200
        assert (getui.calls, getui.sign_ins, len(getui.taken)) == ([200, 200], 1, 200)

    def test_gets_two_for_one_device_in_two_calls(self, getui: Getui) -> None:
        two = [PUSH, replace(PUSH, request_id="0000000000002-1")]
        assert GetuiPush().send([*two, *several(2)]) == [TAKEN] * 4
        assert getui.calls == [3, 1]

    def test_that_takes_our_token_for_no_good_any_more_gets_a_new_one(self, getui: Getui) -> None:
        vendor = GetuiPush()
        vendor.send([PUSH])
        getui.tokens.clear()
        assert vendor.send(several(1)) == [TAKEN]
        assert (getui.sign_ins, len(getui.taken)) == (2, 2)

    def test_says_which_devices_are_gone_and_the_others_ring(self, getui: Getui) -> None:
        batch = several(9)
        getui.gone, getui.ignored = {batch[4].token}, {batch[7].token}
        answers = GetuiPush().send(batch)
        assert [answer.result for answer in answers] == [
            Result.DEAD if number in (4, 7) else Result.ACCEPTED for number in range(9)
        ]
        assert len(getui.taken) == 7

    def test_that_is_away_has_taken_nothing(self, getui: Getui) -> None:
        getui.away = True
        with pytest.raises(NotTaken, match="getui HTTP 502"):
            GetuiPush().send([PUSH])
        getui.away = False
        assert GetuiPush().send([PUSH]) == [TAKEN]

    def test_that_cannot_be_reached_has_taken_nothing(self, getui: Getui, settings: Any) -> None:
        settings.GETUI_API = "http://127.0.0.1:1"
        with pytest.raises(NotTaken, match="ConnectError"):
            GetuiPush().send([PUSH])

    def test_that_does_not_know_our_secret_has_taken_nothing(self, getui: Getui, settings: Any) -> None:
        settings.GETUI_MASTER_SECRET = "another"
        with pytest.raises(NotTaken, match="getui 10005"):
            GetuiPush().send([PUSH])
        assert getui.taken == {}


class TestApple:
    def test_gets_the_payload_beside_what_is_shown(self, apple: Apple) -> None:
        one = several(1)[0]
        assert ApnsPush().send([one]) == [TAKEN]
        alert = {"title": PUSH.title, "body": PUSH.text}
        assert apple.shown == {(one.token, one.collapse): {**PUSH.payload, "aps": {"alert": alert, "sound": "default"}}}
        (asked,) = apple.asked
        assert (asked["apns-push-type"], asked["apns-priority"]) == ("alert", "10")
        assert asked["apns-expiration"] == str(int(one.expires_at.timestamp()))

    def test_shows_a_repeat_in_the_place_of_the_first_under_the_same_id(self, apple: Apple) -> None:
        one = several(1)[0]
        vendor = ApnsPush()
        vendor.send([one])
        vendor.send([replace(one, repeated=True)])
        assert len(apple.shown) == 1
        assert len({asked["apns-id"] for asked in apple.asked}) == 1

    def test_gets_200_over_one_connection_with_one_signature(self, apple: Apple) -> None:
        vendor = ApnsPush()
        assert vendor.send(several(200)) == [TAKEN] * 200
        assert apple.connections == 1
        assert len({asked["authorization"] for asked in apple.asked}) == 1
        assert len(apple.shown) == 200

    def test_says_of_each_what_became_of_it(self, apple: Apple) -> None:
        batch = several(6)
        said = {
            1: (410, "Unregistered"), 2: (400, "BadDeviceToken"), 3: (413, "PayloadTooLarge"),
            4: (429, "TooManyRequests"), 5: (503, "ServiceUnavailable"),
        }  # fmt: skip
        apple.says = {batch[number].token: answer for number, answer in said.items()}
        dead, refused, later = Result.DEAD, Result.REFUSED, Result.LATER
        results = [TAKEN.result, dead, dead, refused, later, later]
        answers = ApnsPush().send(batch)
        assert [answer.result for answer in answers] == results
        assert [answer.reason for answer in answers] == ["", *(reason for _, reason in said.values())]

    def test_is_not_asked_about_what_can_be_no_token_of_its(self, apple: Apple) -> None:
        strange = [replace(PUSH, token=token) for token in ("../../x", "", "a b", "ä")]
        assert [one.result for one in ApnsPush().send(strange)] == [Result.DEAD] * 4
        assert apple.asked == []

    def test_gets_another_signature_where_it_takes_one_for_too_old(
        self, apple: Apple, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vendor = ApnsPush()
        one = several(1)[0]
        apple.says = {one.token: (403, "ExpiredProviderToken")}
        with pytest.raises(NotTaken, match="ExpiredProviderToken"):
            vendor.send([one])
        apple.says = {}
        monkeypatch.setattr("heihei_site.providers.push.apns.time.time", lambda: timezone.now().timestamp() + 1)
        assert vendor.send([one]) == [TAKEN]
        first, second = (asked["authorization"] for asked in apple.asked)
        assert first != second

    def test_that_does_not_know_our_key_has_taken_nothing(self, apple: Apple, settings: Any) -> None:
        settings.APNS_KEY_ID = "another"
        with pytest.raises(NotTaken, match="InvalidProviderToken"):
            ApnsPush().send(several(2))
        assert apple.shown == {}

    def test_that_hangs_up_is_not_asked_for_each(self, apple: Apple) -> None:
        apple.away = True
        vendor = ApnsPush()
        with pytest.raises(NotTaken):
            vendor.send(several(200))
        assert apple.connections <= 16
        apple.away = False
        assert vendor.send(several(3)) == [TAKEN] * 3


def test_a_deployment_names_their_keys(settings: Any) -> None:
    settings.PROVIDERS = {
        "getui": "heihei_site.providers.push.getui.GetuiPush",
        "apns": "heihei_site.providers.push.apns.ApnsPush",
    }
    said = [problem.msg for problem in providers_are_real(None)]
    assert ["GETUI_MASTER_SECRET" in said[0], "APNS_KEY_ID" in said[1]] == [True, True]
    for name, value in (push_services.GETUI | push_services.APPLE).items():
        setattr(settings, name, value)
    assert providers_are_real(None) == []
