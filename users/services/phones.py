"""The phone number of an account."""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError

from heihei_site.api.errors import PhoneTaken, SignInAgain
from heihei_site.realtime.publish import telling
from users.models import Session, User
from users.services import deletion, sms_codes


def bind(*, user: User, session: Session, phone: str, code: str, now: datetime) -> None:
    """From now on this number signs in to this account, and the one before does not. PhoneTaken where it is
    somebody else's; the code is spent all the same.

    In place of another number only after a fresh sign-in (SignInAgain): else a stolen token would be a stolen account.
    """
    if user.phone and user.phone != phone and now - session.created_at > settings.FRESH_SIGN_IN:
        raise SignInAgain
    sms_codes.spend_code(phone, code, purpose=f"bind {user.pk}", now=now)
    try:
        with telling():
            _free(phone, user, now)
            User.objects.filter(pk=user.pk).update(phone=phone)
    except IntegrityError:
        raise PhoneTaken from None


def _free(phone: str, user: User, now: datetime) -> None:
    """Takes the number from somebody whose time to come back is over."""
    holder = User.objects.filter(phone=phone).exclude(pk=user.pk).select_for_update(no_key=True).first()
    if holder is not None:
        if not deletion.is_due(holder, now):
            raise PhoneTaken
        deletion.let_go(holder)
