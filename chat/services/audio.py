"""Where the two of a call hear each other: a room of the RTC vendor, made for one call and no other.

What lets a phone in is good for a minute. When the call is over, the vendor throws both people out: a job asks until it
has. Whoever comes back with a token that is still good is alone.
"""

import time
from dataclasses import dataclass

import structlog
from celery import Task
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from chat.models import Chat
from heihei_site.jobs import NoWorker, hand_over
from heihei_site.providers import registry
from heihei_site.providers.rtc.base import NotRemoved

GIVE_UP = 5  # failures in a row after which the vendor is taken to be away for all

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Entry:
    """What lets a phone in; `expires` is a second of the epoch."""

    room: str
    token: str
    expires: int


def entry(chat_id: int, user_id: int) -> Entry:
    expires = int(time.time() + settings.CHAT_TOKEN_LIFETIME.total_seconds())
    name = room_name(chat_id)
    return Entry(name, registry.rtc().token(room=name, user_id=user_id, expires=expires), expires)


def room_name(chat_id: int) -> str:
    """The same every time; nothing that is known of the call leads to it."""
    return salted_hmac("chat.audio", str(chat_id), algorithm="sha256").hexdigest()[:32]


def revoke_soon(chat: Chat) -> None:
    """Part of the transaction that ends the call; the vendor is asked after it."""
    from chat.tasks import revoke_chat  # tasks import the services

    Chat.objects.filter(pk=chat.pk).update(revocation_due=True)
    transaction.on_commit(lambda: _ask_for(revoke_chat, chat.pk), robust=True)


def _ask_for(job: "Task[[int], None]", chat_id: int) -> None:
    try:
        hand_over(job, chat_id)
    except NoWorker as error:
        log.warning("chat_revoked_later", chat=chat_id, reason=str(error))


def revoke(chat_id: int) -> bool:
    """Has the vendor throw both people out. False where it did not: then it is asked again by the next sweep. Asks
    over the network; run twice, the second finds nothing to do."""
    due = Chat.objects.to_revoke(settings.MIC_REVOKE_FOR).filter(pk=chat_id)
    chat = due.first()
    if chat is None:
        return True
    try:
        for user_id in chat.people:
            registry.rtc().remove(room=room_name(chat.pk), user_id=user_id)
    except NotRemoved as error:
        log.warning("chat_not_revoked", chat=chat.pk, reason=str(error))
        return False
    due.update(revocation_due=False)
    return True


def revoke_waiting() -> int:
    """Asks again for all that is still due. Returns how many are done."""
    waiting = list(Chat.objects.to_revoke(settings.MIC_REVOKE_FOR).values_list("pk", flat=True)[:500])
    done = failed = 0
    for chat_id in waiting:
        worked = revoke(chat_id)
        done, failed = done + worked, 0 if worked else failed + 1
        if failed == GIVE_UP:
            break
    return done
