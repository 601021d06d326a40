"""What the media server asks and tells us, and what becomes of a live's sound after its end: D21, D30."""

import os
import time
from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client

from heihei_site.providers.streaming import media_server
from heihei_site.providers.streaming.base import Unanswered
from heihei_site.providers.streaming.rtmp import RtmpStreaming, publish_key
from live import personal_data, tasks
from live.models import Live
from live.services import media, rooms
from tests import factories
from tests.answers import ok, refused
from tests.live.conftest import Evening
from tests.races.crowd import at_once

pytestmark = pytest.mark.django_db

YES, NO = 204, 403


def hook(event: str, stream: str, *, secret: str | None = None, behind: str = "", **said: object) -> int:
    """As nginx-rtmp posts it; what a publisher writes behind the stream's name stands at the end."""
    words = {"app": "heihei", "addr": "127.0.0.1", "clientid": 7, "call": event, "name": stream, **said}
    body = urlencode({name: value for name, value in words.items() if value is not None}) + behind
    address = f"/hooks/rtmp/{event}?secret={media_server.hook_secret() if secret is None else secret}"
    client = Client(raise_request_exception=False)
    return client.post(address, body, content_type="application/x-www-form-urlencoded").status_code


def publish(live: Live, number: int = 7, key: str | None = None) -> int:
    key = publish_key(live.stream) if key is None else key
    return hook("publish", live.stream, clientid=number, behind=f"&key={key}")


def publisher(live: Live) -> int | None:
    return Live.objects.values_list("publisher", flat=True).get(pk=live.pk)


@pytest.fixture
def on_the_wire(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Streams that the media server says somebody sends."""
    sent: set[str] = set()
    monkeypatch.setattr(media_server, "is_sent", lambda stream: stream in sent)
    return sent


class TestWhoMaySend:
    def test_the_owner_s_phone_with_the_key_that_create_live_gave_it(self, api: Any) -> None:
        opened = ok(api(factories.person()).post("live/create-live", title="t"))["live"]
        given = opened["qiniuObj"]
        assert opened["pushAddr"].endswith(f"/{given['title']}?key={given['publishKey']}")
        assert hook("publish", given["title"], behind=f"&key={given['publishKey']}") == YES
        assert Live.objects.get().publisher == 7

    @pytest.mark.parametrize("key", ["", "0" * 32, "密\ud800".encode(errors="replace").decode()])
    def test_nobody_with_a_wrong_key(self, key: str) -> None:
        live = factories.live()
        assert publish(live, key=key) == NO
        assert publisher(live) is None

    def test_nobody_without_a_key(self) -> None:
        live = factories.live()
        assert hook("publish", live.stream) == NO
        assert publisher(live) is None

    def test_nobody_with_another_live_s_key(self) -> None:
        mine, theirs = factories.live(), factories.live()
        assert publish(mine, key=publish_key(theirs.stream)) == NO
        assert publisher(mine) is None

    @pytest.mark.parametrize(
        "behind", ["&key={key}&name={name}", "&key={key}&name={name}&key={key}", "&key={key}&app=x"]
    )
    def test_nobody_who_writes_more_behind_the_name_of_the_stream(self, behind: str) -> None:
        """The media server adds it to what it says itself, unread."""
        mine, theirs = factories.live(), factories.live()
        assert (
            hook("publish", mine.stream, behind=behind.format(key=publish_key(theirs.stream), name=theirs.stream)) == NO
        )
        assert publisher(mine) is None and publisher(theirs) is None

    def test_nobody_after_the_end(self) -> None:
        live = factories.live()
        rooms.end_live(live.pk)
        assert publish(live) == NO
        assert publisher(live) is None

    def test_nobody_to_a_live_whose_owner_fell_silent_though_no_sweep_was_by(self, evening: Evening) -> None:
        evening.silent(seconds=91)
        assert publish(evening.live) == NO

    @pytest.mark.parametrize(
        ("event", "said"),
        [
            ("publish", {"secret": ""}),
            ("publish", {"secret": "wrong"}),
            ("publish", {"secret": "密"}),
            ("publish", {"app": "other"}),
            ("publish", {"clientid": None}),
            ("publish", {"clientid": "-1"}),
            ("publish", {"clientid": "1" * 30}),
        ],
    )
    def test_nobody_but_the_media_server_is_heard(self, event: str, said: dict[str, Any]) -> None:
        live = factories.live()
        assert hook(event, live.stream, behind=f"&key={publish_key(live.stream)}", **said) == NO
        assert publisher(live) is None

    def test_hooks_are_no_part_of_the_api_and_only_posted_to(self) -> None:
        assert Client().get(f"/hooks/rtmp/publish?secret={media_server.hook_secret()}").status_code == 405


class TestOneAtATime:
    def test_a_second_connection_is_refused_while_the_first_sends(self, on_the_wire: set[str]) -> None:
        live = factories.live()
        assert publish(live, 7) == YES
        on_the_wire.add(live.stream)
        assert publish(live, 8) == NO
        assert publisher(live) == 7

    def test_the_same_question_again_has_the_same_answer(self, on_the_wire: set[str]) -> None:
        live = factories.live()
        assert [publish(live, 7), publish(live, 7)] == [YES, YES]

    def test_the_phone_comes_back_after_its_connection_broke(self, evening: Evening) -> None:
        assert publish(evening.live, 7) == YES
        assert hook("publish-done", evening.live.stream, clientid=7) == YES
        assert evening.row().paused and publisher(evening.live) is None
        assert publish(evening.live, 8) == YES
        assert not evening.row().paused and publisher(evening.live) == 8

    def test_and_one_that_nobody_comes_back_to_ends(self, evening: Evening) -> None:
        assert publish(evening.live, 7) == YES
        assert hook("publish-done", evening.live.stream, clientid=7) == YES
        assert tasks.sweep()["lives"] == 0
        evening.silent(seconds=91)
        assert tasks.sweep()["lives"] == 1
        assert (evening.row().status, evening.row().paused) == (Live.Status.STOPPED, False)

    def test_also_when_the_media_server_went_down_without_a_word(self, on_the_wire: set[str]) -> None:
        live = factories.live()
        publish(live, 7)
        assert publish(live, 8) == YES
        assert publisher(live) == 8

    def test_unsure_whether_the_first_still_sends_the_second_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def silent(stream: str) -> bool:
            raise Unanswered("ConnectError")

        monkeypatch.setattr(media_server, "is_sent", silent)
        live = factories.live()
        publish(live, 7)
        assert publish(live, 8) == NO
        assert publisher(live) == 7

    def test_the_end_of_an_earlier_connection_says_nothing_about_the_present_one(self, evening: Evening) -> None:
        publish(evening.live, 7)
        Live.objects.update(publisher=8)
        assert hook("publish-done", evening.live.stream, clientid=7) == YES
        assert publisher(evening.live) == 8 and not evening.row().paused

    def test_its_end_comes_twice(self, evening: Evening) -> None:
        publish(evening.live, 7)
        assert [hook("publish-done", evening.live.stream), hook("publish-done", evening.live.stream)] == [YES, YES]
        ok(evening.owners.post("live/continue-live", liveId=evening.live.pk))
        assert hook("publish-done", evening.live.stream) == YES
        assert not evening.row().paused


@pytest.mark.django_db(transaction=True)
def test_of_many_connections_at_once_one_may_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_server, "is_sent", lambda stream: False)
    live = factories.live()
    answers = at_once([lambda number=number: publish(live, number) for number in range(1, 21)])  # type: ignore[misc]
    # One after the other they may each replace who is gone; of those who looked at the same moment one wins.
    assert publisher(live) in range(1, 21) and YES in answers and set(answers) <= {YES, NO}


class Vendor(RtmpStreaming):
    """A media server that does what a test tells it to."""

    def __init__(self) -> None:
        self.sends = False
        self.recorded = "http://cdn/replay.mp4"
        self.down = False
        self.did: list[str] = []

    def cut_off(self, stream: str) -> bool:
        self.did.append("cut off")
        if self.down:
            raise Unanswered("ConnectTimeout")
        self.sends, sent = False, self.sends
        return sent

    def recording(self, stream: str, **span: Any) -> str:
        self.did.append("recording")
        self.span = span
        return self.recorded

    def forget(self, stream: str) -> None:
        self.did.append("forget")


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    vendor = Vendor()
    monkeypatch.setattr(media.registry, "streaming", lambda: vendor)
    return vendor


def later(**by: float) -> None:
    """So much time passes for what is left of lives."""
    Live.objects.filter(media_due__isnull=False).update(media_due=F("media_due") - timedelta(**by))


class TestAfterTheEnd:
    @pytest.fixture
    def ended(self, evening: Evening, vendor: Vendor) -> Live:
        rooms.end_live(evening.live.pk)
        return evening.row()

    def test_the_replay_is_there_and_listed(self, evening: Evening, ended: Live, vendor: Vendor) -> None:
        assert tasks.settle_media() == 1
        assert evening.row().lookback_addr == "http://cdn/replay.mp4"
        assert vendor.span == {"since": ended.created_at.replace(microsecond=0), "until": ended.ended_at}
        listed = ok(evening.viewers.get("live/list-live-by-recommend"))["lookbacks"]
        assert [live["lookbackAddr"] for live in listed] == ["http://cdn/replay.mp4"]
        assert tasks.settle_media() == 0

    def test_an_open_live_is_left_alone(self, evening: Evening, vendor: Vendor) -> None:
        assert hook("record-done", evening.live.stream) == YES
        assert tasks.settle_media() == 0
        tasks.settle_media_of(evening.live.pk)
        assert vendor.did == []

    def test_who_goes_on_sending_is_cut_off_first(self, evening: Evening, ended: Live, vendor: Vendor) -> None:
        vendor.sends = True
        tasks.settle_media()
        assert (vendor.did, evening.row().lookback_addr) == (["cut off"], "")
        later(seconds=3)
        tasks.settle_media()
        assert evening.row().lookback_addr == "http://cdn/replay.mp4"

    def test_one_more_piece_makes_it_anew(self, evening: Evening, ended: Live, vendor: Vendor) -> None:
        vendor.recorded = ""
        tasks.settle_media()
        assert (evening.row().lookback_addr, evening.row().media_due) == ("", None)
        vendor.recorded = "http://cdn/replay.mp4"
        assert [hook("record-done", ended.stream), hook("record-done", ended.stream)] == [YES, YES]
        assert tasks.settle_media() == 1
        assert evening.row().lookback_addr == "http://cdn/replay.mp4"

    def test_a_piece_that_comes_meanwhile_is_not_forgotten(self, evening: Evening, ended: Live, vendor: Vendor) -> None:
        once = vendor.recording

        def meanwhile(stream: str, **span: Any) -> str:
            hook("record-done", stream)
            return once(stream, **span)

        vendor.recording = meanwhile  # type: ignore[method-assign]
        tasks.settle_media()
        vendor.recording = once  # type: ignore[method-assign]
        assert tasks.settle_media() == 1
        assert vendor.did.count("recording") == 2

    def test_while_one_worker_is_at_it_no_other_begins(self, ended: Live) -> None:
        assert media.due() == [ended.pk]
        assert media.due() == []

    def test_when_enough_are_being_made_the_next_waits_outside(
        self, evening: Evening, ended: Live, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(media, "_makers", BoundedSemaphore(1))
        with media._makers:
            tasks.settle_media()
            assert vendor.did == ["cut off"]
        later(seconds=5)
        tasks.settle_media()
        tasks.settle_media_of(ended.pk)
        assert vendor.did.count("recording") == 1 and evening.row().lookback_addr

    def test_a_media_server_that_is_down_is_asked_again_ever_more_rarely(
        self, evening: Evening, ended: Live, vendor: Vendor
    ) -> None:
        vendor.down = True
        tasks.settle_media()
        assert tasks.settle_media() == 0
        later(seconds=61)
        Live.objects.update(ended_at=F("ended_at") - timedelta(hours=2))
        assert tasks.settle_media() == 1
        later(minutes=119)
        assert tasks.settle_media() == 0
        later(minutes=2)
        Live.objects.update(ended_at=F("ended_at") - timedelta(days=1))
        assert tasks.settle_media() == 1
        assert evening.row().media_due is None

    def test_what_was_banned_or_never_on_air_has_none(self, vendor: Vendor, evening: Evening) -> None:
        rooms.ban_live(evening.live)
        waiting = factories.live(status=Live.Status.TO_START)
        rooms.end_live(waiting.pk)
        assert tasks.settle_media() == 2
        assert set(vendor.did) == {"cut off"}
        assert hook("record-done", evening.live.stream) == YES
        assert tasks.settle_media() == 0

    def test_of_a_deleted_one_nothing_stays(self, evening: Evening, ended: Live, vendor: Vendor) -> None:
        tasks.settle_media()
        Live.objects.update(status=Live.Status.DELETED, media_due=F("ended_at"))
        tasks.settle_media()
        assert (vendor.did[-1], evening.row().lookback_addr) == ("forget", "")

    def test_of_an_erased_person_nothing_stays(self, evening: Evening, ended: Live, vendor: Vendor) -> None:
        tasks.settle_media()
        personal_data.erase(evening.owner.pk)
        assert (vendor.did[-1], evening.row().lookback_addr) == ("forget", "")

    def test_deleted_while_it_was_made(self, evening: Evening, ended: Live, vendor: Vendor) -> None:
        once = vendor.recording

        def meanwhile(stream: str, **span: Any) -> str:
            Live.objects.update(status=Live.Status.DELETED)
            return once(stream, **span)

        vendor.recording = meanwhile  # type: ignore[method-assign]
        tasks.settle_media()
        assert (vendor.did[-1], evening.row().lookback_addr) == ("forget", "")


class TestOpeningALive:
    def test_a_vendor_that_does_not_answer_refuses_it_and_the_earlier_one_goes_on(
        self, evening: Evening, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(self: object, owner_id: int) -> str:
            raise Unanswered("ConnectTimeout")

        monkeypatch.setattr(RtmpStreaming, "new_stream", silent)
        answer = evening.owners.post("live/create-live", title="t")
        assert (answer["errorcode"], answer.keys()) == (-1, {"errorcode", "errormsg", "traceId"})
        assert Live.objects.get().status == Live.Status.PLAYING

    def test_for_somebody_under_age_no_vendor_is_asked(self, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        monkeypatch.setattr(RtmpStreaming, "new_stream", lambda self, owner_id: asked.append(owner_id))
        refused(api(factories.person(birthday=None)).post("live/create-live", title="t"), 501, "未成年人禁止直播！")
        assert asked == [] and not Live.objects.exists()

    def test_the_vendor_is_not_asked_in_a_transaction(self, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        depths: list[int] = []
        once = RtmpStreaming.new_stream

        def noted(self: RtmpStreaming, owner_id: int) -> str:
            depths.append(len(connection.savepoint_ids))
            return once(self, owner_id)

        monkeypatch.setattr(RtmpStreaming, "new_stream", noted)
        before = len(connection.savepoint_ids)
        ok(api(factories.person()).post("live/create-live", title="t"))
        assert depths == [before]


@pytest.fixture
def files(settings: Any, tmp_path: Any) -> Any:
    settings.MEDIA_FILES = tmp_path
    for name in ("recordings", "hls", "replays"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_recordings_are_kept_for_a_week(files: Any) -> None:
    for name, days in (("old-1.flv", 8), ("new-1.flv", 6)):
        (files / "recordings" / name).write_bytes(b"")
        os.utime(files / "recordings" / name, (0, time.time() - days * 86400))
    assert tasks.forget_recordings() == 1
    assert [path.name for path in (files / "recordings").iterdir()] == ["new-1.flv"]
