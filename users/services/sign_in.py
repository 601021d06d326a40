"""Coming in and going out."""

from dataclasses import dataclass
from datetime import datetime

from heihei_site.api.errors import AccountAbnormal
from heihei_site.realtime.publish import telling
from users import auth
from users.models import Session, User
from users.services import sms_codes


@dataclass(frozen=True)
class SignedIn:
    user: User
    token: str


def sign_in_by_phone(*, phone: str, code: str, now: datetime) -> SignedIn:
    """Signs in with a spent code; the first time makes the account. Ends the person's other sign-ins (D5)."""
    sms_codes.spend_code(phone, code, now=now)
    with telling():
        User.objects.get_or_create(phone=phone)
        # Two sign-ins at once take turns here, so that the later one ends the earlier.
        user = User.objects.select_for_update(no_key=True).get(phone=phone)
        if not user.is_active:
            raise AccountAbnormal
        return SignedIn(user, auth.open_session(user))


@telling()
def sign_out(*, user: User, session: Session) -> None:
    """Ends this sign-in; pushes stop reaching the person. The second time there is nothing left to end."""
    auth.end_sessions(user, only=session)
    user.devices.all().delete()
