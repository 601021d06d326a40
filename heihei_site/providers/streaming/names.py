import secrets

from django.utils import timezone


def unguessable(owner_id: int) -> str:
    """As the shipped apps know it (`20170213-115710-10446`), and an end that nobody can guess."""
    return f"{timezone.localtime():%Y%m%d-%H%M%S}-{owner_id}-{secrets.token_hex(8)}"
