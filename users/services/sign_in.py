"""Coming in and going out."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from heihei_site.api.errors import AccountAbnormal
from heihei_site.providers.identity.base import Account
from heihei_site.realtime.publish import telling
from users import auth
from users.auth import UNTOLD, Origin
from users.models import Ban, Identity, Session, User
from users.services import bans, deletion, sms_codes


@dataclass(frozen=True)
class SignedIn:
    """`deletion_cancelled`: they had asked to be deleted, and by coming back have changed their mind."""

    user: User
    token: str
    deletion_cancelled: bool


def sign_in_by_phone(*, phone: str, code: str, now: datetime, origin: Origin = UNTOLD) -> SignedIn:
    """Signs in with a spent code; the first time makes the account. Ends the person's other sign-ins (D5).

    The same again a moment later is a phone that lost its answer (D9): a fresh token for the same person.
    """
    sms_codes.spend_code(phone, code, purpose="sign-in", now=now)
    with telling():
        while True:
            User.objects.get_or_create(phone=phone)
            user = _hold(User.objects.filter(phone=phone), now)
            if user is not None:
                return _come_in(user, origin)


def sign_in_by_account(*, account: Account, now: datetime, origin: Origin = UNTOLD) -> SignedIn:
    """Signs in somebody for whom a vendor vouches, as `sign_in_by_phone` does. The person is who came with this open id
    or, if nobody did, with this union id."""
    with telling():
        _take_turns(account)
        while True:
            identity = _known(account) or _newcomer(account)
            user = _hold(User.objects.filter(pk=identity.user_id), now)
            if user is not None:
                _remember(user, account)
                return _come_in(user, origin)


def _hold(people: QuerySet[User], now: datetime) -> User | None:
    """The row, locked, so that two sign-ins at once take turns and the later one ends the earlier. None for somebody
    whose time to come back is over: then the phone, or the account, is nobody's any more."""
    user = people.select_for_update(no_key=True).first()
    if user is not None and deletion.is_due(user, now):
        deletion.let_go(user)
        return None
    return user


def _come_in(user: User, origin: Origin) -> SignedIn:
    if not bans.let_in(user):
        raise AccountAbnormal(Ban.objects.words_for(user.pk))
    cancelled = deletion.take_back(user)
    return SignedIn(user, auth.open_session(user, origin), cancelled)


def _take_turns(account: Account) -> None:
    """Sign-ins with the same account wait for each other until the transaction ends: nobody gets two."""
    names = {f"{account.source} open {account.open_id}"}
    if account.union_id:
        names.add(f"{account.source} union {account.union_id}")
    with connection.cursor() as cursor:
        for name in sorted(names):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _known(account: Account) -> Identity | None:
    same = Q(open_id=account.open_id)
    if account.union_id:
        same |= Q(union_id=account.union_id)
    found = list(Identity.objects.filter(same, source=account.source).order_by("pk"))
    return next((each for each in found if each.open_id == account.open_id), found[0] if found else None)


def _newcomer(account: Account) -> Identity:
    return Identity(user=User.objects.create(), source=account.source, open_id=account.open_id)


def _remember(user: User, account: Account) -> None:
    identity, new = Identity.objects.get_or_create(
        source=account.source, open_id=account.open_id, defaults={"user": user, "union_id": account.union_id}
    )
    if not new and account.union_id and identity.union_id != account.union_id:
        Identity.objects.filter(pk=identity.pk).update(union_id=account.union_id)


@telling()
def sign_out(*, user: User, session: Session) -> None:
    """Ends this sign-in; pushes to its devices stop. The second time there is nothing left to end."""
    auth.end_sessions(user, only=session)
