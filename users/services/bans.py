"""Operators shut people out, for a time or for ever, and let them back in.

Whoever bans somebody, ends a ban or signs them in holds the person's row. `User.is_active` is what everybody else looks
at; here it changes, together with the rows that say why. A person whose row was changed by hand has none, and is
banned until somebody lifts it.
"""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from heihei_site.realtime.publish import telling
from users import auth
from users.ban_models import Ban, BannedToken, Misdeed
from users.models import User
from users.signals import banned

AT_ONCE = 500  # people one sweep lets in

log = structlog.get_logger(__name__)


@telling()
def ban(
    user: User,
    *,
    kind: Misdeed = Misdeed.OTHER,
    reason: str = "",
    shown: str = "",
    until: datetime | None = None,
    by: User | None = None,
) -> None:
    """Every session ends within 2 s, what they run ends with it (I9). They are told `shown`, or what the kind says;
    `reason` is for operators. A second time the later end counts."""
    held = _hold(user.pk)
    if not held.is_active and not Ban.objects.filter(user=user, ended_at=None).exists():
        Ban.objects.create(user=user, shown=_words(Misdeed.OTHER))  # by hand, until somebody lifts it
    shown = shown or _words(kind)
    Ban.objects.create(user=user, by=by, kind=kind, reason=reason, shown=shown, until=until)
    _remember_tokens(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    auth.end_sessions(user)
    banned.send(User, user=user)


@transaction.atomic
def lift_ban(user: User, *, by: User | None = None) -> None:
    """Whatever bans there are. The second time there is none."""
    _hold(user.pk)
    Ban.objects.in_force().filter(user=user).update(ended_at=Now(), lifted_by=by)
    _end(user.pk)


def end_over() -> int:
    """Lets those in whose time is over. Returns how many; run twice, the second finds none."""
    over = Ban.objects.filter(ended_at=None, until__lte=Now()).order_by("until").values_list("user_id", flat=True)
    done = 0
    for user_id in dict.fromkeys(over[:AT_ONCE]):
        try:
            done += _look_again(user_id)
        except Exception:  # one does not keep the others
            log.exception("ban_not_ended", user=user_id)
    return done


@transaction.atomic
def _look_again(user_id: int) -> bool:
    _hold(user_id)
    return _end(user_id)


def let_in(user: User) -> bool:
    """Whether somebody may come in, who was banned maybe until a moment ago and no sweep has been by since. The row is
    held by the caller."""
    if not user.is_active and user.bans.filter(ended_at=None, until__lte=Now()).exists():
        user.is_active = _end(user.pk)
    return user.is_active


def _end(user_id: int) -> bool:
    """Notes which bans have run out; True where none is left. Nobody comes back who has left for good."""
    bans = Ban.objects.filter(user=user_id)
    bans.filter(ended_at=None, until__lte=Now()).update(ended_at=F("until"))
    if bans.in_force().exists():
        return False
    BannedToken.objects.filter(user=user_id).delete()
    shut_out = User.objects.filter(pk=user_id, is_active=False).exclude(deletion_due_at__lte=Now())
    return bool(shut_out.update(is_active=True))


def forget_tokens() -> int:
    """Those that would have died anyway. Returns how many."""
    return BannedToken.objects.filter(created_at__lt=Now() - settings.TOKEN_LIFETIME).delete()[0]


def _remember_tokens(user: User) -> None:
    digests = user.sessions.values_list("digest", flat=True)
    BannedToken.objects.bulk_create(
        [BannedToken(digest=digest, user=user) for digest in digests], ignore_conflicts=True
    )


def _words(kind: Misdeed) -> str:
    return f"您的账号因{Misdeed(kind).label}被封禁"


def _hold(user_id: int) -> User:
    held: User = User.objects.select_for_update(no_key=True).get(pk=user_id)
    return held
