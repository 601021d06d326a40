"""What was said in a live, as its replay shows it (D30; android_client.md 5.8): a ZIP of JSON arrays of strings, each
the JSON text of `{"msg": "<the message's JSON text>", "timeStamp": <seconds>}`.

Written by a job from the rows of the room, which are kept for a month; after that, from the archive itself. Lines of
people who are banned or erased are left out, whenever that happens: then the archive is written anew, under another
name, since copies of the old one may be anywhere.
"""

import json
import secrets
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from tempfile import TemporaryFile
from typing import IO, Any

import orjson
import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import storages
from django.db.models import Q
from django.db.models.functions import Now

from heihei_site.realtime import storage
from heihei_site.realtime.models import StreamKind
from live.models import Live
from users.models import User

SHOWN = {"text", "gift", "barrage", "like", "system"}  # what a replay shows; the rest was of its moment
AT_ONCE = 100  # lives one sweep hands out
MOMENT = timedelta(microseconds=1)
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every entry: the same lines are the same bytes

log = structlog.get_logger(__name__)

Line = tuple[dict[str, Any], int]  # a message, and when it was told (unix seconds)


def due() -> list[int]:
    """Lives whose archives are to be written, each given out once in `ARCHIVE_LEASE`."""
    waiting = Live.objects.filter(archive_due__lte=Now()).order_by("archive_due").values_list("pk", flat=True)
    return [live_id for live_id in waiting[:AT_ONCE] if _lease(live_id)]


def _lease(live_id: int) -> bool:
    waiting = Live.objects.filter(pk=live_id, archive_due__lte=Now())
    return bool(waiting.update(archive_due=Now() + settings.ARCHIVE_LEASE))


def take_out(sender: object, *, user: User, **_: object) -> None:
    """Listens to `users.signals.banned`: what they said disappears from the replays of every live they were in."""
    rewrite(user.pk)


def rewrite(user_id: int) -> None:
    """Every archive in which this person may be is written anew. Rows are held in primary-key order."""
    visited = Live.objects.filter(status=Live.Status.STOPPED, members__user=user_id)
    written = visited.filter(~Q(archive="") | Q(archive_due__isnull=False)).order_by("pk")
    held = list(written.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    Live.objects.filter(pk__in=held).update(archive_due=Now())


def forget(live_ids: Iterable[int]) -> None:
    """Nothing of these is kept. A job that is at it finds that there is news, and takes back what it wrote."""
    for live_id in live_ids:
        Live.objects.filter(pk=live_id).update(archive="", archive_due=None)
        _clear(live_id, keep="")


def settle(live_id: int) -> None:
    """Writes what is due. Run twice, the second finds nothing due; what changes meanwhile has another turn. Whoever
    comes while another is at it takes over: only the last to come can say that it is done."""
    live = Live.objects.get(pk=live_id)
    if live.is_open or live.archive_due is None:
        return
    mine = live.archive_due + MOMENT
    if not Live.objects.filter(pk=live_id, archive_due=live.archive_due).update(archive_due=mine):
        return
    _clear(live_id, keep=live.archive)  # of a job that died
    try:
        name = _write(live) if live.status == Live.Status.STOPPED and live.started_at else ""
    except FileNotFoundError as error:  # cleared away by who took over, or the old archive was
        log.warning("archive_not_written", live=live_id, reason=str(error))
        return
    if Live.objects.filter(pk=live_id, archive_due=mine).update(archive=name, archive_due=None):
        _delete(live.archive)
    else:
        _delete(name)


def _write(live: Live) -> str:
    """The name of the new file; none where nothing is left to show: the 1.1 app does not open an empty one."""
    with TemporaryFile() as file:
        parts = _pack(_without_banned(_told(live)), file)
        if live.archive and not _is_whole(live):
            file.seek(0)
            file.truncate()
            parts = _pack(_without_banned(read_all(live.archive)), file)
        if not parts:
            return ""
        file.seek(0)
        name = f"{live.pk}/message_{secrets.token_hex(8)}.txt.zip"
        return str(storages["archives"].save(name, File(file)))


def _is_whole(live: Live) -> bool:
    """Whether no row of the room has been forgotten until now."""
    first, _ = storage.kept((StreamKind.ROOM.value, live.pk))
    return first == 1


def _told(live: Live) -> Iterator[list[Line]]:
    for rows in storage.history((StreamKind.ROOM.value, live.pk)):
        elements = [orjson.loads(element) for _, element in rows]
        yield [(told["msg"], told["timeStamp"]) for told in elements if told["msg"]["msgType"] in SHOWN]


def _without_banned(parts: Iterable[list[Line]]) -> Iterator[list[Line]]:
    for lines in parts:
        speakers = {speaker for message, _ in lines if (speaker := message.get("fromUserId"))}
        banned = set(User.objects.filter(pk__in=speakers, is_active=False).values_list("pk", flat=True))
        if left := [line for line in lines if line[0].get("fromUserId") not in banned]:
            yield left


def _pack(parts: Iterable[list[Line]], file: IO[bytes]) -> int:
    """How many entries there are."""
    number = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, lines in enumerate(parts, start=1):
            strings = [_as_string(message, at) for message, at in lines]
            entry = zipfile.ZipInfo(f"message_{number:05d}.txt", EPOCH)
            archive.writestr(entry, orjson.dumps(strings), zipfile.ZIP_DEFLATED)
    return number


def _as_string(message: dict[str, Any], at: int) -> str:
    return orjson.dumps({"msg": orjson.dumps(message).decode(), "timeStamp": at}).decode()


def read_all(name: str) -> Iterator[list[Line]]:
    """An archive's lines, an entry at a time. Raises FileNotFoundError."""
    with storages["archives"].open(name) as file, zipfile.ZipFile(file) as archive:
        for entry in sorted(archive.namelist()):
            yield _lines(archive.read(entry))


def read_part(name: str, number: int) -> list[Line] | None:
    """One entry of it; None past the last. Raises FileNotFoundError."""
    with storages["archives"].open(name) as file, zipfile.ZipFile(file) as archive:
        entries = sorted(archive.namelist())
        return _lines(archive.read(entries[number])) if number < len(entries) else None


def _lines(entry: bytes) -> list[Line]:
    told = [json.loads(each) for each in json.loads(entry)]
    return [(json.loads(each["msg"]), each["timeStamp"]) for each in told]


def _clear(live_id: int, *, keep: str) -> None:
    found: list[str] = []
    with suppress(FileNotFoundError):  # nothing was ever written
        _, found = storages["archives"].listdir(str(live_id))
    for file in found:
        if (name := f"{live_id}/{file}") != keep:
            _delete(name)


def _delete(name: str) -> None:
    if name:
        storages["archives"].delete(name)
