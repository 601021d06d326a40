"""What this app keeps about a person."""

from typing import Any

from django.db.models import F

from messages.models import Entry, HistoryMark, InstantMessage, Mailbox, Push
from users.erasure import Holding, Sections

BATCH = 1000  # messages emptied in one statement


def erase(user_id: int) -> None:
    """Empties what they wrote; that they wrote stays. What was written to them is its writer's. Pushes to others that
    name them have been forgotten long before (PUSHES_AGE)."""
    Push.objects.filter(user=user_id).delete()
    for kept in (Entry, HistoryMark, Mailbox):
        kept.objects.filter(owner=user_id).delete()
    written = InstantMessage.objects.filter(sender=user_id).exclude(content={})
    while some := list(written.values_list("pk", flat=True)[:BATCH]):
        InstantMessage.objects.filter(pk__in=some).update(content={}, jump=None, client_msg_id="")


def own_data(user_id: int) -> Sections:
    columns = ("msg_id", "sender_id", "recipient_id", "kind", "content", "jump", "created_at", "recalled_at")
    pushes = Push.objects.filter(user=user_id).exclude(outcome=Push.Outcome.RECALLED).order_by("pk")
    pushed = {"title": F("notice__title"), "text": F("notice__text")}
    of = {"messages_sent": "sender", "messages_received": "recipient"}
    messages = {
        name: InstantMessage.objects.filter(**{side: user_id}).order_by("created_at").values(*columns).iterator()
        for name, side in of.items()
    }
    messages["messages_received"] = map(_without_what_was_recalled, messages["messages_received"])
    entries = Entry.objects.filter(owner=user_id).order_by("peer_id")
    shown = ("peer_id", "kind", "posts", "callings", "calls", "seconds", "unread", "changed_at")
    return messages | {
        "message_list": entries.values(*shown).iterator(),
        "pushes": pushes.values("created_at", "outcome", "finished_at", **pushed).iterator(),
    }


def _without_what_was_recalled(row: dict[str, Any]) -> dict[str, Any]:
    """That somebody wrote it stays; what it said is theirs again."""
    return row if row["recalled_at"] is None else row | {"content": None, "jump": None}


holding = Holding("messages", erase=erase, export=own_data)
