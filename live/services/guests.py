"""What is said about one person in one live."""

from typing import Any

from live.models import Guest, Live


def note(live: Live, user_id: int, **said: Any) -> None:
    """Writes it down, whether or not anything was said about them before. The live's row is held."""
    Guest.objects.bulk_create(
        [Guest(live=live, user_id=user_id, **said)],
        update_conflicts=True,
        unique_fields=["live", "user"],
        update_fields=list(said),
    )
