"""Small files of every kind, made here."""

import io
import struct
import wave
import zlib
from functools import cache
from typing import Any

import av
from PIL import Image


def picture(format: str = "JPEG", size: tuple[int, int] = (64, 48), **saving: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, format, **saving)
    return out.getvalue()


@cache
def wav(seconds: float = 2.0, rate: int = 8000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", (n * 37) % 9000) for n in range(int(seconds * rate))))
    return out.getvalue()


@cache
def sound(container: str, codec: str, seconds: float = 2.0, rate: int = 44100) -> bytes:
    """As phones record it: `sound("ipod", "aac")` is an m4a, `sound("mp3", "libmp3lame")` an mp3."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as opened, av.open(io.BytesIO(wav(seconds)), format="wav") as source:
        stream: Any = opened.add_stream(codec, rate=rate)
        resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=rate)
        for frame in source.decode(audio=0):
            for part in resampler.resample(frame):
                opened.mux(stream.encode(part))
        for part in resampler.resample(None):
            opened.mux(stream.encode(part))
        opened.mux(stream.encode(None))
    return out.getvalue()


def m4a(seconds: float = 2.0) -> bytes:
    return sound("ipod", "aac", seconds)


def mp3(seconds: float = 2.0) -> bytes:
    return sound("mp3", "libmp3lame", seconds)


def amr(seconds: float = 2.0) -> bytes:
    """Silence in the narrow-band codec of older phones: frames of 20 ms."""
    return b"#!AMR\n" + (b"\x3c" + b"\0" * 31) * int(seconds * 50)


SAID = {"location": "+28.1952+112.9834/", "artist": "Xiaohei"}


@cache
def talkative(container: str, codec: str, seconds: float = 2.0) -> bytes:
    """Sound that says where and by whom it was recorded."""
    silent, out = sound(container, codec, seconds), io.BytesIO()
    with av.open(io.BytesIO(silent)) as source, av.open(out, "w", format=container) as opened:
        opened.metadata.update(SAID)
        stream = opened.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                opened.mux(packet)
    return out.getvalue()


def packets(content: bytes) -> list[bytes]:
    """The sound alone."""
    with av.open(io.BytesIO(content)) as opened:
        return [bytes(packet) for packet in opened.demux(opened.streams[0]) if packet.size]


@cache
def video(pictures: int = 10, **said: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as opened:
        opened.metadata.update(said)
        stream: Any = opened.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(pictures):
            opened.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 48)))))
        opened.mux(stream.encode(None))
    return out.getvalue()


@cache
def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that wants gigabytes: black all over."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    squeezer = zlib.compressobj(9)
    row = bytes(1 + width * 3)
    data = b"".join(squeezer.compress(row) for _ in range(height)) + squeezer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def exif() -> bytes:
    """Where and with what it was taken, and that it is to be turned."""
    said = Image.Exif()
    said[0x010F] = "Xiaomi"
    said[0x0112] = 6
    said.get_ifd(0x8825)[2] = (28.0, 11.0, 42.0)
    return said.tobytes()


def exif_of(content: bytes) -> dict[int, Any]:
    with Image.open(io.BytesIO(content)) as opened:
        return dict(opened.getexif()) | dict(opened.getexif().get_ifd(0x8825))
