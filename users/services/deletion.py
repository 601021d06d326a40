"""Leaving for good: asked for, taken back by coming back, and carried out when the time to come back is over.

Meanwhile the person is signed out everywhere and does not exist for others. Then the row is let go of at once by
whoever looks at it next (phone and accounts elsewhere are free again); a job erases the rest. What stays is an id
without a person, for the ledger and for what others wrote.
"""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from heihei_site.api.errors import NotPermitted, SignInAgain
from heihei_site.realtime.publish import telling
from users import auth, erasure
from users.models import Identity, PhoneCode, Session, User
from users.services import sms_codes
from users.signals import left

NAME_OF_NOBODY = "已注销用户"
AT_ONCE = 100  # people erased in one run of the job

log = structlog.get_logger(__name__)


def ask(*, user: User, session: Session, code: str, now: datetime) -> datetime:
    """Signs the person out everywhere and hides them. Returns when it becomes final.

    It takes a code of the account's own phone (CodeWrong), or where it has none a sign-in of the last minutes
    (SignInAgain). Staff leave by losing their console account first.
    """
    if user.is_staff:
        raise NotPermitted
    if user.phone:
        sms_codes.spend_code(user.phone, code, purpose=f"delete {user.pk}", now=now)
    elif now - session.created_at > settings.FRESH_SIGN_IN:
        raise SignInAgain
    due = now + settings.ACCOUNT_DELETION_GRACE
    with telling():
        User.objects.filter(pk=user.pk).update(deletion_due_at=due)
        auth.end_sessions(user)
        left.send(User, user=user)
    return due


def is_due(user: User, now: datetime) -> bool:
    """Whether it is too late to come back."""
    return user.deletion_due_at is not None and user.deletion_due_at <= now


def take_back(user: User) -> bool:
    """Everything is as before. False where there was nothing to take back. The row is held by the caller."""
    if user.deletion_due_at is None:
        return False
    User.objects.filter(pk=user.pk).update(deletion_due_at=None)
    user.deletion_due_at = None
    return True


def let_go(user: User) -> None:
    """Makes the row nobody's: final. The row is held by the caller; the second time nothing is left."""
    if user.phone:
        PhoneCode.objects.filter(pk=user.phone).delete()
    Identity.objects.filter(user=user).delete()
    nobody = {
        "display_name": NAME_OF_NOBODY,
        "gender": User.Gender.UNSPECIFIED,
        "birthday": None,
        "is_active": False,
        "phone": None,
        "modified_at": Now(),
    }
    User.objects.filter(pk=user.pk).update(
        **nobody, **dict.fromkeys(("description", "cover_url", "address", "latlng", "region", "email"), "")
    )


def erase_due(now: datetime) -> int:
    """Carries out what is final. Returns how many; run twice or in parallel, the second finds nothing left to erase."""
    waiting = User.objects.filter(Q(deletion_due_at__lte=now), deletion_due_at__isnull=False, erased_at=None)
    done = 0
    for user_id in list(waiting.order_by("deletion_due_at").values_list("pk", flat=True)):
        if done == AT_ONCE:  # and not so many looked at: those that fail are always the oldest
            break
        try:
            done += _erase(user_id, now)
        except Exception:  # one whose data resists does not keep the others
            log.exception("erasure_failed", user=user_id)
    return done


def _erase(user_id: int, now: datetime) -> bool:
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user_id)
        if not is_due(user, now):  # came back meanwhile
            return False
        let_go(user)
    for holding in erasure.holdings():
        holding.erase(user_id)
    return bool(User.objects.filter(pk=user_id, erased_at=None).update(erased_at=Now()))
