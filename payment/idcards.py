"""Identity cards of the mainland (GB 11643): eighteen places, of which the last checks the others."""

from datetime import date

from django.conf import settings
from django.utils import timezone

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"


def birthday_of(idcard: str) -> date | None:
    """None for what is no id card: a wrong length, character, check digit or date."""
    digits, check = idcard[:17], idcard[17:].upper()
    if len(idcard) != 18 or not (digits.isascii() and digits.isdigit()):
        return None
    if check != CHECKS[sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11]:
        return None
    try:
        born = date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return None
    return born if born.year >= 1900 and born <= timezone.localdate() else None


def is_grown_up(born: date) -> bool:
    today = timezone.localdate()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return age >= settings.ADULT_AGE
