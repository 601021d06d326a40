"""The first page of the console: what happens now, today's figures, and how they went. It reads what jobs have counted
(`counting.py`) and what apps keep open, never a table that grows; who may not see a list does not see its numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar

import redis
import structlog
from django.db.models import Max
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from heihei_site.console import board
from heihei_site.console.cards import UNKNOWN, Card, Reading, Section, Tone
from heihei_site.console.charts import Chart, drawn
from heihei_site.console.counting import DAY, HOUR, SHANGHAI, day_of, hour_of
from heihei_site.console.figure_models import Day, Hour
from heihei_site.console.figures import Figure

REFRESH_SECONDS = 15
STALE = timedelta(minutes=5)  # after which the page says that nothing has been counted since
HOURS, DAYS = 24, 30  # of a chart
SPANS = {"hours": "24 小时", "days": "30 天"}

Moment = TypeVar("Moment", date, datetime)
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Tile:
    """A figure today, and the whole of yesterday."""

    figure: Figure
    today: str
    yesterday: str


@dataclass(frozen=True)
class Series(Generic[Moment]):
    """What is known of figures at some moments, the newest last; what is not there is unknown."""

    moments: Sequence[Moment]
    known: dict[tuple[str, Moment], int]

    def of(self, figure: Figure) -> list[int | None]:
        return [self.known.get((figure.name, moment)) for moment in self.moments]


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page has besides the console's own; `UNFOLD["DASHBOARD_CALLBACK"]`."""
    return {**context, **_content(request), "title": "总览"}


def fragment(request: HttpRequest) -> TemplateResponse:
    """The same, for the page that is open already and looks again. Behind `admin_view`: staff alone."""
    return TemplateResponse(request, "console/dashboard_body.html", _content(request))


def _content(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    span = wanted if (wanted := request.GET.get("span")) in SPANS else "hours"
    figures = [figure for figure in board.figures() if _may_see(request, figure.permission)]
    cards = [card for card in board.cards() if _may_see(request, card.permission)]
    days = _days(figures, day_of(now))
    counted_at = _counted_at(now)
    return {
        "sections": list(_sections(cards)),
        "tiles": [_tile(figure, days) for figure in figures],
        "charts": _charts([figure for figure in figures if figure.charted], days, span, now),
        "spans": SPANS,
        "span": span,
        "counted_at": counted_at,
        "stale": counted_at is None or now - counted_at > STALE,
        "refresh_seconds": REFRESH_SECONDS,
    }


def _may_see(request: HttpRequest, permission: str) -> bool:
    return not permission or request.user.has_perm(permission)


def _sections(cards: list[Card]) -> Iterator[tuple[str, list[tuple[Card, Reading]]]]:
    for section in Section:
        if found := [(card, _read(card)) for card in cards if card.section is section]:
            yield section.value, found


def _read(card: Card) -> Reading:
    """Without Redis the others are shown all the same."""
    try:
        return card.read()
    except redis.RedisError as error:
        log.warning("card_unknown", card=card.name, reason=type(error).__name__)
        return Reading(UNKNOWN, "Redis 没有应答", Tone.LATE)


def _tile(figure: Figure, days: Series[date]) -> Tile:
    today, yesterday = (UNKNOWN if value is None else figure.unit.shown(value) for value in days.of(figure)[:-3:-1])
    return Tile(figure, today, yesterday)


def _charts(figures: list[Figure], days: Series[date], span: str, now: datetime) -> list[Chart]:
    if span == "days":
        labels = [f"{day.month}-{day.day}" for day in days.moments]
        return [drawn(figure, labels, days.of(figure), across="日期") for figure in figures]
    hours = _hours(figures, hour_of(now))
    labels = [f"{hour:%H:%M}" for hour in hours.moments]
    return [drawn(figure, labels, hours.of(figure), across="北京时间") for figure in figures]


def _days(figures: list[Figure], today: date) -> Series[date]:
    days = [today - many * DAY for many in reversed(range(DAYS))]
    rows = Day.objects.filter(figure__in=[figure.name for figure in figures], day__gte=days[0])
    return Series(days, {(name, day): value for name, day, value in rows.values_list("figure", "day", "value")})


def _hours(figures: list[Figure], running: datetime) -> Series[datetime]:
    hours = [running - many * HOUR for many in reversed(range(HOURS))]
    rows = Hour.objects.filter(figure__in=[figure.name for figure in figures], hour__gte=hours[0])
    return Series(hours, {(name, hour): value for name, hour, value in rows.values_list("figure", "hour", "value")})


def _counted_at(now: datetime) -> datetime | None:
    """When figures were counted last, if that was this hour's or the last one's."""
    recent = Hour.objects.filter(figure__in=[figure.name for figure in board.figures()], hour__gte=hour_of(now) - HOUR)
    newest: datetime | None = recent.aggregate(newest=Max("counted_at"))["newest"]
    return newest and newest.astimezone(SHANGHAI)
