"""The development twin of those who push: what it writes, and that it acts once as they do."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from heihei_site.providers import registry
from heihei_site.providers.checks import providers_are_real
from heihei_site.providers.push.base import KINDS, Answer, Notification, Result
from heihei_site.providers.push.outbox import OutboxPush
from users import params

PUSH = Notification(
    request_id="0000000000001-1",
    repeated=False,
    user_id=10001,
    platform="android",
    token="clientid-1",
    title="阿嘿",
    text="您关注的阿嘿开播了",
    payload={"msgId": 5, "text": "您关注的阿嘿开播了"},
    collapse="start-live:10002",
    urgent=False,
    expires_at=timezone.now() + timedelta(minutes=10),
)


@pytest.fixture
def lines(settings: Any, tmp_path: Path) -> Any:
    settings.VAR_DIR = tmp_path
    return lambda: [json.loads(line) for line in (tmp_path / "outbox" / "push.jsonl").read_text().splitlines()]


def test_a_push_can_be_read_from_the_outbox(lines: Any) -> None:
    assert OutboxPush().send([PUSH, replace(PUSH, token="clientid-2")]) == [Answer(Result.ACCEPTED)] * 2
    first, second = lines()
    assert first.pop("time")
    assert first == {
        "userId": 10001,
        "deviceType": "android",
        "clientid": "clientid-1",
        "payload": {"msgId": 5, "text": "您关注的阿嘿开播了"},
    }
    assert second["clientid"] == "clientid-2"


def test_a_repeated_request_is_not_sent_twice(lines: Any) -> None:
    twin = OutboxPush()
    for repeated in (False, True):
        assert twin.send([replace(PUSH, repeated=repeated)]) == [Answer(Result.ACCEPTED)]
    assert len(lines()) == 1


def test_a_repeated_request_that_never_arrived_is_sent(lines: Any) -> None:
    others = [replace(PUSH, token="clientid-2"), replace(PUSH, payload={"msgId": 6})]
    OutboxPush().send([*others, replace(PUSH, repeated=True)])
    assert len(lines()) == 3


def test_the_first_of_all_may_be_a_repeated_one(lines: Any) -> None:
    OutboxPush().send([replace(PUSH, repeated=True)])
    assert len(lines()) == 1


def test_every_kind_of_device_that_may_register_has_a_place_for_a_vendor() -> None:
    field = params.PushKind.__metadata__[0].field()  # type: ignore[attr-defined]
    assert sorted(field.choices) == sorted(KINDS) == sorted(registry.push_kinds())


def test_a_kind_without_a_vendor_is_not_served_and_the_twin_has_no_place_in_a_deployment(settings: Any) -> None:
    settings.PROVIDERS = {"getui": "heihei_site.providers.push.outbox.OutboxPush"}
    assert registry.push_kinds() == ["getui"]
    assert isinstance(registry.push("getui"), OutboxPush)
    assert [problem.id for problem in providers_are_real(None)] == ["providers.E002"]
