"""Very many people at once: rows of them, and tokens to call with."""

import secrets
from datetime import date

FOREVER = "2100-01-01T00:00Z"


def people(count: int) -> list[int]:
    """Their ids."""
    from users.models import User

    grown_up = {"display_name": "p", "gender": "Female", "birthday": date(1990, 1, 1)}
    return [user.pk for user in User.objects.bulk_create([User(**grown_up) for _ in range(count)], batch_size=2_000)]


def newcomers(count: int) -> list[tuple[int, str]]:
    """Ids and tokens of people who are nowhere yet."""
    from users.auth import digest_of
    from users.models import Session

    found = [(user_id, secrets.token_hex(32)) for user_id in people(count)]
    Session.objects.bulk_create(
        [Session(user_id=user_id, digest=digest_of(token), expires_at=FOREVER) for user_id, token in found]
    )
    return found
