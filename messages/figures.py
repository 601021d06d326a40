"""What operators see of messages and pushes in numbers (heihei_site/console)."""

from datetime import datetime, timedelta

from django.db.models.functions import Now

from heihei_site.console.cards import Card, Reading, Section, waiting
from heihei_site.console.figures import Figure, Unit
from messages.announcement_models import Announcement
from messages.models import InstantMessage, Push

PUSH_LATE = timedelta(minutes=1)
ANNOUNCEMENT_LATE = timedelta(days=1)  # since it was begun: a draft may have lain


def written(since: datetime, until: datetime) -> int:
    """What people wrote to each other, and what we wrote to them."""
    return InstantMessage.objects.filter(created_at__gte=since, created_at__lt=until).count()


def pushes_due() -> Reading:
    """Those that should have been sent; what is held back until the morning is not due."""
    due = Push.objects.filter(outcome=Push.Outcome.WAITING, due_at__lte=Now())
    return waiting(due, since="due_at", late_after=PUSH_LATE)


def announcements() -> Reading:
    """For a second operator to read and confirm."""
    proposed = Announcement.objects.filter(state=Announcement.State.PROPOSED)
    return waiting(proposed, since="created_at", late_after=ANNOUNCEMENT_LATE)


FIGURES = (Figure("messages.written", 40, "私信", Unit.MESSAGES, "inbox.view_instantmessage", written),)
CARDS = (
    Card("announcements", 40, Section.QUEUES, "待复核公告", "rate_review", "inbox.view_announcement", announcements,
         "admin:inbox_announcement_changelist", f"?state__exact={Announcement.State.PROPOSED}"),
    Card("pushes", 20, Section.MACHINES, "到点未发推送", "notifications", "inbox.view_push", pushes_due,
         "admin:inbox_push_changelist", f"?outcome__exact={Push.Outcome.WAITING}"),
)  # fmt: skip
