"""What is left of a call when it is over: entries in both message lists (D32), and a message between the two (D45)."""

import enum

from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish
from messages.events import DueChatContent
from messages.models import Entry, InstantMessage
from messages.selectors import find_addressee
from messages.serializers import entry_event
from messages.services import entries, im
from messages.services.contents import OUR_NAME
from users.models import User


class Outcome(enum.StrEnum):
    TALKED = "talked"
    MISSED = "missed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


_CHAT_STATUS = {Outcome.TALKED: 1, Outcome.MISSED: 2, Outcome.CANCELLED: 2, Outcome.REFUSED: 3}


def remember(chat_id: int, caller_id: int, callee_id: int, outcome: Outcome, seconds: int = 0) -> None:
    """Within telling(), as the last change: it locks rows of lists, which come after everything but counters. One call
    in one transaction. The same outcome of the same chat again changes nothing and tells nobody.

    Who was called and did not answer has one thing more unread; who refused has seen it.
    """
    content: DueChatContent = {"chat_status": _CHAT_STATUS[outcome], "chat_length": seconds}
    name = f"{OUR_NAME}chat {chat_id} {outcome}"
    stored = im.store(caller_id, callee_id, InstantMessage.Kind.DUE_CHAT, content, name)
    if not stored.fresh:
        return
    people = User.objects.in_bulk([caller_id, callee_id])
    caller, callee = people[caller_id], people[callee_id]
    _tell_ending(caller, callee, stored)
    talked = outcome is Outcome.TALKED
    unread = int(outcome in (Outcome.MISSED, Outcome.CANCELLED))
    entries.note(
        entries.News(caller_id, callee_id, Entry.Kind.CALL if talked else Entry.Kind.POST, seconds),
        entries.News(callee_id, caller_id, Entry.Kind.CALL if talked else Entry.Kind.CALLING, seconds, unread=unread),
    )
    for owner, peer in ((caller, callee), (callee, caller)):
        publish(entry_event(Entry.objects.get(owner=owner, peer=peer), peer), to=person(owner))


def _tell_ending(caller: User, callee: User, stored: im.Sent) -> None:
    """Nobody who has left or been blocked meanwhile says anything to anybody (D18)."""
    addressee = find_addressee(caller.pk, callee.pk)
    if addressee is None or addressee.blocked or not caller.is_here:
        return
    publish(im.copy(stored, caller, callee, follows=addressee.followed_by_sender), to=person(caller))
    publish(im.copy(stored, caller, callee, followed=addressee.follows_sender), to=person(callee))
