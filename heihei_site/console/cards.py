"""What the dashboard says of this very moment. Apps declare cards to `board.py`; each is asked whenever a page shows
it, so what it reads is small: rows that are open, by an index that holds no others, or a few numbers in Redis."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, Min, QuerySet
from django.db.models.functions import Now
from django.urls import reverse

UNKNOWN = "—"


class Section(Enum):
    NOW = "此刻"
    QUEUES = "待办"
    MACHINES = "系统"


class Tone(Enum):
    CALM = "calm"
    WAITING = "waiting"  # somebody has something to do
    LATE = "late"  # and should have done it


@dataclass(frozen=True)
class Reading:
    value: str
    note: str = ""
    tone: Tone = Tone.CALM


@dataclass(frozen=True)
class Card:
    """`page` and `query` lead to the list behind it, as `reverse` and a browser spell them; none for what has none."""

    name: str
    place: int  # the lowest first
    section: Section
    label: str
    icon: str  # of Material Symbols
    permission: str  # to see it; "" for everyone of the staff
    read: Callable[[], Reading]
    page: str = ""
    query: str = ""

    @property
    def address(self) -> str:
        return f"{reverse(self.page)}{self.query}" if self.page else ""


def plainly(many: int, note: str = "") -> Reading:
    return Reading(f"{many:,}", note)


def waiting(rows: QuerySet[Any], *, since: str, late_after: timedelta) -> Reading:
    """How many rows wait, and for how long the oldest has, by the time in its column `since`."""
    oldest = ExpressionWrapper(Now() - Min(since), output_field=DurationField())
    found = rows.aggregate(many=Count("pk"), oldest=oldest)
    if not found["many"]:
        return Reading("0", "没有积压")
    tone = Tone.LATE if found["oldest"] > late_after else Tone.WAITING
    return Reading(f"{found['many']:,}", f"最早的已等 {lasted(found['oldest'])}", tone)


def lasted(span: timedelta) -> str:
    """`40 秒`, `3 分钟`, `5 小时`, `2 天`: in the largest unit that fits, rounded down."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86400, "天"), (3600, "小时"), (60, "分钟")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} 秒"
