"""Where the sound of records is: beside other uploads, under names that nobody guesses."""

import secrets
from contextlib import nullcontext
from datetime import datetime
from typing import IO

from django.conf import settings

from heihei_site.uploads import metadata
from heihei_site.uploads.kinds import FORMATS, HEAD_BYTES, container_of
from heihei_site.uploads.models import PUBLIC
from heihei_site.uploads.storages import uploads

FORMAT_OF = {"mp3": "mp3", "mov": "m4a", "aac": "aac", "amr": "amr", "wav": "wav"}  # by what it begins like


def format_of(file: IO[bytes]) -> str | None:
    """None for what is no sound that phones play. The file is left at its beginning."""
    file.seek(0)
    container = container_of(file.read(HEAD_BYTES))
    file.seek(0)
    return FORMAT_OF.get(container or "")


def keep(file: IO[bytes], format: str, user_id: int, now: datetime) -> str:
    """Returns its name in the storage. What the file says of itself is left out."""
    name = f"{PUBLIC}/record/{now:%Y%m%d%H}_{user_id}_{secrets.token_hex(5)}.{format}"
    with metadata.strip(file) or nullcontext(file) as sound:
        uploads().put(name, sound, FORMATS[format].content_type)
    return name


def forget(name: str) -> None:
    """The second time it is gone already."""
    uploads().remove(name)


def address_of(name: str) -> str:
    return f"{settings.UPLOADS_URL}/{name}" if name else ""
