"""`sys/oss-token`: leave to write one object (D38)."""

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import get_random_string

from heihei_site.api.errors import DeedFailed, TooManyRequests
from heihei_site.providers import registry
from heihei_site.providers.credentials.base import Credentials, NotGranted
from heihei_site.uploads import signs
from heihei_site.uploads.kinds import FORMATS, Media
from heihei_site.uploads.models import Upload

MEDIA_OF = {
    Upload.Module.RECORD: {Media.AUDIO},
    Upload.Module.MESSAGE: {Media.AUDIO, Media.IMAGE, Media.VIDEO},
    Upload.Module.AVATAR: {Media.IMAGE},
}

log = structlog.get_logger(__name__)


def grant(*, user_id: int, module: Upload.Module, format: str) -> tuple[Upload, Credentials]:
    """DeedFailed for a format that has no place in the module, and where nobody gives credentials; TooManyRequests for
    who has many unused ones already."""
    if FORMATS[format].media not in MEDIA_OF[module]:
        raise DeedFailed
    now = timezone.localtime()
    unused = Upload.objects.filter(user=user_id, used_by="", expires_at__gt=now)
    if unused.count() >= settings.UPLOADS_OPEN:
        raise TooManyRequests
    name = f"{now:%Y%m%d%H}_{user_id}_{get_random_string(22)}.{format}"
    expires_at = (now + settings.UPLOAD_LIFETIME).replace(microsecond=0)
    key = f"{module}/{name}"
    try:
        credentials = registry.credentials().for_key(key, lifetime=int(settings.UPLOAD_LIFETIME.total_seconds()))
    except NotGranted as error:
        log.warning("upload_not_granted", reason=str(error))
        raise DeedFailed from None
    upload = Upload.objects.create(
        user_id=user_id,
        module=module,
        format=format,
        name=name,
        expires_at=expires_at,
        sign=signs.sign(user_id=user_id, path=key, expires_at=expires_at),
    )
    return upload, credentials
