"""Flash video files, as far as sound needs it: one made of several, each at its time."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

AUDIO = 8
HEADER = b"FLV\x01\x04\0\0\0\x09" + bytes(4)  # version 1, sound only; no tag before the first
TAG_BYTES = 11
AAC = 0xA0  # in the first four bits of a tag's body
LONGEST_TAG = 1024 * 1024


def join(pieces: Iterable[tuple[int, Path]], into: BinaryIO) -> bool:
    """Writes one file in which each piece's sound begins at its millisecond. False where there is no sound at all.

    A piece that reaches into the next one's time pushes it back; one that ends in the middle of a tag, as after a
    power cut, counts up to there.
    """
    into.write(HEADER)
    end, sound = 0, False
    for begin, path in pieces:
        with path.open("rb") as file:
            begin, first = max(begin, end), None
            for at, body in _sound(file):
                first = at if first is None else first
                end = max(end, begin + at - first)
                into.write(_tag(end, body))
                sound = sound or not _is_description(body)
    return sound


def _sound(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.read(len(HEADER))
    while len(head := file.read(TAG_BYTES)) == TAG_BYTES:
        size = int.from_bytes(head[1:4])
        if size > LONGEST_TAG:
            return
        body = file.read(size)
        if len(body) < size or len(file.read(4)) < 4:
            return
        if head[0] == AUDIO and body:
            yield int.from_bytes(head[4:7]) | head[7] << 24, body


def _tag(at: int, body: bytes) -> bytes:
    size, time = len(body).to_bytes(3), (at & 0xFFFFFF).to_bytes(3) + bytes([at >> 24 & 0xFF])
    return bytes([AUDIO]) + size + time + bytes(3) + body + (TAG_BYTES + len(body)).to_bytes(4)


def _is_description(body: bytes) -> bool:
    """It says how the sound is coded and is none itself."""
    return body[0] & 0xF0 == AAC and body[1:2] == b"\0"
