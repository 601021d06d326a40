"""What our own media server writes under `MEDIA_FILES`, and what becomes of it.

`recordings/<stream>-<unix second it began>.flv`, one for each connection of the owner's phone; `hls/<stream>*` while
it is sent. From the first: `<stream>.mp4` in the storage "replays", or `.flv` where there is no ffmpeg.
"""

import shutil
import subprocess
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages

from heihei_site.providers.streaming import flv

FORMATS = ("mp4", "flv")

log = structlog.get_logger(__name__)


def replay_of(stream: str, *, since: datetime) -> str:
    """The address of a file in which everything sounds as long after the beginning as it did after `since`."""
    origin = int(since.timestamp() * 1000)
    pieces = [(max(0, began * 1000 - origin), path) for began, path in _pieces(stream)]
    if not pieces:
        return ""
    with TemporaryDirectory(prefix="heihei-replay-") as folder:
        joined = Path(folder) / "joined.flv"
        with joined.open("wb") as file:
            if not flv.join(pieces, file):
                return ""
        return _store(stream, _for_phones(joined) or joined)


def forget(stream: str) -> None:
    for _, path in _pieces(stream):
        path.unlink(missing_ok=True)
    for ending in FORMATS:
        storages["replays"].delete(f"{stream}.{ending}")


def forget_old(age: timedelta) -> int:
    """Deletes recordings, not replays, that are older. Returns how many."""
    old = [path for path in _files("recordings", "*.flv") if path.stat().st_mtime < time.time() - age.total_seconds()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def clear_hls(stream: str) -> None:
    """nginx does this itself unless it runs as one process; where we may not, that is why."""
    for path in (*_files("hls", f"{stream}-*.ts"), *_files("hls", f"{stream}.m3u8")):
        with suppress(OSError):
            path.unlink()


def _files(folder: str, pattern: str) -> list[Path]:
    return list((settings.MEDIA_FILES / folder).glob(pattern))


def _pieces(stream: str) -> list[tuple[int, Path]]:
    """When each began (seconds), in order."""
    found = []
    for path in _files("recordings", f"{stream}-*.flv"):
        began = path.stem.removeprefix(f"{stream}-")
        if began.isdecimal():
            found.append((int(began), path))
    return sorted(found)


def _for_phones(joined: Path) -> Path | None:
    """An MP4 with silence where nothing was sent; None where ffmpeg is missing or cannot read it."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        return None
    mp4 = joined.with_suffix(".mp4")
    # Filled up by the timestamps that `join` wrote, from zero on: players count what they play.
    sound = ["-vn", "-af", "aresample=async=1:first_pts=0", "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart"]
    done = subprocess.run(
        [ffmpeg, "-nostdin", "-v", "error", "-copyts", "-i", joined, *sound, mp4],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=settings.REPLAY_TIMEOUT,
    )
    if done.returncode:
        log.warning("replay_not_converted", said=done.stderr[-500:].decode(errors="replace"))
        return None
    return mp4


def _store(stream: str, made: Path) -> str:
    storage = storages["replays"]
    with made.open("rb") as file:
        return storage.url(storage.save(f"{stream}{made.suffix}", File(file)))
