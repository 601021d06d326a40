"""Sound that is sent and heard: ffmpeg in the place of the phone's publisher and player."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heihei_site import nginx_rtmp

REQUIRED = "HEIHEI_REQUIRE_MEDIA"  # set to 1 where a missing media server is a failure


def require_media_server() -> None:
    found = {"ffmpeg": shutil.which("ffmpeg"), "nginx-rtmp": nginx_rtmp.find()}
    missing = [name for name, place in found.items() if place is None]
    if missing and os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{REQUIRED}=1 and there is no {', no '.join(missing)}")
    if missing:
        pytest.skip(f"no {', no '.join(missing)}: {nginx_rtmp.INSTALL}")


class Sender:
    """Sends a tone until it is ended; `seconds` is for how long at most."""

    def __init__(self, address: str, *, tone: int = 440, seconds: float = 60) -> None:
        sound = ["-re", "-f", "lavfi", "-i", f"sine={tone}:sample_rate=44100", "-t", str(seconds)]
        coded = ["-c:a", "aac", "-b:a", "48k", "-f", "flv", address]
        self.process = subprocess.Popen(
            ["ffmpeg", "-nostdin", "-loglevel", "error", *sound, *coded],
            stderr=subprocess.DEVNULL,
        )

    @property
    def sends(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """As a phone does that leaves: the media server is told."""
        self.process.terminate()
        self.process.wait(10)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextmanager
def sending(address: str, *, tone: int = 440) -> Iterator[Sender]:
    sender = Sender(address, tone=tone)
    try:
        yield sender
    finally:
        sender.kill()


def refused(address: str) -> bool:
    """Whether who sends there is turned away."""
    sender = Sender(address, seconds=3)
    try:
        return sender.process.wait(20) != 0
    finally:
        sender.kill()


def facts(path: Path) -> dict[str, str]:
    """Format, codec and seconds of a file of sound."""
    shown = ["-show_entries", "format=format_name,duration:stream=codec_name", "-of", "json"]
    said = json.loads(subprocess.check_output(["ffprobe", "-v", "error", *shown, path]))
    return {**said["format"], **said["streams"][0]}


def silences(path: Path, *, least: float = 0.5) -> list[tuple[float, float]]:
    """From when to when nothing is to be heard."""
    listen = ["-i", path, "-af", f"silencedetect=noise=-50dB:d={least}", "-f", "null", "-"]
    said = subprocess.run(["ffmpeg", "-nostdin", *listen], capture_output=True, text=True).stderr
    words = [line.split("silence_")[1] for line in said.splitlines() if "silence_" in line]
    begins = [float(word.split(": ")[1]) for word in words if word.startswith("start")]
    ends = [float(word.split(": ")[1].split()[0]) for word in words if word.startswith("end")]
    return list(zip(begins, ends, strict=False))
