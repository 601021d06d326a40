"""Who looks at what is left of a live."""

from django.db.models.functions import Now

from live.models import Live, ReplayViewer
from users.models import User


def opened(*, viewer: User, live: Live) -> None:
    """They are the latest now, however often they come back. Its owner is no viewer, and without a recording there is
    nothing to see."""
    if live.status == Live.Status.STOPPED and live.lookback_addr and live.owner_id != viewer.pk:
        ReplayViewer.objects.bulk_create(
            [ReplayViewer(live=live, user=viewer, seen_at=Now())],
            update_conflicts=True,
            unique_fields=["live", "user"],
            update_fields=["seen_at"],
        )
