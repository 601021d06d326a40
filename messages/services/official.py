"""The account in whose name we write where no other person is meant."""

from django.contrib.auth.hashers import make_password

from users.models import User

USERNAME = "heihei-assistant"  # of nobody: it has no password, and is no staff
NAME = "黑黑小助手"


def account() -> User:
    """Made when it is needed first. Operators may give it another name and a picture."""
    user: User
    user, _ = User.objects.get_or_create(
        username=USERNAME, defaults={"display_name": NAME, "password": make_password(None)}
    )
    return user
