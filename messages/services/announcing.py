"""Telling many people what operators have to say: batch by batch, in the name of the official account, each once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from messages.announcement_models import Announcement
from messages.events import Jump, NoticeContent
from messages.models import Entry, InstantMessage
from messages.services import entries, im, official
from messages.services.notices import LOOK
from users.models import Block, Follow, Session, User

BATCH = 100  # people told in one transaction, during which nobody else can tell them anything
State = Announcement.State

log = structlog.get_logger(__name__)


def audience(announcement: Announcement) -> QuerySet[User]:
    """Everybody it is meant for, told already or not; nobody who blocks the official account (D18)."""
    there = OuterRef("pk")
    official_id = official.account().pk
    blocks = Block.objects.filter(Q(user=there, target=official_id) | Q(user=official_id, target=there))
    people: QuerySet[User] = User.objects.people().exclude(pk=official_id).filter(~Exists(blocks))
    if announcement.platform or announcement.active_days:
        people = people.filter(Exists(_sessions(announcement).filter(user=there)))
    return people


def _sessions(announcement: Announcement) -> QuerySet[Session]:
    sessions = Session.objects.filter(expires_at__gt=Now())
    if announcement.platform:
        sessions = sessions.filter(platform__iexact=announcement.platform)
    if announcement.active_days:
        sessions = sessions.filter(active_at__gt=Now() - timedelta(days=announcement.active_days))
    return sessions


def tell_next_batch() -> bool:
    """Tells the next people of the announcement that has waited longest. False when nothing is due that another worker
    does not have in hand.

    Their messages and how far it has come are one transaction: a worker that dies tells nobody twice and leaves nobody
    out. What has grown past what one operator may send alone waits for a second one. Of what cannot be told it raises
    the reason, and the others come first from then on.
    """
    announcement = None
    try:
        with telling():
            announcement = _due()
            if announcement is not None:
                _tell_some(announcement)
    except Exception:
        if announcement is not None:
            _move_on(announcement)
        raise
    return announcement is not None


def _tell_some(announcement: Announcement) -> None:
    sender = official.account()
    people = _next_people(announcement, sender)
    if announcement.confirmed_by_id is None and announcement.told + len(people) > settings.ANNOUNCED_ALONE:
        _move_on(announcement, state=State.PROPOSED)
        return
    if people:
        _tell(announcement, sender, people)
    if len(people) == BATCH:
        _move_on(announcement, told=announcement.told + BATCH, told_until=people[-1].pk)
    else:
        _move_on(announcement, told=announcement.told + len(people), state=State.DONE, finished_at=Now())


def _due() -> Announcement | None:
    due = Announcement.objects.annotate(due_at=Coalesce("send_at", "created_at"))
    due = due.filter(state=State.SENDING, due_at__lte=Now()).order_by("last_turn", "pk")
    return due.select_for_update(skip_locked=True, no_key=True).first()


def _next_people(announcement: Announcement, sender: User) -> list[User]:
    follows = Follow.objects.filter(follower=OuterRef("pk"), followee=sender)
    people = audience(announcement).filter(pk__gt=announcement.told_until).annotate(follows_sender=Exists(follows))
    return list(people.order_by("pk")[:BATCH])


def _tell(announcement: Announcement, sender: User, people: Sequence[User]) -> None:
    content: NoticeContent = {"text": announcement.whole_text}
    if announcement.picture:
        content["img"] = announcement.picture
    jump: Jump = {"text": LOOK, "link": announcement.link}
    sent = [im.store(sender.pk, each.pk, InstantMessage.Kind.NOTICE, content, jump=jump) for each in people]
    entries.note(
        *(
            entries.News(each.pk, sender.pk, Entry.Kind.IM, message_id=stored.msg_id, unread=1)
            for each, stored in zip(people, sent, strict=True)
        )
    )
    for each, stored in zip(people, sent, strict=True):
        copy = im.copy(stored, sender, each, followed=each.follows_sender)  # type: ignore[attr-defined]
        publish(copy, to=person(each), one_of_many=True)


def _move_on(announcement: Announcement, **changes: Any) -> None:
    Announcement.objects.filter(pk=announcement.pk).update(last_turn=Now(), **changes)
    if changes.get("state") == State.DONE:
        log.info("announcement_told", announcement=announcement.pk, people=changes["told"])
