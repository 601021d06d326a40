"""What a live sounds like, from the owner's phone to the replay, over the real media server."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app import publish_url
from tests.client import Phone
from tests.processes import wait_until
from tests.sound import facts, refused, require_media_server, sending, silences
from tests.venue import Venue

SOON, REPLAY = 10, 60  # seconds


@pytest.fixture(autouse=True, scope="module")
def media_server() -> None:
    require_media_server()


def fetched(url: str) -> httpx.Response:
    return httpx.get(url, timeout=5, trust_env=False)


def card(phone: Phone, live_id: str | None = None) -> dict[str, Any]:
    answer = phone.get("live", "getLive", liveId=live_id or phone.live.id)
    return dict(answer.object("live").members)


def address_of(phone: Phone) -> str:
    assert phone.live.publisher
    return publish_url(phone.live.publisher)


def hears(url: str) -> bool:
    """A player finds the list, and sound in it."""
    playlist = fetched(url)
    segments = re.findall(r"^[^#\s].*", playlist.text, re.MULTILINE) if playlist.status_code == 200 else []
    return bool(segments) and fetched(f"{url.rsplit('/', 1)[0]}/{segments[-1]}").content[:1] == b"\x47"  # MPEG-TS


def replays_listed(phone: Phone) -> list[str]:
    listed = phone.get("live", "listLiveByRecommend").json
    assert listed
    return [str(live["liveId"]) for live in listed.members["lookbacks"]]


def paused(venue: Venue, phone: Phone) -> bool:
    return bool(venue.sql("SELECT paused FROM live_live WHERE id = %s", phone.live.id))


def publisher(venue: Venue, phone: Phone) -> int | None:
    return venue.sql("SELECT publisher FROM live_live WHERE id = %s", phone.live.id)  # type: ignore[no-any-return]


def replay(phone: Phone, path: Path) -> Path:
    wait_until(lambda: card(phone)["lookbackAddr"], REPLAY, "there is a replay")
    address = card(phone)["lookbackAddr"]
    assert address.endswith(".mp4")
    path.write_bytes(fetched(address).content)
    return path


def test_from_the_phone_to_the_replay(venue: Venue, anchor: Phone, viewer: Phone, tmp_path: Path) -> None:
    with sending(address_of(anchor)) as sender:
        live = card(viewer)
        wait_until(lambda: hears(live["hlsAddr"]), 30, "the list plays")
        assert sender.sends and live["pushAddr"] == "" and live["lookbackAddr"] == ""
        assert fetched(live["hlsAddr"]).headers["Access-Control-Allow-Origin"] == "*"

        assert anchor.stop().ok
        wait_until(lambda: not sender.sends, SOON, "who goes on sending is cut off")
    sound = replay(viewer, tmp_path / "replay.mp4")
    assert facts(sound)["codec_name"] == "aac" and "mp4" in facts(sound)["format_name"]
    assert float(facts(sound)["duration"]) > 2
    assert anchor.live.id in replays_listed(viewer)
    assert refused(address_of(anchor)), "the key of an ended live"
    assert fetched(live["hlsAddr"]).status_code == 404


def test_only_the_live_s_own_key_opens_it(venue: Venue, anchor: Phone, guest: Callable[..., Phone]) -> None:
    other = guest("小蓝", "Female")
    assert other.go_on_air("另一个").ok
    mine, theirs = address_of(anchor), address_of(other)
    key = re.compile(r"key=\w+")
    their_key = key.search(theirs)
    assert their_key
    assert refused(key.sub("key=" + "0" * 32, mine)), "a wrong key"
    assert refused(mine.split("?")[0]), "no key"
    assert refused(key.sub(their_key[0], mine)), "a foreign key"
    their_name = theirs.split("?")[0].rsplit("/", 1)[1]
    assert refused(f"{mine.split('?')[0]}?{their_key[0]}&name={their_name}"), "a foreign key with its stream's name"
    assert publisher(venue, anchor) is None and publisher(venue, other) is None


def test_one_connection_at_a_time_and_the_phone_comes_back(venue: Venue, anchor: Phone, tmp_path: Path) -> None:
    venue.keep_open(int(anchor.live.id))
    address = address_of(anchor)
    with sending(address, tone=440) as first:
        wait_until(lambda: hears(card(anchor)["hlsAddr"]), 30, "the list plays")
        connection = publisher(venue, anchor)
        assert connection and refused(address), "a second one while the first sends"
        assert first.sends and publisher(venue, anchor) == connection and not paused(venue, anchor)

        first.kill()
        wait_until(lambda: paused(venue, anchor), SOON, "the live is paused")
        time.sleep(2)
        with sending(address, tone=880) as second:
            wait_until(lambda: not paused(venue, anchor), SOON, "it goes on")
            time.sleep(2)
            os.kill(second.process.pid, signal.SIGSTOP)  # the network is gone, and nobody was told
            wait_until(lambda: paused(venue, anchor), 15, "silence counts as gone")
            with sending(address, tone=220) as third:
                wait_until(lambda: publisher(venue, anchor) is not None, SOON, "the phone is back")
                time.sleep(2)
                third.end()
    wait_until(lambda: publisher(venue, anchor) is None, SOON, "nobody sends")
    assert anchor.stop().ok
    sound = replay(anchor, tmp_path / "replay.mp4")
    quiet = silences(sound)
    assert len(quiet) >= 2, "one replay, with the time in it when nobody sent"
    began = venue.sql("SELECT extract(epoch FROM ended_at - created_at) FROM live_live WHERE id = %s", anchor.live.id)
    assert abs(float(facts(sound)["duration"]) - float(began)) < 4


def test_a_media_server_that_went_down_does_not_lock_the_phone_out(venue: Venue, anchor: Phone) -> None:
    venue.keep_open(int(anchor.live.id))
    address = address_of(anchor)
    with sending(address):
        wait_until(lambda: publisher(venue, anchor), SOON, "somebody sends")
        former = venue.instance.process("media server")
        venue.instance.kill("media server")
    wait_until(lambda: venue.instance.process("media server") not in (None, former), SOON, "it runs again")
    wait_until(lambda: fetched(card(anchor)["hlsAddr"]).status_code, SOON, "it answers")
    time.sleep(0.5)
    assert publisher(venue, anchor), "nobody said that the connection is over"
    with sending(address) as sender:
        wait_until(lambda: hears(card(anchor)["hlsAddr"]), 30, "the list plays")
        assert sender.sends


def test_a_banned_live_falls_silent(venue: Venue, anchor: Phone) -> None:
    with sending(address_of(anchor)) as sender:
        wait_until(lambda: publisher(venue, anchor), SOON, "somebody sends")
        venue.run(
            "from live.models import Live; from live.services import rooms;"
            f"rooms.ban_live(Live.objects.get(pk={int(anchor.live.id)}))"
        )
        wait_until(lambda: not sender.sends, SOON, "it is cut off")
    assert venue.sql("SELECT lookback_addr FROM live_live WHERE id = %s", anchor.live.id) == ""


def test_no_key_and_no_secret_of_all_this_is_in_a_log(venue: Venue, anchor: Phone) -> None:
    with sending(address_of(anchor)):
        wait_until(lambda: publisher(venue, anchor), SOON, "somebody sends")
    assert refused(re.sub(r"key=\w+", "key=wrong", address_of(anchor)))
    logs = venue.instance.console() + (venue.instance.var / "log" / "nginx.log").read_text()
    assert "/hooks/rtmp/publish" in logs
    assert not re.findall(r"(?:secret|key)=", logs)
