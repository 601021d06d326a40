"""`sign`: what a person was granted, in 32 characters that only we can write (D38)."""

import re
from datetime import datetime

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from heihei_site.uploads.models import Upload

LENGTH = 32  # hexadecimal digits, as the document's
SHAPE = re.compile(rf"[0-9a-f]{{{LENGTH}}}")


def sign(*, user_id: int, path: str, expires_at: datetime) -> str:
    said = f"{user_id}\n{path}\n{int(expires_at.timestamp())}"
    return salted_hmac("heihei.upload", said, secret=settings.UPLOAD_KEY, algorithm="sha256").hexdigest()[:LENGTH]


def granted(sign_said: str) -> Upload | None:
    """The upload of a sign of ours: the row finds it, the signature over what the row says proves it."""
    if not SHAPE.fullmatch(sign_said):
        return None
    upload = Upload.objects.filter(sign=sign_said, swept_at=None).first()
    if upload is None:
        return None
    right = sign(user_id=upload.user_id, path=upload.key, expires_at=upload.expires_at)
    return upload if constant_time_compare(right, sign_said) else None
