"""Tencent's real-time communication: a person is signed in with a text that our key signs. Nobody is asked."""

from django.conf import settings
from TLSSigAPIv2 import TLSSigAPIv2


def user_sig(user_id: int, *, lifetime: int) -> str:
    """Valid for `lifetime` seconds."""
    return str(TLSSigAPIv2(settings.TENCENT_RTC_APP, settings.TENCENT_RTC_KEY).gen_sig(str(user_id), lifetime))
