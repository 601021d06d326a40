from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from django.conf import settings

SESSION = "upload"  # as vendors' logs call whoever writes


class NotGranted(Exception):
    """Says why in a word, never with a key."""


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    access_key_secret: str
    security_token: str
    expires_at: datetime


class RoleCredentials:
    """Of a service that lends a role: it may write to the whole bucket, what it lends to one object."""

    development_only: ClassVar[bool] = False
    local: ClassVar[bool] = False
    needs: ClassVar = ("UPLOAD_BUCKET", "UPLOAD_ACCESS_KEY_ID", "UPLOAD_ACCESS_KEY_SECRET", "UPLOAD_ROLE")

    @property
    def bucket(self) -> str:
        return str(settings.UPLOAD_BUCKET)


class UploadCredentials(Protocol):
    """Who gives phones leave to write to the storage of uploads."""

    development_only: ClassVar[bool]
    local: ClassVar[bool]  # phones write to us (`uploadUrl`)

    @property
    def bucket(self) -> str:
        """As paths begin."""
        ...

    def for_key(self, key: str, *, lifetime: int) -> Credentials:
        """Good for putting that one object, for so many seconds, and for nothing else. May ask a vendor; NotGranted
        within the phone's patience."""
        ...
