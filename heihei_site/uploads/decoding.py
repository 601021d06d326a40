"""Bytes of strangers are decoded in a process of their own: what they break there, breaks there (`decoder.py`)."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from django.conf import settings

DECODER = Path(__file__).with_name("decoder.py")


class Undecodable(Exception):
    """It is not what it says it is, or wants more memory or time than anything honest."""


class TooSlow(Undecodable):
    """Nobody knows: it was not decoded in the time there was."""


def run(deed: str, *arguments: str, file: IO[bytes], patience: float, result: IO[bytes] | None = None) -> bytes:
    """What the decoder answers; with `result`, an open file, it writes its answer there."""
    with tempfile.TemporaryFile() as copy:
        readable = _with_descriptor(file, copy)
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(DECODER), deed, *arguments],
                stdin=readable,
                stdout=subprocess.PIPE if result is None else result,
                stderr=subprocess.PIPE,
                env={"DECODER_MEMORY": str(settings.DECODING_MEMORY), "DECODER_SECONDS": str(int(patience) + 1)},
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TooSlow("takes too long") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Undecodable(reason[:200] or f"exit {done.returncode}")
    return done.stdout or b""


def _with_descriptor(file: IO[bytes], copy: IO[bytes]) -> IO[bytes]:
    """A file that another process can open; what is only in memory is copied."""
    try:
        descriptor = file.fileno()
        os.stat(f"/proc/self/fd/{descriptor}")
    except OSError:
        file.seek(0)
        shutil.copyfileobj(file, copy)
        file.seek(0)
        copy.flush()
        return copy
    return file
