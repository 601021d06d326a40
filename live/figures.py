"""What operators see of lives in numbers (heihei_site/console)."""

from datetime import datetime

from heihei_site.console.cards import Card, Reading, Section, plainly
from heihei_site.console.figures import Figure, Unit
from live.models import Live


def opened(since: datetime, until: datetime) -> int:
    """Lives that went on air."""
    return Live.objects.filter(started_at__gte=since, started_at__lt=until).count()


def on_air() -> Reading:
    return plainly(Live.objects.on_air().count())


FIGURES = (Figure("live.opened", 20, "开播", Unit.ROOMS, "live.view_live", opened),)
CARDS = (
    Card("lives", 20, Section.NOW, "正在直播", "graphic_eq", "live.view_live", on_air,
         "admin:live_live_changelist", "?status__exact=1"),
)  # fmt: skip
