"""What there was no time for while a phone waited: how long a record is."""

import structlog

from heihei_site.api.errors import Refusal
from heihei_site.uploads.storages import StorageDown, uploads
from records.models import Record
from records.services import clips, review

AT_ONCE = 20  # in one run
FAILED_AT_ONCE = 5  # after so many nobody asks the storage on

log = structlog.get_logger(__name__)


def measure_waiting() -> int:
    """Returns how many are known now. What is none, too short or too long is rejected, and its owner told; what the
    storage does not give now waits for the next run, and does not keep the others, unless it is every one."""
    waiting = Record.objects.filter(status=Record.Status.WAITING, measured=False)
    done = failed = 0
    for record in waiting.order_by("pk")[:AT_ONCE]:
        try:
            done += _measure(record)
        except StorageDown as error:
            log.warning("record_not_measured", record=record.pk, reason=str(error))
            failed += 1
        except Exception:
            log.exception("record_not_measured", record=record.pk)
            failed += 1
        if failed >= FAILED_AT_ONCE:
            break
    return done


def _measure(record: Record) -> bool:
    file = uploads().read(record.file, "")
    if file is None:
        return review.reject(record.pk)
    with file:
        try:
            length = clips.measure(file)
        except Refusal:
            return review.reject(record.pk)
    if length is None:  # not even a job has the time
        return review.reject(record.pk)
    return bool(Record.objects.filter(pk=record.pk).update(length=length, measured=True))
