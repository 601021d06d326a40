"""Asking our own media server: with its secret, briefly."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from heihei_site.providers.streaming import media_server
from heihei_site.providers.streaming.base import Unanswered
from tests.providers.vendor import Says, Vendor, vendor

STAT = """<?xml version="1.0"?><rtmp><server><application><name>heihei</name><live>
<stream><name>sent</name><publishing/><active/></stream><stream><name>waited for</name></stream>
</live></application></server></rtmp>"""


@pytest.fixture
def server(settings: Any) -> Iterator[Vendor]:
    with vendor() as here:
        settings.RTMP_CONTROL_URL = here.url
        yield here


def stat() -> str:
    return f"/{media_server.control_secret()}/stat"


def test_who_is_sent_and_who_is_only_waited_for(server: Vendor) -> None:
    server.answers[stat()] = Says(STAT)
    assert [media_server.is_sent(name) for name in ("sent", "waited for", "other")] == [True, False, False]


@pytest.mark.parametrize("said", [Says("<rtmp", 200), Says("no", 404), Says(STAT, after=6), Says(STAT, drip=0.05)])
def test_no_clear_answer_in_time_is_none(server: Vendor, said: Says) -> None:
    server.answers[stat()] = said
    began = time.monotonic()
    with pytest.raises(Unanswered) as unanswered:
        media_server.is_sent("sent")
    assert time.monotonic() - began < 5
    assert media_server.control_secret() not in str(unanswered.value)


def test_ending_a_connection_says_whether_there_was_one(server: Vendor) -> None:
    place = f"/{media_server.control_secret()}/drop/publisher"
    for said, dropped in (("1", True), ("0", False)):
        server.answers[place] = Says(said)
        assert media_server.drop("s1") is dropped
    assert server.asked[0] == ("GET", place, {"app": "heihei", "name": "s1"})
    server.answers[place] = Says("many")
    with pytest.raises(Unanswered):
        media_server.drop("s1")


def test_every_secret_has_one_purpose(settings: Any) -> None:
    assert len({media_server.hook_secret(), media_server.control_secret(), settings.STREAM_KEY}) == 3
