"""SMS codes (D15): six digits, ten minutes, single use, five tries; sixty seconds between sends, ten a day."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from heihei_site.api.errors import CodeWrong, SmsTooFrequent
from heihei_site.jobs import NoWorker, hand_over
from users import tasks
from users.models import PhoneCode


def _digest(phone: str, code: str) -> str:
    return salted_hmac("users.PhoneCode", f"{phone}:{code}", algorithm="sha256").hexdigest()


def send_code(phone: str, *, now: datetime) -> int:
    """Sends a fresh code; the one before stops being valid. Returns the seconds until the next may be asked for.

    The code is committed before a worker gets it. If no worker can be told, the phone need not wait to try again.
    """
    code = str(100_000 + secrets.randbelow(900_000))  # no leading zero: some phones send it as a number
    _store(phone, code, now=now)
    try:
        hand_over(tasks.send_sms_code, phone, code)
    except NoWorker:
        _take_back(phone, code)
        raise
    return int(settings.SMS_RESEND_SECONDS)


@transaction.atomic
def _store(phone: str, code: str, *, now: datetime) -> None:
    today = timezone.localdate(now)
    fresh = {
        "digest": _digest(phone, code),
        "sent_at": now,
        "expires_at": now + settings.SMS_CODE_LIFETIME,
        "tries_left": settings.SMS_CODE_TRIES,
        "spent_for": "",
        "spent_at": None,
        "repeated_at": None,
    }
    row, created = PhoneCode.objects.get_or_create(phone=phone, defaults={**fresh, "day": today, "sent_that_day": 1})
    if created:
        return
    row = PhoneCode.objects.select_for_update(no_key=True).get(pk=phone)
    sent_today = row.sent_that_day if row.day == today else 0
    if (now - row.sent_at).total_seconds() < settings.SMS_RESEND_SECONDS:
        raise SmsTooFrequent
    if sent_today >= settings.SMS_PER_PHONE_A_DAY:
        raise SmsTooFrequent
    PhoneCode.objects.filter(pk=phone).update(**fresh, day=today, sent_that_day=sent_today + 1)


def _take_back(phone: str, code: str) -> None:
    """It was never sent: no wait, nothing counted. The code before it stays dead."""
    unsent = PhoneCode.objects.filter(pk=phone, digest=_digest(phone, code))
    at_once = F("sent_at") - timedelta(seconds=settings.SMS_RESEND_SECONDS)
    unsent.update(sent_at=at_once, sent_that_day=F("sent_that_day") - 1, tries_left=0)


def forget(now: datetime) -> int:
    """Numbers that nothing is counted for any more: they are people's. Run twice, the second finds none."""
    return PhoneCode.objects.filter(sent_at__lt=now - timedelta(days=2)).delete()[0]


def spend_code(phone: str, code: str, *, purpose: str, now: datetime) -> None:
    """Takes the code for one deed, once. A wrong one costs a try, which is kept although the caller is refused.

    The same code for the same `purpose` again, within the window of D26, is a phone that lost its answer (D9).
    """
    if not _judge(phone, code, purpose=purpose, now=now):
        raise CodeWrong


def check_code(phone: str, code: str, *, now: datetime) -> None:
    """Whether the code could be spent; only a wrong one costs something."""
    if not _judge(phone, code, purpose=None, now=now):
        raise CodeWrong


@transaction.atomic
def _judge(phone: str, code: str, *, purpose: str | None, now: datetime) -> bool:
    """The same work whatever is known of the number."""
    row = PhoneCode.objects.select_for_update(no_key=True).filter(pk=phone).first()
    row = row or PhoneCode(phone=phone, digest="-" * 64, expires_at=now, tries_left=0)
    matches = constant_time_compare(row.digest, _digest(phone, code))
    right = matches and row.expires_at > now and row.tries_left > 0 and _unspent(row, purpose, now)
    changes: dict[str, object] = {"tries_left": row.tries_left if right else max(row.tries_left - 1, 0)}
    if right and purpose is not None:
        changes |= {"spent_for": purpose, "spent_at": row.spent_at or now, "repeated_at": now}
    PhoneCode.objects.filter(pk=phone).update(**changes)
    return right


def _unspent(row: PhoneCode, purpose: str | None, now: datetime) -> bool:
    """Also true of a code that was spent for this very deed a moment ago."""
    if row.spent_at is None or row.repeated_at is None:
        return True
    again = now - row.repeated_at < settings.REPEAT_WINDOW and now - row.spent_at < settings.REPEAT_LIMIT
    return row.spent_for == purpose and again
