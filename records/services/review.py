"""Operators hear records before others do: published, or not."""

from django.db import IntegrityError, connection
from django.db.models.functions import Now

from heihei_site.realtime.publish import telling
from records.models import Record
from users.events import Tip
from users.services import tips

Status = Record.Status


def _not_published(reason: str) -> Tip:
    return {
        "type": "alert",
        "title": "录音未通过",
        "desc": f"您的录音没有通过审核：{reason}。请重新录制一段。"
        if reason
        else "您的录音没有通过审核，请重新录制一段。",
        "jump": "",
        "timeout": 0,
        "image": "",
        "buttons": [{"title": "知道了", "action": "", "jump": ""}],
    }


def publish(record_id: int) -> bool:
    """The newest of all from now on. False for what is published, deleted, or forgotten already, and for what nobody
    has measured yet."""
    try:
        with telling():
            record = _held(record_id)
            if record.status not in (Status.WAITING, Status.REJECTED) or not (record.file and record.measured):
                return False
            with connection.cursor() as cursor:
                cursor.execute("SELECT nextval('records_score')")
                (score,) = cursor.fetchone()
            Record.objects.filter(pk=record_id).update(
                status=Status.PUBLISHED, score=score, reviewed_at=Now(), rejected_for=""
            )
            return True
    except IntegrityError:  # its owner has uploaded the same again since it was rejected
        return False


@telling()
def reject(record_id: int, reason: str = "") -> bool:
    """Nobody hears it, and its owner is told, with the reason. False for what is rejected or deleted already."""
    record = _held(record_id)
    if record.status not in Record.THERE:
        return False
    Record.objects.filter(pk=record_id).update(
        status=Status.REJECTED, score=None, reviewed_at=Now(), rejected_for=reason
    )
    tips.show([record.user], _not_published(reason))
    return True


def _held(record_id: int) -> Record:
    held = Record.objects.select_for_update(no_key=True, of=("self",))
    return held.select_related("user").get(pk=record_id)
