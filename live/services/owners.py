"""What an owner decides about their live besides its room: away for a moment, shown or hidden, deleted."""

from django.db.models import F
from django.db.models.functions import Now

from heihei_site.api.errors import LiveEnded, LiveInvalid, NotPermitted
from heihei_site.realtime.groups import room
from heihei_site.realtime.publish import publish, telling
from live.events import LiveContinued, LivePaused
from live.models import Live
from live.services.audience import hold
from live.services.rooms import end_live
from users.models import User


@telling()
def pause(*, owner: User, live: Live, paused: bool) -> None:
    """The owner's app went to the background, or came back: the room is told once. Heart-beats go on."""
    if live.owner_id != owner.pk:
        raise NotPermitted
    still_open = Live.objects.open().filter(pk=live.pk)
    if still_open.filter(paused=not paused).update(paused=paused):
        told = LivePaused if paused else LiveContinued
        publish(told(room_id=live.pk, live_id=live.pk), to=room(live))
    elif not still_open.exists():
        raise LiveEnded


def set_visible(*, owner: User, live: Live, visible: bool) -> Live:
    if live.owner_id != owner.pk:
        raise NotPermitted
    if not Live.objects.exclude(status__in=Live.GONE).filter(pk=live.pk).update(visible=visible):
        raise LiveInvalid
    live.visible = visible
    return live


@telling()
def delete(*, owner: User, live: Live) -> Live:
    """Nobody finds it again, and it is not counted any more. One that is open ends first; a second time it is done."""
    if live.owner_id != owner.pk:
        raise LiveInvalid if live.status in Live.GONE else NotPermitted
    counted = User.objects.filter(pk=owner.pk)
    counted.select_for_update(no_key=True).values_list("pk").get()
    if hold(live.pk).is_open:
        end_live(live.pk)
    live.refresh_from_db(fields=["status", "started_at", "ended_at", "occupied"])
    if live.status == Live.Status.BANNED:  # by operators: not the owner's to delete
        raise LiveInvalid
    if live.status == Live.Status.STOPPED:
        live.status = Live.Status.DELETED
        gone = {"media_due": Now(), "archive_due": Now()}  # what was recorded and said goes, too
        Live.objects.filter(pk=live.pk).update(status=live.status, **gone)
        counted.filter(live_count__gt=0).update(live_count=F("live_count") - int(live.started_at is not None))
    return live
