"""Where uploaded files are: on disk, or in a bucket (`s3.py`). Both are Django storages that can do a little more."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

from django.core.files.storage import FileSystemStorage, storages

from heihei_site.uploads.kinds import HEAD_BYTES

UNFINISHED = 24 * 3600  # seconds after which what a dead process was writing is thrown away


class StorageDown(Exception):
    """Whether there is such an object nobody knows now."""


@dataclass(frozen=True)
class Seen:
    """An object as it was at one moment; another content has another `version`."""

    size: int
    version: str
    head: bytes


class ObjectStorage(Protocol):
    """Every method may raise StorageDown, and does not wait long before it does."""

    def look(self, key: str) -> Seen | None:
        """None where there is no such object."""
        ...

    def publish(self, key: str, version: str, to: str, content_type: str) -> bool:
        """Copies exactly that version; False, and nothing is copied, where the object has become another. Again is the
        same."""
        ...

    def read(self, key: str, version: str) -> IO[bytes] | None:
        """None where the object, or that version of it, is gone. Any version for ""."""
        ...

    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        """All of it or nothing; over what is there."""
        ...

    def remove(self, key: str) -> None:
        """What is not there already is."""
        ...


def uploads() -> ObjectStorage:
    return cast(ObjectStorage, storages["uploads"])


class Local(FileSystemStorage):
    """Files are written beside their place and moved there when they are whole: one that is open never changes."""

    def look(self, key: str) -> Seen | None:
        try:
            with open(self.path(key), "rb") as file:
                return Seen(os.fstat(file.fileno()).st_size, _version(file), file.read(HEAD_BYTES))
        except FileNotFoundError:
            return None

    def publish(self, key: str, version: str, to: str, content_type: str) -> bool:
        file = self.read(key, version)
        if file is None:
            return False
        with file:
            self.put(to, file, content_type)
        return True

    def read(self, key: str, version: str) -> IO[bytes] | None:
        try:
            file = open(self.path(key), "rb")  # noqa: SIM115  (the caller closes it)
        except FileNotFoundError:
            return None
        if version in ("", _version(file)):
            return file
        file.close()
        return None

    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        place = Path(self.path(key))
        with self._beside(place) as unfinished:
            shutil.copyfileobj(file, unfinished)
            unfinished.flush()
            os.fchmod(unfinished.fileno(), 0o644)

    def remove(self, key: str) -> None:
        with suppress(FileNotFoundError):
            os.remove(self.path(key))

    @contextmanager
    def _beside(self, place: Path) -> "Iterator[tempfile._TemporaryFileWrapper[bytes]]":
        """A file that becomes `place` at the end, if there is one."""
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = tempfile.NamedTemporaryFile(dir=self._unfinished(), delete=False)  # noqa: SIM115
        try:
            with unfinished:
                yield unfinished
            os.replace(unfinished.name, place)
        except BaseException:
            with suppress(FileNotFoundError):
                os.remove(unfinished.name)
            raise

    def _unfinished(self) -> Path:
        directory = Path(self.path("unfinished"))
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def tidy(self) -> None:
        """Throws away what a process was writing when it died."""
        for file in self._unfinished().iterdir():
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < time.time() - UNFINISHED:
                    file.unlink()


def _version(file: IO[bytes]) -> str:
    found = os.fstat(file.fileno())
    return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"
