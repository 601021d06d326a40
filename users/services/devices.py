"""Where pushes go."""

from django.db import IntegrityError
from django.db.models.functions import Now

from heihei_site.api.errors import TokenInvalid
from users.models import Device, Session, User


def register_device(*, user: User, session: Session, push_kind: str, push_token: str, platform: str, uuid: str) -> None:
    """The device belongs to this person from now on, whoever signed in on it before, and until this sign-in ends."""
    said = {"user": user, "session": session, "platform": platform, "uuid": uuid, "seen_at": Now()}
    try:
        Device.objects.update_or_create(push_kind=push_kind, push_token=push_token, defaults=said)
    except IntegrityError:  # the sign-in ended meanwhile
        raise TokenInvalid from None
