import secrets
from datetime import timedelta
from typing import ClassVar

from django.utils import timezone

from heihei_site.providers.credentials.base import Credentials


class LocalCredentials:
    """For files on our own disk: phones put them to `uploadUrl`, where their sign is what counts. What is in the
    place of keys opens nothing."""

    development_only: ClassVar[bool] = False
    local: ClassVar[bool] = True

    @property
    def bucket(self) -> str:
        return "local"

    def for_key(self, key: str, *, lifetime: int) -> Credentials:
        expires_at = timezone.now() + timedelta(seconds=lifetime)
        return Credentials("local", secrets.token_hex(15), secrets.token_hex(32), expires_at)
