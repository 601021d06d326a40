"""Fills the hours and days that the dashboard shows. Jobs call it; run twice, or two at a time, the second changes
nothing that the first has settled."""

import time
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.db import DatabaseError, connection, transaction

from heihei_site.console import board
from heihei_site.console.figure_models import HOURS_KEPT, Hour
from heihei_site.console.figures import Figure

SHANGHAI = ZoneInfo("Asia/Shanghai")  # where days end, whatever the server's own zone is
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATE = timedelta(minutes=2)  # after an hour's end, what was under way when it ended has been committed
LATE_OF_DAY = timedelta(minutes=15)  # longer than between two counts of days
MISSED_A_RUN = 400  # hours made good at once, the newest first
TURN_SECONDS = 20.0  # after which a run makes good no more of them; the next goes on
PATIENCE = 10_000  # milliseconds for one count
HOURS_SUMMED = HOURS_KEPT - 2 * DAY  # of days all of whose hours are still there

log = structlog.get_logger(__name__)

# A count that took long does not undo what a later one has found meanwhile.
_KEEP_HOUR = """
INSERT INTO console_hour (figure, hour, value, settled) VALUES (%s, %s, %s, %s)
ON CONFLICT (figure, hour) DO UPDATE
SET value = GREATEST(excluded.value, CASE WHEN excluded.settled THEN 0 ELSE console_hour.value END),
    settled = excluded.settled, counted_at = now()
WHERE NOT console_hour.settled
"""
_KEEP_DAY = """
INSERT INTO console_day (figure, day, value) VALUES (%s, %s, %s)
ON CONFLICT (figure, day) DO UPDATE SET value = GREATEST(excluded.value, console_day.value)
"""
_SUM_DAYS = """
INSERT INTO console_day (figure, day, value)
SELECT figure, (hour AT TIME ZONE 'Asia/Shanghai')::date AS day, sum(value)
FROM console_hour WHERE figure = ANY(%s) AND hour >= %s GROUP BY figure, day ORDER BY figure, day
ON CONFLICT (figure, day) DO UPDATE SET value = excluded.value WHERE console_day.value <> excluded.value
"""
_MISSED = """
SELECT figure, hour FROM unnest(%s::text[]) AS figure, generate_series(%s, %s, interval '1 hour') AS hour
WHERE NOT EXISTS (
    SELECT FROM console_hour AS kept WHERE kept.figure = figure.figure AND kept.hour = hour.hour AND kept.settled
)
ORDER BY hour DESC, figure LIMIT %s
"""


def count(now: datetime) -> int:
    """The running hour of every figure, hours that were missed, and the days they add up to. Returns how many missed
    ones it looked at."""
    end = time.monotonic() + TURN_SECONDS
    for figure in board.figures():
        for hour in {hour_of(now - LATE), hour_of(now)}:
            _count_hour(figure, hour, settled=False)
    lasting = {figure.name: figure for figure in board.figures() if figure.lasting}
    looked_at = 0
    for name, hour in _missed(lasting, now):
        if time.monotonic() > end:
            break
        _count_hour(lasting[name], hour, settled=True)
        looked_at += 1
    _sum_days(lasting, now)
    return looked_at


def count_days(now: datetime) -> None:
    """The running day of what does not add up, and for a moment the one before."""
    for figure in board.figures():
        if not figure.lasting:
            for day in {day_of(now - LATE_OF_DAY), day_of(now)}:
                _count_day(figure, day)


def forget(now: datetime) -> int:
    """Hours past their time; returns how many."""
    return Hour.objects.filter(hour__lt=now - HOURS_KEPT).delete()[0]


def hour_of(moment: datetime) -> datetime:
    """When the hour began that the moment is in."""
    return moment.astimezone(SHANGHAI).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """With which the day began."""
    return datetime.combine(day, datetime.min.time(), SHANGHAI)


def _missed(names: Iterable[str], now: datetime) -> list[tuple[str, datetime]]:
    newest = hour_of(now - LATE) - HOUR
    oldest = midnight(day_of(now - HOURS_SUMMED))
    with connection.cursor() as cursor:
        cursor.execute(_MISSED, [list(names), oldest, newest, MISSED_A_RUN])
        missed: list[tuple[str, datetime]] = cursor.fetchall()
        return missed


def _count_hour(figure: Figure, hour: datetime, *, settled: bool) -> None:
    if (value := _counted(figure, hour, hour + HOUR)) is not None:
        _write(_KEEP_HOUR, figure.name, hour, value, settled)


def _count_day(figure: Figure, day: date) -> None:
    if (value := _counted(figure, midnight(day), midnight(day + DAY))) is not None:
        _write(_KEEP_DAY, figure.name, day, value)


def _sum_days(names: Iterable[str], now: datetime) -> None:
    _write(_SUM_DAYS, list(names), midnight(day_of(now - HOURS_SUMMED)))


def _counted(figure: Figure, since: datetime, until: datetime) -> int | None:
    """None where the database did not say in time: the next run asks again, and the other figures do not wait."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE)])
            return figure.count(since, until)
    except DatabaseError as error:
        log.warning("figure_not_counted", figure=figure.name, since=since.isoformat(), reason=type(error).__name__)
        return None


def _write(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
