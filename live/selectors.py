"""Reads that join lives with people."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from live.models import Live, Member
from users.activity import Activity

BROADCASTING = 5
LIVE_LINK = "wmlives_heihei://live?id={}"


def rooms_of(user_id: int) -> list[int]:
    """The rooms whose messages a person's socket gets: asked at every (re)connect."""
    return list(Member.objects.inside().filter(user_id=user_id).values_list("live_id", flat=True))


def broadcasting(people: list[int]) -> dict[int, Activity]:
    """For `users.activity`: who of them is on air."""
    on_air = Live.objects.on_air().filter(owner_id__in=people).values_list("owner_id", "pk", "visible")
    return {owner: Activity(BROADCASTING, LIVE_LINK.format(live) if visible else "") for owner, live, visible in on_air}


def is_inside(live: Live, user_id: int) -> bool:
    return Member.objects.inside().filter(live=live, user_id=user_id).exists()


def audience(live: Live, *, before: datetime | None = None) -> Sequence[Member]:
    """Who is inside, newest first, `ROOM_LIST_PAGE` at a time; `before` asks for those who came earlier.

    `joinTime` is whole seconds, so a page takes in everybody of its last second: the next page misses nobody.
    """
    inside = Member.objects.inside().filter(live=live).select_related("user").order_by("-joined_at", "-pk")
    if before is not None:
        inside = inside.filter(joined_at__lt=before)
    page = list(inside[: settings.ROOM_LIST_PAGE])
    if len(page) == settings.ROOM_LIST_PAGE:
        last = page[-1]
        second = last.joined_at.replace(microsecond=0)
        page += list(
            inside.filter(joined_at__gte=second, joined_at__lte=last.joined_at).exclude(
                pk__in=[member.pk for member in page]
            )
        )
    return page


def owner_of_open(user_id: int) -> Live | None:
    """The caller's live that was not closed, its owner loaded."""
    return Live.objects.open().filter(owner_id=user_id).select_related("owner").first()
