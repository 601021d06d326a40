"""What a phone must not wait for: how long a recording really lasts, and pictures written anew (D38)."""

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from threading import BoundedSemaphore
from typing import IO

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.uploads import audio, decoding, metadata
from heihei_site.uploads.audio import NotAudio
from heihei_site.uploads.decoding import Undecodable
from heihei_site.uploads.kinds import Media
from heihei_site.uploads.models import Upload
from heihei_site.uploads.signals import examined
from heihei_site.uploads.storages import StorageDown, uploads

LEASE = timedelta(minutes=5)  # longer than one examination takes
AGAIN = timedelta(minutes=1)  # after one that could not be made

# Workers have other things to do: of their threads no more than these decode, and none waits for its turn.
_examiners = BoundedSemaphore(settings.EXAMINED_AT_ONCE)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Verdict:
    accepted: bool
    seconds: float | None = None
    size: int = 0  # of what was written anew
    reason: str = ""


def examine_waiting() -> int:
    """One after the other, until none is waiting. Whoever finds all places taken leaves its upload to those who have
    them: they look again after giving them back."""
    done = 0
    while _waiting().exists() and _examiners.acquire(blocking=False):
        try:
            while (upload := _waiting().order_by("claimed_at").first()) is not None:
                done += _examine(upload)
        finally:
            _examiners.release()
    return done


def _waiting() -> QuerySet[Upload]:
    free = Q(working_until=None) | Q(working_until__lte=timezone.now())
    return Upload.objects.filter(free, claimed_at__isnull=False, told_at=None)


def _examine(upload: Upload) -> bool:
    """One job at a time has it in hand. The verdict is kept before anybody is told, and they are told before it is done
    with: what dies in between is told again, with the same verdict."""
    if not _waiting().filter(pk=upload.pk).update(working_until=timezone.now() + LEASE):
        return False
    try:
        if upload.accepted is None and not _settle(upload):
            return False
        _hide(upload)
        examined.send(
            Upload,
            upload_id=upload.pk,
            used_by=upload.used_by,
            accepted=upload.accepted,
            seconds=upload.seconds,
            url=upload.url,
        )
    except Exception as error:
        if not isinstance(error, StorageDown):
            log.exception("examination_failed", upload=upload.pk)
        Upload.objects.filter(pk=upload.pk).update(working_until=timezone.now() + AGAIN)
        return False
    Upload.objects.filter(pk=upload.pk).update(told_at=Now(), working_until=None)
    return True


def _settle(upload: Upload) -> bool:
    """False where its owner was erased meanwhile, and so is what was written here."""
    verdict = _look_into(upload)
    upload.accepted, upload.seconds = verdict.accepted, verdict.seconds
    kept = Upload.objects.filter(pk=upload.pk).update(
        accepted=verdict.accepted,
        seconds=verdict.seconds,
        published=verdict.accepted,
        size=verdict.size or upload.size,
    )
    if not verdict.accepted:
        log.info("upload_refused", upload=upload.pk, reason=verdict.reason)
    if not kept:
        uploads().remove(upload.public_key)
    return bool(kept)


def _hide(upload: Upload) -> None:
    """What the phone wrote, and what is not accepted. A job that dies before the end of it leaves it to the next."""
    uploads().remove(upload.key)
    if not upload.accepted:
        uploads().remove(upload.public_key)


def _look_into(upload: Upload) -> Verdict:
    if upload.kind.media is Media.IMAGE:
        return _write_anew(upload)
    file = uploads().read(upload.public_key, "")
    if file is None:
        return Verdict(False, reason="gone")
    with file:
        try:
            seconds = _seconds_of(upload.kind.media, file)
        except (NotAudio, Undecodable) as error:
            return Verdict(False, reason=str(error))
        if seconds > settings.AUDIO_SECONDS:
            return Verdict(False, seconds, reason="too long")
        return Verdict(True, seconds, size=_silence(upload, file))


def _seconds_of(media: Media, file: IO[bytes]) -> float:
    if media is Media.VIDEO:
        return float(decoding.run("watch", "mov", file=file, patience=settings.DECODING_SECONDS))
    return audio.measure(file, at_most=settings.AUDIO_SECONDS)


def _silence(upload: Upload, file: IO[bytes]) -> int:
    """Takes out what the file says of itself: the size of what stands in its place, 0 where it said nothing."""
    silent = metadata.strip(file)
    if silent is None:
        return 0
    with silent:
        size = silent.seek(0, 2)
        silent.seek(0)
        uploads().put(upload.public_key, silent, upload.kind.content_type)
    return size


def _write_anew(upload: Upload) -> Verdict:
    """Exactly the version that was found when it was used; without place, camera and whatever else was in it."""
    file = uploads().read(upload.key, upload.version)
    if file is None:
        return Verdict(bool(_already_written(upload)), reason="changed since")
    format = "PNG" if upload.format == "png" else "JPEG"
    bounds = (str(settings.PICTURE_PIXELS), str(settings.PICTURE_EDGE))
    with file, tempfile.TemporaryFile() as written:
        try:
            decoding.run("picture", format, *bounds, file=file, patience=settings.DECODING_SECONDS, result=written)
        except Undecodable as error:
            return Verdict(False, reason=str(error))
        size = written.seek(0, 2)
        written.seek(0)
        uploads().put(upload.public_key, written, upload.kind.content_type)
    return Verdict(True, size=size)


def _already_written(upload: Upload) -> bool:
    """By a job that died before it could say so."""
    return uploads().look(upload.public_key) is not None
