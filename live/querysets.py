from typing import TYPE_CHECKING

from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from heihei_site.postgres.compiled import Given

if TYPE_CHECKING:
    from live.models import Live, Member  # noqa: F401  (named in the classes below)


class LiveQuerySet(models.QuerySet["Live"]):
    def open(self) -> "LiveQuerySet":
        """Neither ended nor banned nor deleted: waiting for the owner's sound, or on air."""
        return self.filter(status__in=self.model.OPEN)

    def on_air(self) -> "LiveQuerySet":
        """Playing, with an owner whose heart-beats arrive: the deadline counts, not whether a sweep has been by."""
        return self.filter(status=self.model.Status.PLAYING, owner_deadline__gt=Now())

    def overdue(self) -> "LiveQuerySet":
        """Open, though the owner's heart-beats have stopped (D21)."""
        return self.open().filter(owner_deadline__lte=Now())

    def with_overdue(self) -> "LiveQuerySet":
        """Each row with `overdue`: whether its owner's deadline has passed by the database's clock."""
        passed = ExpressionWrapper(Q(owner_deadline__lte=Now()), output_field=BooleanField())
        return self.annotate(overdue=passed)  # type: ignore[no-redef]  # the model says so for the reader

    def replays(self) -> "LiveQuerySet":
        """Ended, and recorded (D30)."""
        return self.filter(status=self.model.Status.STOPPED).exclude(lookback_addr="")

    def listed_for(self, viewer_id: int | Given) -> "LiveQuerySet":
        """What a list may show to this person: visible ones and their own, none that only waits for a sweep."""
        overdue = Q(status__in=self.model.OPEN, owner_deadline__lte=Now())
        return self.exclude(status__in=self.model.GONE).exclude(overdue).filter(Q(visible=True) | Q(owner_id=viewer_id))


class MemberQuerySet(models.QuerySet["Member"]):
    def inside(self) -> "MemberQuerySet":
        """In the room now: came, did not leave, and the heart-beat's lease runs."""
        return self.filter(left_at=None, lease_until__gt=Now())

    def lapsed(self) -> "MemberQuerySet":
        """Silent for longer than their lease, and not yet counted out."""
        return self.filter(left_at=None, lease_until__lte=Now())
