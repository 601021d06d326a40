"""Operators shut people out and let them back in."""

from heihei_site.realtime.publish import telling
from users import auth
from users.models import User
from users.signals import banned


@telling()
def ban(user: User) -> None:
    """Every session ends within 2 s, what they run ends with it (I9). The second time nothing is left to end."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    auth.end_sessions(user)
    banned.send(User, user=user)


def lift_ban(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=True)
