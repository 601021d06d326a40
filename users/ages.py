"""Who is of age (D19)."""

from datetime import date

from django.conf import settings
from django.utils import timezone


def latest_adult_birthday() -> date:
    """Who was born then or earlier has come of age today."""
    today = timezone.localdate()
    try:
        return today.replace(year=today.year - settings.ADULT_AGE)
    except ValueError:  # today is a 29th of February
        return date(today.year - settings.ADULT_AGE, 2, 28)


def is_minor(birthday: date | None) -> bool:
    """Also who has told no birthday."""
    return birthday is None or birthday > latest_adult_birthday()
