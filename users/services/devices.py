"""Where pushes go."""

from django.db.models.functions import Now

from users.models import Device, User


def register_device(*, user: User, push_kind: str, push_token: str, platform: str, uuid: str) -> None:
    """The device belongs to this person from now on, whoever signed in on it before."""
    Device.objects.update_or_create(
        push_kind=push_kind,
        push_token=push_token,
        defaults={"user": user, "platform": platform, "uuid": uuid, "seen_at": Now()},
    )
