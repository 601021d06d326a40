"""One replay of what our media server recorded, each piece at its time."""

import io
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from heihei_site.providers.streaming import flv, recordings
from heihei_site.providers.streaming.rtmp import RtmpStreaming
from tests.sound import facts, silences

approx = partial(pytest.approx, abs=0.2)
SINCE = datetime(2026, 11, 23, 12, tzinfo=UTC)
DESCRIPTION, FRAME = b"\xaf\x00\x12\x10", b"\xaf\x01sound"


def tag(at: int, body: bytes, kind: int = flv.AUDIO) -> bytes:
    time = (at & 0xFFFFFF).to_bytes(3) + bytes([at >> 24])
    return bytes([kind]) + len(body).to_bytes(3) + time + bytes(3) + body + (11 + len(body)).to_bytes(4)


def sounds(data: bytes) -> list[tuple[int, bytes]]:
    assert data.startswith(b"FLV\x01\x04\0\0\0\x09\0\0\0\0")
    return list(flv._sound(io.BytesIO(data)))


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_FILES = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "replays": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "replays", "base_url": "http://cdn/r/", "allow_overwrite": True},
        }
    }
    for name in ("recordings", "hls", "replays"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def without_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)


def piece(files: Path, stream: str, second: int, *tags: bytes, end: bytes = b"") -> None:
    began = int((SINCE + timedelta(seconds=second)).timestamp())
    (files / "recordings" / f"{stream}-{began}.flv").write_bytes(flv.HEADER + b"".join(tags) + end)


def test_each_piece_sounds_at_its_time(files: Path, without_ffmpeg: None) -> None:
    piece(files, "s1", 60, tag(0, DESCRIPTION), tag(5, FRAME), tag(28, FRAME))
    piece(files, "s1", 2, tag(1000, DESCRIPTION), tag(1023, FRAME))
    assert recordings.replay_of("s1", since=SINCE) == "http://cdn/r/s1.flv"
    assert sounds((files / "replays" / "s1.flv").read_bytes()) == [
        (2000, DESCRIPTION), (2023, FRAME), (60000, DESCRIPTION), (60005, FRAME), (60028, FRAME),
    ]  # fmt: skip


def test_the_second_time_it_is_the_same(files: Path, without_ffmpeg: None) -> None:
    piece(files, "s1", 2, tag(0, FRAME))
    first = recordings.replay_of("s1", since=SINCE)
    before = (files / "replays" / "s1.flv").read_bytes()
    assert recordings.replay_of("s1", since=SINCE) == first
    assert [path.name for path in (files / "replays").iterdir()] == ["s1.flv"]
    assert (files / "replays" / "s1.flv").read_bytes() == before


def test_pieces_never_sound_at_once(files: Path, without_ffmpeg: None) -> None:
    piece(files, "s1", 0, tag(0, FRAME), tag(9000, FRAME))
    piece(files, "s1", 3, tag(0, FRAME))
    recordings.replay_of("s1", since=SINCE)
    assert [at for at, _ in sounds((files / "replays" / "s1.flv").read_bytes())] == [0, 9000, 9000]


def test_hours_and_pictures(files: Path, without_ffmpeg: None) -> None:
    piece(files, "s1", 0, tag(0, b"picture", kind=9), tag(0, b"about", kind=18), tag(7, FRAME), tag(0x1234567, FRAME))
    recordings.replay_of("s1", since=SINCE)
    assert sounds((files / "replays" / "s1.flv").read_bytes()) == [(0, FRAME), (0x1234567 - 7, FRAME)]


@pytest.mark.parametrize("end", [tag(23, FRAME)[:-1], tag(23, FRAME)[:14], b"\x08\0\0", b"\x08\xff\xff\xff" + bytes(7)])
def test_a_piece_that_breaks_off_counts_up_to_there(files: Path, without_ffmpeg: None, end: bytes) -> None:
    piece(files, "s1", 0, tag(0, FRAME), end=end)
    recordings.replay_of("s1", since=SINCE)
    assert sounds((files / "replays" / "s1.flv").read_bytes()) == [(0, FRAME)]


def test_no_sound_is_no_replay(files: Path) -> None:
    assert recordings.replay_of("s1", since=SINCE) == ""
    piece(files, "s1", 0, tag(0, DESCRIPTION), tag(0, b"about", kind=18))
    (files / "recordings" / "s1-x.flv").write_bytes(b"")
    piece(files, "s1-2", 0, tag(0, FRAME))
    assert recordings.replay_of("s1", since=SINCE) == ""
    assert list((files / "replays").iterdir()) == []


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")
def test_a_phone_s_player_finds_everything_at_its_time(files: Path) -> None:
    """B56: the 1.1 app shows a line when the position is that of the line since createTime."""
    for second, tone in ((3, "sine=440:duration=1"), (8, "sine=880:duration=2")):
        began = int((SINCE + timedelta(seconds=second)).timestamp())
        path = files / "recordings" / f"s1-{began}.flv"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", tone, "-c:a", "aac", path], check=True)
    assert recordings.replay_of("s1", since=SINCE) == "http://cdn/r/s1.mp4"
    replay = files / "replays" / "s1.mp4"
    quiet = [(round(begin, 1), round(end, 1)) for begin, end in silences(replay)]
    assert quiet == [(approx(0), approx(3)), (approx(4), approx(8))]
    assert float(facts(replay)["duration"]) == approx(10)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")
def test_what_ffmpeg_cannot_read_stays_as_it_is(files: Path) -> None:
    piece(files, "s1", 0, tag(0, b"\xaf\x01" + b"\xff" * 40))
    assert recordings.replay_of("s1", since=SINCE).endswith("/s1.flv")


def test_forgetting_takes_the_pieces_and_the_replay_of_that_stream(files: Path, without_ffmpeg: None) -> None:
    for stream in ("s1", "s2"):
        piece(files, stream, 0, tag(0, FRAME))
        recordings.replay_of(stream, since=SINCE)
    RtmpStreaming().forget("s1")
    RtmpStreaming().forget("s1")
    left = [path.name for folder in ("recordings", "replays") for path in (files / folder).iterdir()]
    assert len(left) == 2 and all(name.startswith("s2") for name in left)


def test_who_hears_no_more_finds_no_list(files: Path) -> None:
    for name in ("s1.m3u8", "s1-0.ts", "s2.m3u8"):
        (files / "hls" / name).write_bytes(b"")
    recordings.clear_hls("s1")
    assert [path.name for path in (files / "hls").iterdir()] == ["s2.m3u8"]
