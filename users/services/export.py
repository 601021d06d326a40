"""A copy of one's own data: asked for, written by a job, fetched from an address that only its owner is told."""

import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO

import orjson
import structlog
from django.conf import settings
from django.core import signing
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db.models import Q, QuerySet
from django.utils import timezone

from heihei_site import jobs
from heihei_site.api import addresses
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from users import erasure, tasks
from users.events import DataExported
from users.models import DataExport, User

PATH = "html/data-export.zip"
SALT = "users.export"
JOB_TIME = timedelta(minutes=10)  # after which a job that was not heard of again has died
AT_ONCE = 20  # exports written in one run of the job
IN_MEMORY = 4 * 1024 * 1024  # bytes; a longer file waits on disk

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Copy:
    """`url` is "" as long as it is being written."""

    url: str
    expires_at: datetime | None


def ask(*, user: User, now: datetime) -> Copy:
    """Has a copy written, and the person told when it is ready. While there is one it is that one, with its address."""
    living = DataExport.objects.filter(Q(file="") | Q(expires_at__gt=now), user=user)
    found = living.order_by("-pk").first()
    if found is None:
        found, fresh = DataExport.objects.get_or_create(user=user, file="")
        if fresh:
            jobs.soon(tasks.export_data)
    return Copy(address_of(found) if found.file else "", found.expires_at)


def address_of(export: DataExport) -> str:
    """Who has it has the file: it is told to its person only, and good for DATA_EXPORT_LIFETIME."""
    return f"{addresses.public_url()}/{PATH}?sign={signing.dumps(export.pk, salt=SALT)}"


def find(sign: str, now: datetime) -> DataExport | None:
    """The export of an address of ours whose time is not over."""
    try:
        number = signing.loads(sign, salt=SALT, max_age=settings.DATA_EXPORT_LIFETIME)
    except signing.BadSignature:
        return None
    return DataExport.objects.filter(pk=number, expires_at__gt=now).exclude(file="").first()


def read(export: DataExport) -> "File[bytes]":
    return _storage().open(export.file)


def write_waiting() -> int:
    """Writes what was asked for. Returns how many; one whose job died is written again, one that fails is logged."""
    written = 0
    for number in list(_waiting().order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        try:
            written += _write(number)
        except Exception:
            log.exception("export_failed", export=number)
    return written


def _waiting() -> QuerySet[DataExport]:
    return DataExport.objects.filter(Q(working_until=None) | Q(working_until__lte=timezone.now()), file="")


def _write(number: int) -> bool:
    """One job at a time has it in hand: no transaction is open while files are written."""
    if not _waiting().filter(pk=number).update(working_until=timezone.now() + JOB_TIME):
        return False
    export = DataExport.objects.select_related("user").get(pk=number)
    name = f"exports/{number}.zip"  # a second job writes over what the first left
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        pack(export.user_id, file)
        file.seek(0)
        name = _storage().save(name, File(file))
    with telling():
        expires_at = timezone.now() + settings.DATA_EXPORT_LIFETIME
        if not DataExport.objects.filter(pk=number, file="").update(file=name, expires_at=expires_at):
            if not DataExport.objects.filter(pk=number).exists():  # the person was erased meanwhile
                _storage().delete(name)
            return False
        seconds = int(settings.DATA_EXPORT_LIFETIME.total_seconds())
        publish(DataExported(expire_time=seconds, url=address_of(export)), to=person(export.user))
    return True


def pack(user_id: int, file: IO[bytes]) -> None:
    """A ZIP of JSON files, one for each kind of thing, each an array of objects."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for holding in erasure.holdings():
            for section, rows in holding.export(user_id).items():
                with archive.open(f"{section}.json", "w") as entry:
                    _write_rows(rows, entry)


def _write_rows(rows: Iterable[erasure.Row], entry: IO[bytes]) -> None:
    before = b"[\n"
    for row in rows:
        entry.write(before + orjson.dumps(row))
        before = b",\n"
    entry.write(b"\n]\n" if before == b",\n" else b"[]\n")


def forget_expired(now: datetime) -> int:
    """Deletes the files whose time is over. Returns how many; one that cannot be deleted is logged and tried again."""
    gone = 0
    for export in DataExport.objects.filter(expires_at__lte=now).order_by("expires_at")[:AT_ONCE]:
        try:
            discard(export)
        except Exception:
            log.exception("export_not_deleted", export=export.pk)
        else:
            gone += 1
    return gone


def discard(export: DataExport) -> None:
    """The file first: a row without one is looked at again, a file without a row is not."""
    if export.file:
        _storage().delete(export.file)
    export.delete()


def _storage() -> Storage:
    return storages["private"]
