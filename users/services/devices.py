"""Where pushes go."""

from django.db import IntegrityError
from django.db.models.functions import Now

from heihei_site.api.errors import TokenInvalid
from users.models import Device, Session, User

A_SIGN_IN = 4  # devices of one sign-in: one phone has a token or two, and now and then a new one


def register_device(*, user: User, session: Session, push_kind: str, push_token: str, platform: str, uuid: str) -> None:
    """The device belongs to this person from now on, whoever signed in on it before, and until this sign-in ends. Of
    one sign-in the newest are kept: every push goes to each."""
    said = {"user": user, "session": session, "platform": platform, "uuid": uuid, "seen_at": Now()}
    try:
        _, new = Device.objects.update_or_create(push_kind=push_kind, push_token=push_token, defaults=said)
    except IntegrityError:  # the sign-in ended meanwhile
        raise TokenInvalid from None
    if new:
        newest = Device.objects.filter(session=session).order_by("-seen_at", "-pk").values("pk")[:A_SIGN_IN]
        Device.objects.filter(session=session).exclude(pk__in=newest).delete()
