"""What may be uploaded, and how a file shows by its first bytes that it is what it says."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

HEAD_BYTES = 64 * 1024  # of a file that are looked at while a phone waits
# What a browser might run, in what says it is sound or a picture. Compressed data never contains it by chance.
_MARKUP = re.compile(rb"<(?:script|html|svg|iframe|\?php|!doctype)", re.IGNORECASE)


class Media(Enum):
    AUDIO = "audio"
    IMAGE = "image"
    VIDEO = "video"


def _has_mp3_frame(head: bytes) -> bool:
    """MPEG audio, layer III, with a bit rate and a sample rate that exist."""
    return len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[2] >> 4 != 15 and head[2] & 12 != 12


_CONTAINERS: dict[str, Callable[[bytes], bool]] = {
    "png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    "jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "mov": lambda head: head[4:8] == b"ftyp",  # MPEG-4 and 3GP
    "mp3": lambda head: head.startswith(b"ID3") or _has_mp3_frame(head),
    "aac": lambda head: len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0,  # ADTS
    "amr": lambda head: head.startswith((b"#!AMR\n", b"#!AMR-WB\n")),
    "wav": lambda head: head.startswith(b"RIFF") and head[8:12] == b"WAVE",
    "ogg": lambda head: head.startswith(b"OggS"),
}


@dataclass(frozen=True)
class Kind:
    media: Media
    content_type: str
    containers: frozenset[str]


def _kind(media: Media, content_type: str, *containers: str) -> Kind:
    return Kind(media, content_type, frozenset(containers))


FORMATS: dict[str, Kind] = {
    "mp3": _kind(Media.AUDIO, "audio/mpeg", "mp3"),
    "m4a": _kind(Media.AUDIO, "audio/mp4", "mov"),
    "aac": _kind(Media.AUDIO, "audio/aac", "aac", "mov"),
    "amr": _kind(Media.AUDIO, "audio/amr", "amr", "mov"),
    "wav": _kind(Media.AUDIO, "audio/wav", "wav"),
    "png": _kind(Media.IMAGE, "image/png", "png"),
    "jpg": _kind(Media.IMAGE, "image/jpeg", "jpeg"),
    "jpeg": _kind(Media.IMAGE, "image/jpeg", "jpeg"),
    "jepg": _kind(Media.IMAGE, "image/jpeg", "jpeg"),  # as the document spells it
    "mp4": _kind(Media.VIDEO, "video/mp4", "mov"),
}


def container_of(head: bytes) -> str | None:
    return next((name for name, begins in _CONTAINERS.items() if begins(head)), None)


def fits(kind: Kind, head: bytes) -> bool:
    """Whether a file of this kind may begin like that."""
    return container_of(head) in kind.containers and not _MARKUP.search(head)


def png_pixels(head: bytes) -> int:
    """Of a PNG, by its own account: what it would be in memory."""
    width, height = struct.unpack(">II", head[16:24])
    return int(width * height)
