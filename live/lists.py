"""What the lists of lives show, and in which order (docs/adr/0010-ranking.md)."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from heihei_site.api.paging import Page
from heihei_site.postgres.compiled import Compiled, Given
from live.models import Live
from live.querysets import LiveQuerySet
from users.models import User
from users.selectors import here, not_blocked

BEST_FIRST = ("-score", "-started_at", "-pk")
NEWEST_FIRST = ("-ended_at", "-pk")


@dataclass(frozen=True)
class Lives:
    """A page of each; the rows have `is_followed` and `is_recommended`."""

    on_air: list[Live]
    replays: list[Live]


def _on_air(viewer_id: Given) -> LiveQuerySet:
    """Of everybody who neither blocks the viewer nor is blocked (D18)."""
    shown = Live.objects.on_air().shown_to(viewer_id).filter(not_blocked(viewer_id, "owner"))
    return shown.with_recommended().select_related("owner")


@Compiled
def _recommended(viewer_id: Given) -> QuerySet[Live]:
    recommended = _on_air(viewer_id).recommended().with_followed(viewer_id)
    return recommended.order_by("recommended_place", "-started_at", "-pk")


@Compiled
def _followed(viewer_id: Given) -> QuerySet[Live]:
    return _on_air(viewer_id).followed_by(viewer_id).order_by(*BEST_FIRST)


@Compiled
def _followed_besides(viewer_id: Given) -> QuerySet[Live]:
    return _on_air(viewer_id).followed_by(viewer_id).not_recommended().order_by(*BEST_FIRST)


@Compiled
def _others(viewer_id: Given) -> QuerySet[Live]:
    return _on_air(viewer_id).not_followed_by(viewer_id).not_recommended().order_by(*BEST_FIRST)


def _recorded(viewer_id: Given) -> LiveQuerySet:
    """Of people who are still here, and with whom there is no block."""
    shown = Live.objects.replays().shown_to(viewer_id).filter(here("owner__"), not_blocked(viewer_id, "owner"))
    return shown.with_recommended().with_followed(viewer_id).select_related("owner").order_by(*NEWEST_FIRST)


@Compiled
def _replays(viewer_id: Given) -> QuerySet[Live]:
    return _recorded(viewer_id)


def recommended(viewer_id: int, page: Page) -> Lives:
    """On air: what operators recommend, then whom the viewer follows, then the others. At most `FEED_DEPTH` of each."""
    page = page.within(settings.FEED_DEPTH)
    return Lives(list(_in_turn(viewer_id, page)), _replays(viewer_id, start=page.start, stop=page.stop))


def _in_turn(viewer_id: int, page: Page) -> Iterator[Live]:
    """The page of the three parts one after the other. The first two are read from their beginning: short, and only
    that way it is known how long they are."""
    start, stop = page.start, page.stop
    for part in (_recommended, _followed_besides):
        lives = part(viewer_id, stop=stop)
        yield from lives[start:]
        start, stop = max(start - len(lives), 0), stop - len(lives)
    if start < stop:
        yield from _others(viewer_id, start=start, stop=stop)


def followed(viewer_id: int, page: Page) -> Lives:
    """Whom the viewer follows: on air, the best first; replays, the newest first. At most `FEED_DEPTH` of each."""
    page = page.within(settings.FEED_DEPTH)
    replays = _these_replays(_replays_of_followed(viewer_id, page), viewer_id)
    return Lives(_followed(viewer_id, start=page.start, stop=page.stop), replays)


# `_replays` asked of each followed person apart: the newest of each, and of these the newest.
_OF_FOLLOWED = """
SELECT replay.id FROM users_follow
CROSS JOIN LATERAL (
    SELECT id, ended_at FROM live_live
    WHERE owner_id = followee_id AND status = 2 AND NOT (lookback_addr = '') AND visible
    ORDER BY ended_at DESC, id DESC LIMIT %(stop)s
) AS replay
WHERE follower_id = %(viewer)s
  AND (SELECT is_active AND deletion_due_at IS NULL FROM users_user WHERE users_user.id = followee_id)
ORDER BY replay.ended_at DESC, replay.id DESC LIMIT %(size)s OFFSET %(start)s
"""


def _replays_of_followed(viewer_id: int, page: Page) -> list[int]:
    given = {"viewer": viewer_id, "size": page.stop - page.start, "start": page.start, "stop": page.stop}
    with connection.cursor() as cursor:
        cursor.execute(_OF_FOLLOWED, given)
        return [live_id for (live_id,) in cursor.fetchall()]


@Compiled
def _these_replays(live_ids: Given, viewer_id: Given) -> QuerySet[Live]:
    return _recorded(viewer_id).filter(pk__any_of=live_ids)


@Compiled
def _of_person(owner_id: Given, viewer_id: Given) -> QuerySet[Live]:
    begun = Live.objects.listed_for(viewer_id).filter(owner_id=owner_id, started_at__isnull=False)
    heard = begun.filter(Q(status=Live.Status.PLAYING) | ~Q(lookback_addr=""))
    return heard.with_recommended().select_related("owner").order_by("-created_at", "-pk")


def of_person(owner: User, viewer_id: int, page: Page) -> list[Live]:
    """The newest first, and one more than the page if there are more: what one can listen to (D30), since the 1.1 app
    opens each as a replay, one's own too. Hidden ones are in the owner's own list only."""
    return _of_person(owner.pk, viewer_id, start=page.start, stop=page.stop + 1)
