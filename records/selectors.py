"""Reads about records."""

from django.conf import settings
from django.db.models import Q, QuerySet

from heihei_site.postgres.compiled import Compiled, Given
from records.models import Record
from users.models import User
from users.selectors import here, not_blocked

LAST = 2**62  # no score is as high


@Compiled
def _published(below: Given, viewer: Given) -> QuerySet[Record]:
    records = Record.objects.filter(here("user__"), not_blocked(viewer, "user"), status=Record.Status.PUBLISHED)
    return records.filter(score__lt=below).select_related("user").order_by("-score")


@Compiled
def _newest_of(user: Given) -> QuerySet[Record]:
    return Record.objects.filter(user_id=user, status__in=Record.THERE).select_related("user").order_by("-pk")


@Compiled
def _one(record: Given, viewer: Given) -> QuerySet[Record]:
    own = Q(user_id=viewer, status__in=Record.THERE)
    others = Q(here("user__"), not_blocked(viewer, "user"), status=Record.Status.PUBLISHED)
    return Record.objects.filter(own | others, pk=record).select_related("user")


def published(viewer: User, *, below: int) -> list[Record]:
    """A page, the newest first; 0: from the newest on."""
    return _published(below or LAST, viewer.pk, start=0, stop=settings.RECORDS_PAGE)


def newest_of(user: User) -> Record | None:
    return next(iter(_newest_of(user.pk, start=0, stop=1)), None)


def find(record_id: int, viewer: User) -> Record | None:
    """Their own, also before operators have heard it; of others what they have published."""
    return next(iter(_one(record_id, viewer.pk)), None)
