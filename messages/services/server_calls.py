"""Calls of other servers of ours: signed, and each let in once."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from heihei_site.api.errors import SignatureWrong
from messages.models import ServerCall

NONCE_LETTERS = range(8, 65)
_ADMIT = "INSERT INTO inbox_servercall (nonce, created_at) VALUES (%s, now()) ON CONFLICT DO NOTHING RETURNING nonce"


def signature_of(path: str, given: Mapping[str, str]) -> str:
    """HMAC-SHA256, in hexadecimal, of the path and all parameters but the signature, sorted and percent-encoded as in
    an address: `/messageserver/api/msg/close-room.action?nonce=…&roomId=…&timestamp=…`."""
    signed = sorted((name, value) for name, value in given.items() if name != "signature")
    text = f"{path}?{urlencode(signed, quote_via=quote, safe='')}"
    return hmac.new(settings.MESSAGE_SERVER_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def admit(path: str, given: Mapping[str, Any]) -> None:
    """SignatureWrong unless whoever holds the key said exactly this here within MESSAGE_SERVER_CLOCK, for the first
    time."""
    if not all(type(value) in (str, int) for value in given.values()):  # of an object there is no one text to sign
        raise SignatureWrong
    said = {name: str(value) for name, value in given.items()}
    nonce = said.get("nonce", "")
    expected = signature_of(path, said)
    if not hmac.compare_digest(expected.encode(), said.get("signature", "").lower().encode()):
        raise SignatureWrong
    if not _is_now(said.get("timestamp", "")) or len(nonce) not in NONCE_LETTERS or "\0" in nonce:
        raise SignatureWrong
    with connection.cursor() as cursor:
        cursor.execute(_ADMIT, [nonce])
        if cursor.fetchone() is None:
            raise SignatureWrong


def _is_now(timestamp: str) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return False
    return abs(int(timestamp) - time.time()) <= settings.MESSAGE_SERVER_CLOCK.total_seconds()


def forget() -> None:
    """Nonces that a timestamp too old protects as well, of whatever clock it was."""
    kept: timedelta = 3 * settings.MESSAGE_SERVER_CLOCK
    ServerCall.objects.filter(created_at__lt=Now() - kept).delete()
