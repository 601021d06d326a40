"""The live's row, held by whoever changes what is true of its room, and the counts that the room is told (D12, D23)."""

import time
from collections.abc import Sequence

from django.conf import settings

from heihei_site.realtime.groups import person, room
from heihei_site.realtime.publish import publish
from live.events import AudienceChanged
from live.models import Live, Member
from live.selectors import audience
from live.serializers import viewer


def hold(live_id: int) -> Live:
    """The live's row, held until the transaction ends: meanwhile nobody comes, goes or changes the room."""
    return Live.objects.select_for_update(no_key=True).get(pk=live_id)


def tell_audience(live: Live) -> None:
    """Writes the counts of a live whose row is held, and tells the room: who is in a small one, how many in a large."""
    live.presence_no += 1
    live.save(update_fields=["seats", "locked", "occupied", "total_users", "presence_no"])
    small = live.occupied <= settings.ROOM_LIST_PAGE
    publish(_news(live, live.presence_no, audience(live) if small else None), to=room(live))


def tell_microphone(live: Live) -> None:
    """The same after somebody has asked for the microphone, got it or left it. In a large room the owner alone is told
    people, those before all others."""
    tell_audience(live)
    if live.occupied > settings.ROOM_LIST_PAGE:
        # A person's versions go on from live to live.
        version = int(time.time() * 1000)
        publish(_news(live, version, audience(live, microphone_first=True)), to=person(live.owner_id))


def _news(live: Live, version: int, members: Sequence[Member] | None) -> AudienceChanged:
    return AudienceChanged(
        version=version,
        room_id=live.pk,
        live_id=live.pk,
        total_count=live.occupied,
        room_seat_count=live.seats,
        room_locked_count=live.locked,
        users=None if members is None else [viewer(member) for member in members],
    )
