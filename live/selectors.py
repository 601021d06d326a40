"""Reads that join lives with people."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from heihei_site.api.paging import Page
from heihei_site.postgres.compiled import Compiled, Given
from live.models import Live, Member
from users.activity import Activity, Place
from users.selectors import blocks_with

BROADCASTING = 5
LIVE_LINK = "wmlives_heihei://live?id={}"


def rooms_of(user_id: int) -> list[int]:
    """The rooms whose messages a person's socket gets: asked at every (re)connect."""
    return list(Member.objects.inside().filter(user_id=user_id).values_list("live_id", flat=True))


@Compiled
def _of_owners(people: Given) -> QuerySet[Live]:
    return Live.objects.on_air().filter(owner_id__any_of=people)


def broadcasting(people: list[int]) -> dict[int, Activity]:
    """For `users.activity`: who of them is on air."""
    return {
        live.owner_id: Activity(BROADCASTING, LIVE_LINK.format(live.pk) if live.visible else "", live.pk)
        for live in _of_owners(people)
    }


@Compiled
def _places(user_id: Given) -> QuerySet[Member]:
    inside = Member.objects.inside().filter(user_id=user_id, live__status=Live.Status.PLAYING)
    return inside.filter(live__owner_deadline__gt=Now()).select_related("live").order_by("-joined_at", "-pk")


def place_of(user_id: int) -> Place | None:
    """For `users.activity`: the live on air that they are in, their own before another's."""
    lives = sorted((member.live for member in _places(user_id)), key=lambda live: live.owner_id != user_id)
    return Place(lives[0].pk, hidden=not lives[0].visible) if lives else None


@Compiled
def _memberships(live_id: Given, user_id: Given) -> QuerySet[Member]:
    return Member.objects.inside().filter(live_id=live_id, user_id=user_id)


def is_inside(live: Live, user_id: int) -> bool:
    return bool(_memberships(live.pk, user_id))


@Compiled
def _audience(live_id: Given) -> QuerySet[Member]:
    return Member.objects.inside().filter(live_id=live_id).select_related("user").order_by("-joined_at", "-pk")


@Compiled
def _audience_before(live_id: Given, moment: Given) -> QuerySet[Member]:
    came_earlier = Member.objects.inside().filter(live_id=live_id, joined_at__lt=moment)
    return came_earlier.select_related("user").order_by("-joined_at", "-pk")


@Compiled
def _rest_of_a_second(live_id: Given, second: Given, joined_at: Given, pk: Given) -> QuerySet[Member]:
    """Who came in that second, before the given row of `audience`."""
    same = Member.objects.inside().filter(live_id=live_id, joined_at__gte=second, joined_at__lte=joined_at)
    earlier = same.filter(Q(joined_at__lt=joined_at) | Q(pk__lt=pk))
    return earlier.select_related("user").order_by("-joined_at", "-pk")


def audience(live: Live, *, before: datetime | None = None) -> Sequence[Member]:
    """Who is inside, newest first, `ROOM_LIST_PAGE` at a time; `before` asks for those who came earlier.

    `joinTime` is whole seconds, so a page takes in everybody of its last second: the next page misses nobody.
    """
    size = settings.ROOM_LIST_PAGE
    page = _audience(live.pk, stop=size) if before is None else _audience_before(live.pk, before, stop=size)
    if len(page) == size:
        last = page[-1]
        page += _rest_of_a_second(live.pk, last.joined_at.replace(microsecond=0), last.joined_at, last.pk)
    return page


@Compiled
def _on_air(viewer_id: Given) -> QuerySet[Live]:
    shown = Live.objects.on_air().listed_for(viewer_id).exclude(blocks_with(viewer_id))
    return shown.select_related("owner").order_by("-recommended", "-started_at", "-pk")


@Compiled
def _replays(viewer_id: Given) -> QuerySet[Live]:
    shown = Live.objects.replays().listed_for(viewer_id).exclude(blocks_with(viewer_id))
    return shown.select_related("owner").order_by("-ended_at", "-pk")


def recommended(viewer_id: int, page: Page) -> tuple[list[Live], list[Live]]:
    """Lives on air, recommended ones first, then the newest; and replays. Nobody's who blocks or is blocked."""
    return (
        _on_air(viewer_id, start=page.start, stop=page.stop),
        _replays(viewer_id, start=page.start, stop=page.stop),
    )


def owner_of_open(user_id: int) -> Live | None:
    """The caller's live that was not closed, its owner loaded."""
    return Live.objects.open().filter(owner_id=user_id).select_related("owner").first()
