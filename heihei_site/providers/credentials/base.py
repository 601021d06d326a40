from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

SESSION = "upload"  # as vendors' logs call whoever writes


class NotGranted(Exception):
    """Says why in a word, never with a key."""


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    access_key_secret: str
    security_token: str
    expires_at: datetime


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
