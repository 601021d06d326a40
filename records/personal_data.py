"""What this app keeps about a person."""

from records.models import Listening, Record
from records.services import forgetting
from users.erasure import Holding, Sections


def erase(user_id: int) -> None:
    """Their records, the files with the next sweep if not now, and what they heard."""
    Record.objects.filter(user=user_id).update(status=Record.Status.DELETED, score=None, file_md5="", rejected_for="")
    Listening.objects.filter(user=user_id).delete()
    forgetting.forget()


def own_data(user_id: int) -> Sections:
    records = Record.objects.filter(user=user_id).exclude(status=Record.Status.DELETED).order_by("pk")
    heard = Listening.objects.filter(user=user_id).order_by("first_at")
    return {
        "records": records.values(
            "id", "file", "length", "status", "created_at", "reviewed_at", "rejected_for"
        ).iterator(),
        "records_heard": heard.values("record_id", "times", "first_at", "last_at").iterator(),
    }


holding = Holding("records", erase=erase, export=own_data)
