from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from chat.models import Chat, Side  # noqa: F401


class ChatQuerySet(models.QuerySet["Chat"]):
    def with_overdue(self) -> "ChatQuerySet":
        """`overdue` says whether its time has passed: nobody answered, nobody called back, or a line is lost for good.
        `now` is the database's clock."""
        from chat.models import Side  # the models import this

        lost = Side.objects.lost().filter(chat=OuterRef("pk"))
        over = Q(deadline__isnull=False, deadline__lte=Now()) | (Q(state=self.model.State.RUNNING) & Exists(lost))
        return self.annotate(overdue=ExpressionWrapper(over, output_field=BooleanField()), now=Now())  # type: ignore[no-redef]

    def overdue(self) -> "ChatQuerySet":
        return self.with_overdue().filter(overdue=True)  # type: ignore[misc]  # the plugin does not follow annotations

    def to_revoke(self, tried_for: timedelta) -> "ChatQuerySet":
        """Ended, and the RTC vendor is still to throw people out."""
        return self.filter(revocation_due=True, ended_at__gt=Now() - tried_for)


class SideQuerySet(models.QuerySet["Side"]):
    def lost(self) -> "SideQuerySet":
        """In a call, and silent for so long that nobody waits for them any more."""
        return self.filter(busy=True, lease_until__lte=Now() - settings.CHAT_RECONNECT)

    def silent(self) -> "SideQuerySet":
        """In a call, and without a heart-beat for longer than their lease."""
        return self.filter(busy=True, lease_until__lte=Now())
