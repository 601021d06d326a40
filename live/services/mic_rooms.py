"""Where an owner and a viewer hear each other: a room of the RTC vendor, made for one link and no other.

What lets a phone in is good for a minute; a phone asks for another whenever it needs one. When the link is over, the
vendor throws both people out: a job asks until it has. Whoever comes back with a token that is still good is alone.
"""

import time
from dataclasses import dataclass

import structlog
from celery import Task
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from heihei_site.jobs import NoWorker, hand_over
from heihei_site.providers import registry
from heihei_site.providers.rtc.base import NotRemoved
from live.models import MicLink

GIVE_UP = 5  # failures in a row after which the vendor is taken to be away for all

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Entry:
    """What lets a phone in; `expires` is a second of the epoch."""

    room: str
    token: str
    expires: int


def entry(link: MicLink, user_id: int) -> Entry:
    expires = int(time.time() + settings.MIC_TOKEN_LIFETIME.total_seconds())
    name = room_name(link.pk)
    return Entry(name, registry.rtc().token(room=name, user_id=user_id, expires=expires), expires)


def room_name(link_id: int) -> str:
    """The same every time; nothing that is known of the live leads to it."""
    return salted_hmac("live.mic_link", str(link_id), algorithm="sha256").hexdigest()[:32]


def revoke_soon(link: MicLink) -> None:
    """Part of the transaction that ends the link; the vendor is asked after it."""
    from live.tasks import revoke_mic_link  # tasks import the services

    MicLink.objects.filter(pk=link.pk).update(revocation_due=True)
    transaction.on_commit(lambda: _ask_for(revoke_mic_link, link.pk), robust=True)


def _ask_for(job: "Task[[int], None]", link_id: int) -> None:
    try:
        hand_over(job, link_id)
    except NoWorker as error:
        log.warning("mic_link_revoked_later", link=link_id, reason=str(error))


def revoke(link_id: int) -> bool:
    """Has the vendor throw both people out. False where it did not: then it is asked again by the next sweep. Asks
    over the network; run twice, the second finds nothing to do."""
    due = MicLink.objects.to_revoke(settings.MIC_REVOKE_FOR).filter(pk=link_id)
    link = due.select_related("live").first()
    if link is None:
        return True
    try:
        for user_id in (link.live.owner_id, link.user_id):
            registry.rtc().remove(room=room_name(link.pk), user_id=user_id)
    except NotRemoved as error:
        log.warning("mic_link_not_revoked", link=link.pk, reason=str(error))
        return False
    due.update(revocation_due=False)
    return True


def revoke_waiting() -> int:
    """Asks again for all that is still due. Returns how many are done."""
    waiting = list(MicLink.objects.to_revoke(settings.MIC_REVOKE_FOR).values_list("pk", flat=True)[:500])
    done = failed = 0
    for link_id in waiting:
        worked = revoke(link_id)
        done, failed = done + worked, 0 if worked else failed + 1
        if failed == GIVE_UP:
            break
    return done
