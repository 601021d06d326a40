"""`record/*`: voice clips with which people introduce themselves."""

from django.conf import settings
from django.utils import timezone

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import (
    RecordingDamaged,
    RecordingNotYours,
    RecordingTooLarge,
    RecordingTooShort,
    RecordingUnknown,
)
from heihei_site.api.params import Id
from heihei_site.api.throttles import Limit
from records import params, selectors, serializers
from records.services import clips

api = Endpoints("record")

PARAMETERS_BYTES = 64 * 1024  # of a request, beside its file
# A file that is too large is refused as such and not as a wrong parameter, up to twice the size.
BODY_BYTES = 2 * settings.RECORD_BYTES + PARAMETERS_BYTES


@api.get()
def refresh_record(caller: Caller, *, score: params.Score = 0) -> serializers.RefreshAnswer:
    """What people have recorded, the newest first: with `score` 0 from the newest on, else what comes after that score.
    `mine` is the caller's newest record, if there is one: with `status` 0 until operators have heard it.

    `userInfo.status` says who cannot be called now: `type` 1 is on air (`jump` leads there), 2 in a call.
    """
    mine = selectors.newest_of(caller.person)
    records = serializers.cards(selectors.published(caller.person, below=score), caller.person)
    data: serializers.Refreshed = {"records": records}
    if mine is not None:
        data["mine"] = serializers.own_card(mine)
    return {"data": data}


@api.post(
    raises=[RecordingDamaged, RecordingTooShort, RecordingTooLarge],
    limits=[Limit(settings.RECORDS)],
    body_bytes=BODY_BYTES,
)
def upload_record(
    caller: Caller,
    *,
    file: params.File,
    file_name: params.FileName,
    file_md5: params.FileMd5,
    record_length: params.RecordLength,
) -> serializers.Uploaded:
    """A clip as multipart/form-data, of 3 to 300 seconds and at most 10 MB; others hear it when operators have. What is
    measured counts, not `recordLength`; the same file again is the same record. Where there is no time to measure it
    while the phone waits, it is done after that, and its owner is told what was wrong.

    754 where `fileMd5` is not that of what arrived, or nobody can hear it; 755 shorter, 756 longer or larger than that.
    """
    record = clips.upload(user=caller.person, file=file, md5=file_md5, said=record_length, now=timezone.now())
    return {"record_id": record.pk}


@api.post(raises=[RecordingUnknown, RecordingNotYours])
def delete_record(caller: Caller, *, record_id: Id) -> Nothing:
    """Takes away a record of the caller's."""
    clips.delete(user=caller.person, record_id=record_id)
    return {}


@api.post(raises=[RecordingUnknown])
def read_record(caller: Caller, *, record_id: Id) -> serializers.RecordAnswer:
    """The caller hears it. Others' can be played first and told afterwards; one's own with `status` 0 is asked for
    here before."""
    record = selectors.find(record_id, caller.person)
    if record is None:
        raise RecordingUnknown
    clips.read(user=caller.person, record=record)
    return {"record": serializers.cards([record], caller.person)[0]}
