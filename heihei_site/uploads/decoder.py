"""A program: decodes what a stranger wrote, from standard input, within bounds on memory and time. It knows nothing of
the server: no settings, no database, no environment.

    decoder.py measure <container> <at most, seconds>          prints the seconds of sound
    decoder.py watch <container>                               prints the seconds of a video
    decoder.py hear <container> <at most, seconds>             writes the sound as WAV, 16 bit, mono, into a file
    decoder.py picture <PNG or JPEG> <pixels> <longest edge>   writes it anew, without what was written beside it
"""

import os
import resource
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from av import AudioFrame
    from av.container import InputContainer

QUALITY = 88  # of a JPEG
RATE = 16_000  # samples a second of what is heard: speech


class Refused(Exception):
    pass


def bound() -> None:
    """Before anything is read: what asks for more is ended by the system."""
    memory, seconds = int(os.environ["DECODER_MEMORY"]), int(os.environ["DECODER_SECONDS"])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def measure(file: BinaryIO, container: str, at_most: float) -> float:
    """Sound is decoded and its samples counted; what a header claims counts for nothing."""
    seconds = 0.0
    with _opened(file, container) as opened:
        for frame in _sound(opened):
            seconds += frame.samples / frame.sample_rate
            if seconds > at_most:
                break
    if not seconds:
        raise Refused("no sound in it")
    return seconds


def hear(file: BinaryIO, container: str, at_most: float) -> None:
    import wave

    import av

    seconds, plain = 0.0, av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with _opened(file, container) as opened, wave.open(sys.stdout.buffer, "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        for frame in _sound(opened):
            seconds += frame.samples / frame.sample_rate
            if seconds > at_most:
                break
            for each in plain.resample(frame):
                out.writeframes(bytes(each.planes[0])[: each.samples * 2])
    if not seconds:
        raise Refused("no sound in it")


def _sound(opened: "InputContainer") -> "Iterator[AudioFrame]":
    """What can be decoded of the first track; a scratch is left out, phones write some."""
    import av

    if not opened.streams.audio:
        raise Refused("no sound in it")
    stream = opened.streams.audio[0]
    stream.codec_context.thread_type = "NONE"
    for packet in opened.demux(stream):
        try:
            yield from (frame for frame in packet.decode() if frame.sample_rate)
        except av.error.InvalidDataError:
            continue


def watch(file: BinaryIO, container: str) -> float:
    """Until its last picture, by the times that they have."""
    with _opened(file, container) as opened:
        if not opened.streams.video:
            raise Refused("no pictures in it")
        stream = opened.streams.video[0]
        ends = [packet.pts + (packet.duration or 0) for packet in opened.demux(stream) if packet.pts is not None]
        if not ends or not stream.time_base:
            raise Refused("no pictures in it")
        return float(max(ends) * stream.time_base)


def _opened(file: BinaryIO, container: str) -> "InputContainer":
    """The demuxer is named: a file is never a playlist that has other addresses opened."""
    import av

    av.logging.set_level(av.logging.PANIC)
    return av.open(file, "r", format=container, metadata_errors="ignore")


def picture(file: BinaryIO, format: str, pixels: int, edge: int) -> None:
    from PIL import Image, ImageOps

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = pixels
    with Image.open(file, formats=[format]) as opened:
        width, height = opened.size
        if width * height > pixels:
            raise Refused(f"{width} x {height} pixels")
        if format == "JPEG":
            opened.draft("RGB", (edge, edge))
        shown: Image.Image = ImageOps.exif_transpose(opened)
        shown.thumbnail((edge, edge))
        transparent = format == "PNG" and shown.has_transparency_data
        plain = Image.new("RGBA" if transparent else "RGB", shown.size)
        plain.paste(shown.convert(plain.mode))
    if format == "PNG":
        plain.save(sys.stdout.buffer, "PNG")
    else:
        plain.save(sys.stdout.buffer, "JPEG", quality=QUALITY)


def main(deed: str, *arguments: str) -> None:
    bound()
    with open("/proc/self/fd/0", "rb") as file:  # opened anew: the place of whoever handed it over stays
        if deed == "measure":
            sys.stdout.write(str(measure(file, arguments[0], float(arguments[1]))))
        elif deed == "watch":
            sys.stdout.write(str(watch(file, arguments[0])))
        elif deed == "hear":
            hear(file, arguments[0], float(arguments[1]))
        else:
            picture(file, arguments[0], int(arguments[1]), int(arguments[2]))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
