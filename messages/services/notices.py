"""Telling authors what others did with what they wrote (D45)."""

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish
from messages.events import Jump, NoticeContent
from messages.models import Entry, InstantMessage
from messages.selectors import find_addressee
from messages.services import entries, im
from users.models import User

LOOK = "查看"
_ONE_AFTER_THE_OTHER = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def notify(
    *, recipient_id: int, actor: User, text: str, link: str, img: str = "", icon: str = "", collapse: str = ""
) -> None:
    """Tells somebody, in the actor's name, what the actor did; `link` leads there.

    Within telling(), once, as its last change: it locks a row of the recipient's message list. Nobody is told of what
    they did themselves, nor of somebody they block or are blocked by (D18). Where the recipient has been told something
    under the same `collapse` (at most 64 letters) in the last NOTICE_PAUSE and has not read it, that stands for this.
    """
    if recipient_id == actor.pk or (collapse and _waits(recipient_id, collapse)):
        return
    addressee = find_addressee(actor.pk, recipient_id)
    if addressee is None or addressee.blocked:
        return
    if collapse:
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AFTER_THE_OTHER, [f"notice {recipient_id} {collapse}"])
        if _waits(recipient_id, collapse):  # told by somebody else a moment ago
            return
    content: NoticeContent = {"text": text}
    if img:
        content["img"] = img
    if icon:
        content["icon"] = icon
    jump: Jump = {"text": LOOK, "link": link}
    sent = im.store(actor.pk, recipient_id, InstantMessage.Kind.NOTICE, content, "", jump=jump, collapse=collapse)
    entries.note(entries.News(recipient_id, actor.pk, Entry.Kind.IM, message_id=sent.msg_id, unread=1))
    publish(im.copy(sent, actor, addressee.person, followed=addressee.follows_sender), to=person(recipient_id))


def _waits(recipient_id: int, collapse: str) -> bool:
    """The recipient has not read all that they have from who it was about."""
    unread = Entry.objects.filter(owner=recipient_id, peer=OuterRef("sender"), unread__gt=0)
    told = InstantMessage.objects.filter(
        Exists(unread), recipient=recipient_id, collapse=collapse, created_at__gt=Now() - settings.NOTICE_PAUSE
    )
    return told.exists()
