"""The banners of the home page: which are shown now, in order."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.conf import settings
from django.db.models import DateTimeField, ExpressionWrapper, Q
from django.db.models.functions import Now

from heihei_site.postgres.kept import kept_for
from heihei_site.system.models import Banner
from payment.selectors import address_of


class BannerCard(TypedDict):
    desc: str
    cover: str
    type: int
    link: str


class Banners(TypedDict):
    """`banners` is always there, if empty: the home page of the 1.1 app crashes without (B11)."""

    expire_time: int
    banners: list[BannerCard]


@dataclass(frozen=True)
class Showing:
    """What is shown, and for how many more seconds nothing changes by itself."""

    banners: list[Banner]
    seconds: float


def _seconds(found: Showing) -> float:
    return found.seconds


@kept_for(_seconds)
def showing() -> Showing:
    """Starts and ends pass by the database's clock."""
    clock = ExpressionWrapper(Now(), output_field=DateTimeField())
    known = Banner.objects.filter(Q(ends_at=None) | Q(ends_at__gt=Now()), active=True).annotate(clock=clock)
    shown: list[Banner] = []
    edges: list[float] = []
    for banner in known:
        now: datetime = banner.clock
        begun = banner.starts_at is None or banner.starts_at <= now
        shown += [banner] if begun else []
        edge = banner.ends_at if begun else banner.starts_at
        edges += [(edge - now).total_seconds()] if edge else []
    return Showing(shown, min(edges, default=math.inf))


def for_home_page(base_url: str) -> Banners:
    """With the time after which a phone should ask again: when the next one starts or ends, a day at most."""
    now = showing()
    return {
        "expire_time": max(1, math.ceil(min(settings.BANNER_SECONDS, now.seconds))),
        "banners": [
            {
                "desc": banner.desc,
                "cover": address_of(banner.cover, base_url),
                "type": banner.type,
                "link": banner.link,
            }
            for banner in now.banners
        ],
    }
