"""SMS codes (D15): six digits, ten minutes, single use, five tries; sixty seconds between sends, ten a day."""

import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from heihei_site.api.errors import CodeWrong, SmsTooFrequent
from users import tasks
from users.models import PhoneCode


def _digest(phone: str, code: str) -> str:
    return salted_hmac("users.PhoneCode", f"{phone}:{code}", algorithm="sha256").hexdigest()


@transaction.atomic
def send_code(phone: str, *, now: datetime) -> int:
    """Sends a fresh code; the one before stops being valid. Returns the seconds until the next may be asked for.

    Handing the message to the worker is the last step: if that fails nothing was stored and the phone may try again.
    """
    code = str(100_000 + secrets.randbelow(900_000))  # no leading zero: some phones send it as a number
    today = timezone.localdate(now)
    fresh = {
        "digest": _digest(phone, code),
        "sent_at": now,
        "expires_at": now + settings.SMS_CODE_LIFETIME,
        "tries_left": settings.SMS_CODE_TRIES,
    }
    row, created = PhoneCode.objects.get_or_create(phone=phone, defaults={**fresh, "day": today, "sent_that_day": 1})
    if not created:
        row = PhoneCode.objects.select_for_update(no_key=True).get(pk=phone)
        sent_today = row.sent_that_day if row.day == today else 0
        if (now - row.sent_at).total_seconds() < settings.SMS_RESEND_SECONDS:
            raise SmsTooFrequent
        if sent_today >= settings.SMS_PER_PHONE_A_DAY:
            raise SmsTooFrequent
        PhoneCode.objects.filter(pk=phone).update(**fresh, day=today, sent_that_day=sent_today + 1)
    tasks.send_sms_code.delay(phone, code)
    return int(settings.SMS_RESEND_SECONDS)


def spend_code(phone: str, code: str, *, now: datetime) -> None:
    """Takes the code, once. A wrong one costs a try, which is kept although the caller is refused."""
    with transaction.atomic():
        row = PhoneCode.objects.select_for_update(no_key=True).filter(pk=phone).first()
        if row is None or row.expires_at <= now or row.tries_left <= 0:
            raise CodeWrong
        right = constant_time_compare(row.digest, _digest(phone, code))
        row.tries_left = 0 if right else row.tries_left - 1
        row.save(update_fields=["tries_left"])
    if not right:
        raise CodeWrong
