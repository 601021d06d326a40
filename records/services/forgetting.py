"""Files of records that nobody hears any more."""

import structlog
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from heihei_site.uploads.storages import StorageDown
from records import files
from records.models import Record

AT_ONCE = 500

log = structlog.get_logger(__name__)


def forget() -> int:
    """Removes them; what the storage does not take now waits for the next run. Rejected ones are kept for a while."""
    rejected = Q(status=Record.Status.REJECTED, reviewed_at__lt=Now() - settings.REJECTED_RECORDS_KEPT)
    over = Record.objects.filter(Q(status=Record.Status.DELETED) | rejected).exclude(file="")
    done = 0
    try:
        for record in over.order_by("pk")[:AT_ONCE]:
            files.forget(record.file)
            done += Record.objects.filter(pk=record.pk, status=record.status).update(file="")
    except StorageDown as error:
        log.warning("records_not_forgotten", reason=str(error))
    return done
