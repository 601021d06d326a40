"""The score that lives on air are listed by (docs/adr/0010-ranking.md): worked out by a job, kept on the live.

Gifts and comings pay nothing for it. What lives were given lately is counted on rows that only this job writes. A
live's own row is written when its score changes, which is when twice as many listen, or half as many: one row, one
transaction, so that a busy room keeps no other waiting.
"""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from heihei_site.console.tunables import tunables
from live.models import Live

# What is left now of the tickets that were counted last; `power` fails where nothing measurable is left.
_LEFT = """
recent.tickets * power(0.5::float8, least(extract(epoch FROM now() - recent.counted_at)::float8 / %(half_life)s, 60))
"""
# A live without a row was given all it has since it began.
_COUNT_TICKETS = f"""
INSERT INTO live_recenttickets (live_id, tickets, counted, counted_at)
SELECT live.id, live.total_tickets - coalesce(recent.counted, 0) + coalesce({_LEFT}, 0), live.total_tickets, now()
FROM live_live AS live LEFT JOIN live_recenttickets AS recent ON recent.live_id = live.id
WHERE live.status = 1 AND live.total_tickets <> coalesce(recent.counted, 0)
ORDER BY live.id
ON CONFLICT (live_id) DO UPDATE
SET tickets = excluded.tickets, counted = excluded.counted, counted_at = excluded.counted_at
"""  # noqa: S608  (a constant)
_FORGET_TICKETS = """
DELETE FROM live_recenttickets AS recent
WHERE NOT EXISTS (SELECT FROM live_live AS live WHERE live.id = recent.live_id AND live.status = 1)
"""
# Up as soon as the next step is reached, down only when a quarter is missing: who stands on a step does not hop.
_CHANGED_SCORES = f"""
WITH warm AS (
    SELECT live.id, live.score, 1 + greatest(live.occupied - 1, 0)
        + CASE WHEN live.started_at > now() - %(new_for)s THEN %(new_worth)s ELSE 0 END
        + coalesce({_LEFT}, 0) / %(tickets)s AS warmth
    FROM live_live AS live LEFT JOIN live_recenttickets AS recent ON recent.live_id = live.id
    WHERE live.status = 1
), scored AS (
    SELECT id, score AS before, warmth, floor(ln(warmth) / ln(2) + 1e-9) AS score FROM warm
)
SELECT id, score::int FROM scored
WHERE score > before OR score < before AND warmth <= 0.75 * power(2, before)
ORDER BY id
"""  # noqa: S608  (a constant)


def rank() -> int:
    """Brings the scores of all lives on air up to date. Returns how many changed; run twice, the second finds none."""
    given = {
        "half_life": tunables.TICKETS_HALF_LIFE.total_seconds(),
        "new_for": tunables.NEW_LIVE_FOR,
        "new_worth": tunables.NEW_LIVE_WORTH,
        "tickets": float(tunables.TICKETS_A_LISTENER),
    }
    _asked(_COUNT_TICKETS, given)
    _asked(_FORGET_TICKETS, given)
    scores = _asked(_CHANGED_SCORES, given)
    for live_id, score in scores:
        Live.objects.filter(pk=live_id, status=Live.Status.PLAYING).update(score=score)
    return len(scores)


def _asked(statement: str, given: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return cursor.fetchall() if cursor.description else []


def recommend(lives: list[Live], *, place: int | None, until: datetime | None) -> int:
    """Before all others in the lists: who has a place in the order of places, the others after them. Only what is not
    over; returns how many."""
    said = {"recommended": True, "recommended_place": place, "recommended_until": until}
    return sum(Live.objects.open().filter(pk=live.pk).update(**said) for live in lives)


def stop_recommending(lives: list[Live]) -> int:
    return sum(Live.objects.filter(pk=live.pk, recommended=True).update(recommended=False) for live in lives)


def end_recommendations() -> int:
    """Takes the flag from lives that were recommended until a moment that has passed; the lists heed it no longer."""
    over = Live.objects.filter(status=Live.Status.PLAYING, recommended=True, recommended_until__lte=Now())
    return sum(over.filter(pk=live_id).update(recommended=False) for live_id in over.values_list("pk", flat=True))
