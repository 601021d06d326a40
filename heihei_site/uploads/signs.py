"""`sign`: what a person was granted, in 32 characters that only we can write (D38)."""

from datetime import datetime

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from heihei_site.uploads.models import Upload

LENGTH = 32  # hexadecimal digits, as the document's


def sign(*, user_id: int, path: str, expires_at: datetime) -> str:
    said = f"{user_id}\n{path}\n{int(expires_at.timestamp())}"
    return salted_hmac("heihei.upload", said, secret=settings.UPLOAD_KEY, algorithm="sha256").hexdigest()[:LENGTH]


def granted(sign_said: str) -> Upload | None:
    """The upload of a sign of ours: the row finds it, the signature over what the row says proves it."""
    upload = Upload.objects.filter(sign=sign_said, swept_at=None).first() if len(sign_said) == LENGTH else None
    if upload is None:
        return None
    right = sign(user_id=upload.user_id, path=upload.key, expires_at=upload.expires_at)
    return upload if constant_time_compare(right, sign_said) else None
