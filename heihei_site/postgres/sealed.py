"""What nobody may read by chance: encrypted in the database, and opened in Python only by saying so.

Each key of SEAL_KEYS is a long random text. The first one seals, every one opens, so a key is changed by putting a new
one in front, running `manage.py reseal`, and taking the old one away.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.signals import setting_changed
from django.db import models

LEAST_KEY_LENGTH = 32  # characters


class WrongKey(Exception):
    """None of the keys opens it: never an answer, and never the sealed text in the place of the open one."""


@cache
def _fernet() -> MultiFernet:
    if any(len(key) < LEAST_KEY_LENGTH for key in settings.SEAL_KEYS):
        raise ValueError(f"a key of SEAL_KEYS has at least {LEAST_KEY_LENGTH} characters")
    return MultiFernet([Fernet(urlsafe_b64encode(_derived(key, "seal"))) for key in settings.SEAL_KEYS])


def _derived(key: str, purpose: str) -> bytes:
    return hmac.digest(key.encode(), f"heihei {purpose}".encode(), hashlib.sha256)


class Sealed:
    """A text that shows itself to who calls `open` alone: neither in a log nor in a page by accident."""

    __slots__ = ("token",)

    def __init__(self, token: bytes) -> None:
        self.token = token

    def __bool__(self) -> bool:
        return bool(self.token)

    def open(self) -> str:
        if not self.token:
            return ""
        try:
            return _fernet().decrypt(self.token).decode()
        except InvalidToken:
            raise WrongKey from None

    def resealed(self) -> "Sealed":
        """The same text under the newest key."""
        if not self.token:
            return self
        try:
            return Sealed(_fernet().rotate(self.token))
        except InvalidToken:
            raise WrongKey from None

    def __repr__(self) -> str:
        return "[sealed]"


NOTHING = Sealed(b"")  # what was forgotten


def seal(text: str) -> Sealed:
    return Sealed(_fernet().encrypt(text.encode()))


def digest(text: str, purpose: str) -> bytes:
    """To look for an equal text: 32 bytes that say nothing to who has not the key. Differs by purpose."""
    return digests(text, purpose)[0]


def digests(text: str, purpose: str) -> list[bytes]:
    """By each key, the newest first: what was written before a change of keys is found too."""
    message = text.encode()
    return [hmac.digest(_derived(key, f"digest {purpose}"), message, hashlib.sha256) for key in settings.SEAL_KEYS]


if TYPE_CHECKING:
    _Field = models.Field[Sealed, Sealed]
else:
    _Field = models.Field


class SealedField(_Field):
    """A column of sealed texts; in Python a `Sealed`. It cannot be searched: keep a digest beside it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False  # no form ever shows it
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise TypeError("seal it first")
        return connection.Database.Binary(value.token)


def _forget_keys(*, setting: str, **_: Any) -> None:
    if setting == "SEAL_KEYS":
        _fernet.cache_clear()


setting_changed.connect(_forget_keys)
