"""What operators see of people in numbers (heihei_site/console)."""

from datetime import datetime, timedelta

from heihei_site.console.cards import Card, Reading, Section, Tone, waiting
from heihei_site.console.figures import Figure, Unit
from users.models import Report, Session, Suspect, User

REPORT_LATE = timedelta(hours=12)


def active(since: datetime, until: datetime) -> int:
    """People who signed in, connected or called. `active_at` is written at most every TOKEN_REFRESH, so of an hour it
    is a little less than there were."""
    return Session.objects.filter(active_at__gte=since, active_at__lt=until).values("user").distinct().count()


def new(since: datetime, until: datetime) -> int:
    many: int = User.objects.filter(date_joined__gte=since, date_joined__lt=until, username=None).count()
    return many


def suspects() -> Reading:
    many = Suspect.objects.count()
    return Reading(f"{many:,}", "多人举报，等待处理" if many else "没有积压", Tone.LATE if many else Tone.CALM)


def reports() -> Reading:
    return waiting(Report.objects.filter(handled=False), since="created_at", late_after=REPORT_LATE)


FIGURES = (
    Figure("users.active", 10, "活跃用户", Unit.PEOPLE, "users.view_user", active, lasting=False),
    Figure("users.new", 11, "新用户", Unit.PEOPLE, "users.view_user", new),
)
CARDS = (
    Card("suspects", 10, Section.QUEUES, "待处理举报对象", "person_alert", "users.view_suspect", suspects,
         "admin:users_suspect_changelist"),
    Card("reports", 11, Section.QUEUES, "未处理举报", "flag", "users.view_report", reports,
         "admin:users_report_changelist", "?handled__exact=0"),
)  # fmt: skip
