"""How long a recording lasts: decoded, not believed (D38)."""

from typing import IO

from django.conf import settings

from heihei_site.uploads import decoding
from heihei_site.uploads.decoding import TooSlow, Undecodable
from heihei_site.uploads.kinds import HEAD_BYTES, container_of


class NotAudio(Exception):
    """Nobody can hear this. Says why in a few words, for the log."""


class NotMeasured(NotAudio):
    """Perhaps somebody can: there was not enough time to find out."""


def measure(file: IO[bytes], *, at_most: float, patience: float | None = None) -> float:
    """Seconds of sound in a file (mp3, m4a, aac, amr, wav or ogg by its first bytes), or NotAudio.

    Stops once it is past `at_most` seconds and says what it has counted until then. A process of its own decodes, with
    bounds on its memory and time: `patience` seconds (DECODING_SECONDS) of the clock. The file is left at its
    beginning.
    """
    file.seek(0)
    container = container_of(file.read(HEAD_BYTES))
    file.seek(0)
    if container in (None, "png", "jpeg"):
        raise NotAudio("unknown container")
    try:
        said = decoding.run("measure", str(container), str(at_most), file=file, patience=_patience(patience))
    except TooSlow as error:
        raise NotMeasured(str(error)) from None
    except Undecodable as error:
        raise NotAudio(str(error)) from None
    return float(said)


def _patience(asked: float | None) -> float:
    return settings.DECODING_SECONDS if asked is None else asked
