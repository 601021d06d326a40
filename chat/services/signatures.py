"""What signs a person in to the vendor that carries calls (D33, D44)."""

import time
from dataclasses import dataclass

from django.conf import settings

from chat import selectors
from chat.services import audio
from heihei_site.providers.rtc import tencent


@dataclass(frozen=True)
class Signed:
    """`app` is Tencent's number of our app, 0 for another vendor's signature; `expires` a second of the epoch."""

    signature: str
    app: int
    expires: int


def of(user_id: int) -> Signed:
    """Tencent's signature where it carries our calls; else what lets the person into the room of the call they are in,
    or into one where they are alone."""
    if settings.TENCENT_RTC_APP:
        lifetime = int(settings.USER_SIG_LIFETIME.total_seconds())
        signature = tencent.user_sig(user_id, lifetime=lifetime)
        return Signed(signature, settings.TENCENT_RTC_APP, int(time.time()) + lifetime)
    room_id = next(iter(selectors.rooms_of(user_id)), user_id)
    entry = audio.entry(room_id, user_id)
    return Signed(entry.token, 0, entry.expires)
