"""What a recording or a video says of itself: where, when, with what and by whom it was made.

MPEG-4, 3GP and WAV: overwritten in place, so that nothing else moves. MP3: cut off. AAC and AMR frames say nothing, and
Ogg is left as it is. Not taken out: times of day in headers, and tracks that are neither sound nor pictures.
"""

import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from heihei_site.uploads.kinds import HEAD_BYTES, container_of

MOST = 10_000  # boxes, chunks or tags that are looked at: of what phones write, far fewer
_SAYING = (b"udta", b"meta", b"uuid")
_INSIDE: dict[bytes, tuple[bytes, ...]] = {b"": (b"moov",), b"moov": (b"trak",), b"trak": ()}
_SOUND = (b"fmt ", b"fact", b"data")


@dataclass(frozen=True)
class _Part:
    """A box or chunk: where its name stands, where its content begins, and where it ends."""

    name: bytes
    named_at: int
    begin: int
    end: int


def strip(file: IO[bytes]) -> IO[bytes] | None:
    """A copy that says nothing, for the caller to close; None where there was nothing to take out. Both are at their
    beginning then."""
    file.seek(0)
    container = container_of(file.read(HEAD_BYTES))
    if container == "mp3":
        copy = _cut(file)
    elif container in _OVERWRITING:
        find, name = _OVERWRITING[container]
        copy = _overwritten(file, list(find(file)), name)
    else:
        copy = None
    file.seek(0)
    return copy


def _overwritten(file: IO[bytes], parts: Iterable[_Part], name: bytes) -> IO[bytes] | None:
    if not parts:
        return None
    copy = tempfile.TemporaryFile()  # noqa: SIM115  (the caller's)
    file.seek(0)
    shutil.copyfileobj(file, copy)
    for part in parts:
        copy.seek(part.named_at)
        copy.write(name)
        copy.seek(part.begin)
        copy.write(bytes(part.end - part.begin))
    copy.seek(0)
    return copy


def _saying_boxes(file: IO[bytes]) -> Iterator[_Part]:
    places = [(b"", 0, _length(file))]
    for _ in range(MOST):
        if not places:
            return
        place, start, end = places.pop()
        box = _box(file, start, end)
        if box is None:
            continue
        places.append((place, box.end, end))
        if box.name in _SAYING:
            yield box
        elif box.name in _INSIDE[place]:
            places.append((box.name, box.begin, box.end))


def _box(file: IO[bytes], start: int, end: int) -> _Part | None:
    file.seek(start)
    head = file.read(16)
    if start + 8 > end or len(head) < 8:
        return None
    size, name = struct.unpack(">I4s", head[:8])
    length = 8
    if size == 1 and len(head) == 16:
        (size,), length = struct.unpack(">Q", head[8:]), 16
    elif size == 0:
        size = end - start
    if size < length or start + size > end:
        return None
    return _Part(name, start + 4, start + length, start + size)


def _saying_chunks(file: IO[bytes]) -> Iterator[_Part]:
    start, end = 12, _length(file)
    for _ in range(MOST):
        file.seek(start)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        if start + 8 + size > end or (name, size) == (b"data", 0):  # not filled in: all that follows is sound
            return
        if name not in _SOUND:
            yield _Part(name, start, start + 8, start + 8 + size)
        start += 8 + size + size % 2


_OVERWRITING: dict[str, tuple[Callable[[IO[bytes]], Iterator[_Part]], bytes]] = {
    "mov": (_saying_boxes, b"free"),
    "wav": (_saying_chunks, b"JUNK"),
}


def _cut(file: IO[bytes]) -> IO[bytes] | None:
    whole = _length(file)
    begin, end = _after_id3(file), _before_tags(file, whole)
    if (begin, end) == (0, whole) or begin >= end:
        return None
    copy = tempfile.TemporaryFile()  # noqa: SIM115  (the caller's)
    file.seek(begin)
    shutil.copyfileobj(file, copy)
    copy.truncate(end - begin)
    copy.seek(0)
    return copy


def _after_id3(file: IO[bytes]) -> int:
    """Where the first frame of sound is: what stands before it has its length in four times seven bits."""
    begin = 0
    for _ in range(MOST):
        file.seek(begin)
        head = file.read(10)
        if len(head) < 10 or not head.startswith(b"ID3"):
            break
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        begin += 10 + size + (10 if head[5] & 0x10 else 0)
    return begin


def _before_tags(file: IO[bytes], end: int) -> int:
    """ID3v1 is the last thing in a file, an APE tag stands before it."""
    if _read(file, end - 128, 3) == b"TAG":
        end -= 128
    footer = _read(file, end - 32, 32)
    if footer.startswith(b"APETAGEX"):
        size, _, flags = struct.unpack("<III", footer[12:24])
        end -= size + (32 if flags & 1 << 31 else 0)
    return end


def _read(file: IO[bytes], at: int, many: int) -> bytes:
    if at < 0:
        return b""
    file.seek(at)
    return file.read(many)


def _length(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)
