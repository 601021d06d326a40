"""Throwing away: what nobody used in its time, what a phone wrote and is not needed any more, what was a person's."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.uploads.models import Upload
from heihei_site.uploads.storages import Local, StorageDown, uploads

GRACE = timedelta(minutes=15)  # after which nothing is written any more with credentials that have expired
AT_ONCE = 500

log = structlog.get_logger(__name__)


def sweep() -> int:
    """Returns how many uploads were thrown away. What the storage does not take now waits for the next run."""
    storage = uploads()
    if isinstance(storage, Local):
        storage.tidy()
    over = Upload.objects.filter(expires_at__lt=timezone.now() - GRACE, cleared=False).order_by("expires_at")
    try:
        for upload in over.filter(told_at__isnull=False)[:AT_ONCE]:
            _clear(upload)
        return sum(_throw_away(upload) for upload in over.filter(used_by="")[:AT_ONCE])
    except StorageDown as error:
        log.warning("uploads_not_swept", reason=str(error))
        return 0


def erase(user_id: int) -> None:
    """Everything a person has uploaded, wherever it is shown."""
    for upload in Upload.objects.filter(user=user_id).iterator():
        _remove(upload)


def own_data(user_id: int) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    return {"uploads": _listed(Upload.objects.filter(user=user_id, published=True).order_by("pk"))}


def _listed(found: QuerySet[Upload]) -> Iterator[Mapping[str, Any]]:
    for upload in found.iterator():
        yield {
            "created_at": upload.created_at,
            "url": upload.url,
            "size": upload.size,
            "seconds": upload.seconds,
            "used_by": upload.used_by,
        }


def _clear(upload: Upload) -> None:
    """What the phone wrote, also what it wrote again after the examination: that is at its public place."""
    uploads().remove(upload.key)
    Upload.objects.filter(pk=upload.pk).update(cleared=True)


def _throw_away(upload: Upload) -> bool:
    """First the row is nobody's to claim any more, then the objects go, then the row."""
    if not Upload.objects.filter(pk=upload.pk, used_by="").update(swept_at=Now()):
        return False
    _remove(upload)
    return True


def _remove(upload: Upload) -> None:
    uploads().remove(upload.key)
    uploads().remove(upload.public_key)
    upload.delete()
