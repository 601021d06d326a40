"""What operators see of records in numbers (heihei_site/console)."""

from datetime import timedelta

from heihei_site.console.cards import Card, Reading, Section, waiting
from records.models import Record

REVIEW_LATE = timedelta(days=1)


def to_review() -> Reading:
    return waiting(Record.objects.filter(status=Record.Status.WAITING), since="created_at", late_after=REVIEW_LATE)


CARDS = (
    Card("records", 20, Section.QUEUES, "待审核录音", "mic", "records.view_record", to_review,
         "admin:records_record_changelist", f"?status__exact={Record.Status.WAITING}"),
)  # fmt: skip
