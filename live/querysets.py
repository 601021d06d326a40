from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, Value
from django.db.models.functions import Now

from heihei_site.postgres.compiled import Given
from users.models import Follow

if TYPE_CHECKING:
    from live.models import Live, Member, MicLink  # noqa: F401  (named in the classes below)


class LiveQuerySet(models.QuerySet["Live"]):
    def open(self) -> "LiveQuerySet":
        """Neither ended nor banned nor deleted: waiting for the owner's sound, or on air."""
        return self.filter(status__in=self.model.OPEN)

    def on_air(self) -> "LiveQuerySet":
        """Playing, with an owner whose heart-beats arrive: the deadline counts, not whether a sweep has been by."""
        return self.filter(status=self.model.Status.PLAYING, owner_deadline__gt=Now())

    def in_time(self) -> "LiveQuerySet":
        """Open, and the owner's heart-beats arrive."""
        return self.open().filter(owner_deadline__gt=Now())

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
        return self.exclude(status__in=self.model.GONE).exclude(overdue).shown_to(viewer_id)

    def shown_to(self, viewer_id: int | Given) -> "LiveQuerySet":
        """Visible ones and their own."""
        return self.filter(Q(visible=True) | Q(owner_id=viewer_id))

    def recommended(self) -> "LiveQuerySet":
        """By operators, and not only until a moment that has passed: whether a job has been by does not matter."""
        return self.filter(_is_recommended())

    def with_recommended(self) -> "LiveQuerySet":
        """Each row with `is_recommended`: whether it is now, and on air."""
        now = ExpressionWrapper(_is_recommended() & Q(status=self.model.Status.PLAYING), output_field=BooleanField())
        return self.annotate(is_recommended=now)  # type: ignore[no-redef]  # the model says so for the reader

    def not_recommended(self) -> "LiveQuerySet":
        return self.filter(Q(recommended=False) | Q(recommended_until__lte=Now()))

    def with_followed(self, viewer_id: int | Given) -> "LiveQuerySet":
        """Each row with `is_followed`: whether this person follows its owner."""
        return self._annotated(Exists(_follow(viewer_id)))

    def followed_by(self, viewer_id: int | Given) -> "LiveQuerySet":
        """Those with `is_followed`, looked up one owner after the other: PostgreSQL would else read all on air."""
        followed = ArraySubquery(Follow.objects.filter(follower_id=viewer_id).values("followee_id"))
        return self._annotated(Value(True)).filter(owner_id__any_of=followed)

    def not_followed_by(self, viewer_id: int | Given) -> "LiveQuerySet":
        return self._annotated(Value(False)).filter(~Exists(_follow(viewer_id)))

    def _annotated(self, is_followed: Exists | Value) -> "LiveQuerySet":
        return self.annotate(is_followed=is_followed)  # type: ignore[no-redef]  # the model says so for the reader


def _is_recommended() -> Q:
    return Q(recommended=True) & (Q(recommended_until=None) | Q(recommended_until__gt=Now()))


def _follow(viewer_id: int | Given) -> models.QuerySet[Follow]:
    return Follow.objects.filter(follower_id=viewer_id, followee_id=OuterRef("owner_id"))


class MemberQuerySet(models.QuerySet["Member"]):
    def inside(self) -> "MemberQuerySet":
        """In the room now: came, did not leave, and the heart-beat's lease runs."""
        return self.filter(left_at=None, lease_until__gt=Now())

    def lapsed(self) -> "MemberQuerySet":
        """Silent for longer than their lease, and not yet counted out."""
        return self.filter(left_at=None, lease_until__lte=Now())


class MicLinkQuerySet(models.QuerySet["MicLink"]):
    def current(self) -> "MicLinkQuerySet":
        """Asked for or agreed on, and not ended; whether their time is over is another question."""
        return self.exclude(state=self.model.State.ENDED)

    def overdue(self) -> "MicLinkQuerySet":
        """Current, though nobody answered, joined or was heard in time (D25)."""
        return self.current().filter(deadline__lte=Now())

    def to_revoke(self, tried_for: timedelta) -> "MicLinkQuerySet":
        """Ended, and the RTC vendor is still to throw people out."""
        return self.filter(revocation_due=True, ended_at__gt=Now() - tried_for)
