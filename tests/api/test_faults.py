"""Errors reach Sentry once, say where they arose, and tell nothing about people (I12)."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from heihei_site.api import faults
from live import views
from tests import factories

pytestmark = pytest.mark.django_db
PHONE, TOKEN = "13812345678", "ab" * 32


class Kept(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.events += [event for item in envelope.items if (event := item.get_event())]


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    transport = Kept()
    faults.report_to("http://key@127.0.0.1:9/1", release="1.2.3", transport=transport)
    yield transport.events
    sentry_sdk.init(default_integrations=False)  # reports nowhere


def test_a_fault_of_ours_is_reported_once_without_what_the_person_said(sent, api, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        password = f"geheim {PHONE}"
        raise RuntimeError(f"{password} at /api/user/search?token={TOKEN} of 11010519491231002X")

    monkeypatch.setattr(views, "gift_list", fail)
    phone = api(factories.person())
    answer = phone.post("live/gift-info", password="geheim-im-aufruf")
    assert answer["errorcode"] == -1
    [event] = sent
    text = json.dumps(event, default=str)
    assert event["message"] == "request_failed" and event["release"] == "1.2.3"
    assert event["tags"] == {"request_id": answer["traceId"], "endpoint": "live/gift-info"}
    [failure] = event["exception"]["values"]
    assert failure["type"] == "RuntimeError"
    assert [frame["function"] for frame in failure["stacktrace"]["frames"]][-1] == "fail"
    assert all("vars" not in frame for frame in failure["stacktrace"]["frames"])
    for secret in (PHONE, TOKEN, phone.token, "11010519491231002X", "geheim-im-aufruf"):
        assert secret not in text
    assert not {"request", "user", "breadcrumbs", "extra"} & set(event)


def test_what_libraries_log_as_errors_is_reported_and_warnings_are_not(sent):
    library = logging.getLogger("celery.app.trace")
    library.warning("nothing to see")
    try:
        raise ValueError(f"no answer for {PHONE}")
    except ValueError:
        library.exception("Task %s failed with token=%s", "users.tasks.send_sms", TOKEN)
    [event] = sent
    assert event["message"] == "Task users.tasks.send_sms failed with token=[hidden]"
    assert event["exception"]["values"][0]["value"] == "no answer for [hidden]"


def test_a_refusal_is_no_error(sent, api):
    assert api(factories.person()).post("user/follow", userId="x")["errorcode"] == 700
    assert sent == []
