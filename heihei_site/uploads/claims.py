"""Using an upload: `find` it while nothing is locked, then `claim` it in the deed's own transaction.

found = claims.find(owner_id=user.pk, sign=sign, media=Media.AUDIO)
with telling():
    subject = Subject.objects.create(..., path=found.url)
    claims.claim(found, used_by=f"subject:{subject.pk}")
"""

from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from heihei_site import jobs
from heihei_site.api.errors import FileRefused
from heihei_site.uploads import kinds, signs, tasks
from heihei_site.uploads.kinds import Media
from heihei_site.uploads.models import Upload
from heihei_site.uploads.storages import StorageDown, uploads

__all__ = ["Found", "Media", "claim", "find"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Found:
    """A file that is there and begins like what it says it is. What it lasts and shows, a job finds out
    (`signals.examined`); a picture answers at its `url` once it has."""

    upload_id: int
    path: str
    url: str
    media: Media
    size: int  # bytes
    content_type: str


def find(*, owner_id: int, sign: str, media: Media) -> Found:
    """The upload that this sign was given for. Asks the storage, so not inside a transaction.

    FileRefused unless the sign is this person's, in time, and a whole file of that kind is there. What is found first
    is what counts: who writes the object again afterwards changes nothing. One that is in use is found by its owner as
    it was, also later, so that a retry of the same deed may claim it again.
    """
    upload = signs.granted(sign)
    if upload is None or upload.user_id != owner_id or upload.kind.media is not media or upload.accepted is False:
        raise FileRefused
    if not upload.used_by:
        if upload.expires_at <= timezone.now():
            raise FileRefused
        try:
            _hold(upload)
        except StorageDown as error:
            log.warning("uploads_unreachable", reason=str(error))
            raise FileRefused from None
    kind = upload.kind
    return Found(upload.pk, upload.key, upload.url, kind.media, upload.size, kind.content_type)


def claim(found: Found, *, used_by: str) -> None:
    """Inside the deed's transaction: from its commit on the upload is in that use and no other (FileRefused). The same
    use again is fine. `used_by` is what `signals.examined` will tell."""
    assert transaction.get_connection().in_atomic_block, "claim() belongs into the transaction of what uses the upload"
    free = Upload.objects.filter(Q(used_by="") | Q(used_by=used_by), pk=found.upload_id, swept_at=None)
    free = free.exclude(version="").exclude(accepted=False)
    if not free.update(used_by=used_by, claimed_at=Coalesce("claimed_at", Now())):
        raise FileRefused
    transaction.on_commit(lambda: jobs.soon(tasks.examine))


def _hold(upload: Upload) -> None:
    """Looks at the object once; of several who do so at the same time one decides what it is."""
    if not upload.version:
        seen = uploads().look(upload.key)
        if seen is None or not 0 < seen.size <= settings.UPLOAD_BYTES or not kinds.fits(upload.kind, seen.head):
            raise FileRefused
        if seen.head.startswith(b"\x89PNG") and kinds.png_pixels(seen.head) > settings.PICTURE_PIXELS:
            raise FileRefused
        Upload.objects.filter(pk=upload.pk, version="").update(version=seen.version, size=seen.size)
        upload.refresh_from_db()
    if upload.kind.media is Media.IMAGE or upload.published:
        return
    if not uploads().publish(upload.key, upload.version, upload.public_key, upload.kind.content_type):
        raise FileRefused
    Upload.objects.filter(pk=upload.pk).update(published=True)
