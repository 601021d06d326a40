"""Uploading, hearing and deleting records."""

import hashlib
from datetime import datetime
from typing import IO, Any, cast

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from heihei_site.api.errors import (
    RecordingDamaged,
    RecordingNotYours,
    RecordingTooLarge,
    RecordingTooShort,
    RecordingUnknown,
)
from heihei_site.uploads import audio
from heihei_site.uploads.audio import NotAudio, NotMeasured
from heihei_site.uploads.storages import StorageDown
from records import files, selectors
from records.models import Record
from users.models import User

PATIENCE = 1.2  # seconds for finding out how long it is, while a phone waits (D9)

log = structlog.get_logger(__name__)

_HEARD = """
INSERT INTO records_listening (record_id, user_id, times) VALUES (%(record)s, %(user)s, 1)
ON CONFLICT (record_id, user_id) DO UPDATE SET times = records_listening.times + 1, last_at = statement_timestamp()
RETURNING xmax = 0
"""


def upload(*, user: User, file: Any, md5: str, said: int, now: datetime) -> Record:
    """Waits for operators to hear it. The same file again is the same record. The length that the phone `said` counts
    where there was no time to measure it, until a job has (`measuring.py`)."""
    sound = _checked(file, md5)
    known = _same(user, md5)
    if known is not None:
        return known
    format = files.format_of(sound)
    if format is None:
        raise RecordingDamaged
    length = measure(sound, patience=PATIENCE)
    try:
        name = files.keep(sound, format, user.pk, now)
    except StorageDown as error:
        log.warning("record_not_kept", reason=str(error))
        raise RecordingDamaged from None
    try:
        with transaction.atomic():
            return Record.objects.create(
                user=user,
                file=name,
                file_md5=md5.lower(),
                length=said if length is None else length,
                measured=length is not None,
            )
    except IntegrityError:  # the same request a moment earlier
        files.forget(name)
        known = _same(user, md5)
        if known is None:
            raise
        return known


def _checked(file: Any, md5: str) -> IO[bytes]:
    if file.size > settings.RECORD_BYTES:
        raise RecordingTooLarge
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in file.chunks():
        digest.update(chunk)
    if digest.hexdigest() != md5.lower():
        raise RecordingDamaged
    return cast(IO[bytes], file.file)


def _same(user: User, md5: str) -> Record | None:
    return Record.objects.filter(user=user, file_md5=md5.lower(), status__in=Record.THERE).first()


def measure(sound: IO[bytes], *, patience: float | None = None) -> int | None:
    """Its length in seconds, None where there is no time to find out. Refuses what is none, too short or too long."""
    least, most = settings.RECORD_SECONDS
    try:
        seconds = audio.measure(sound, at_most=most + 1, patience=patience)
    except NotMeasured:
        return None
    except NotAudio as error:
        log.info("record_refused", reason=str(error))
        raise RecordingDamaged from None
    if seconds < least:
        raise RecordingTooShort
    if seconds > most:
        raise RecordingTooLarge
    return round(seconds)


def read(*, user: User, record: Record) -> None:
    """Remembers who has heard it. One's own one may hear as often as one likes."""
    if user.pk == record.user_id:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HEARD, {"record": record.pk, "user": user.pk})


@transaction.atomic
def delete(*, user: User, record_id: int) -> None:
    """RecordingNotYours for another's that the person may hear; RecordingUnknown for everything else, the second time
    included. The file goes with the next sweep."""
    own = Record.objects.select_for_update(no_key=True).filter(pk=record_id, user=user, status__in=Record.THERE)
    record = own.first()
    if record is None:
        raise RecordingNotYours if selectors.find(record_id, user) else RecordingUnknown
    Record.objects.filter(pk=record.pk).update(status=Record.Status.DELETED, score=None)
