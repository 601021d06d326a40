"""Words for parameters about lives."""

from datetime import UTC, datetime
from typing import Annotated

from django.conf import settings
from django.db.models import QuerySet
from rest_framework import serializers

from heihei_site.api.callers import Caller
from heihei_site.api.errors import LiveInvalid
from heihei_site.api.params import IdField, Word, number_field, text_field
from heihei_site.postgres.compiled import Compiled, Given
from live.models import Live
from live.services import deadlines
from users.params import title_of


@Compiled
def _lives(number: Given) -> QuerySet[Live]:
    return Live.objects.select_related("owner").with_overdue().filter(pk=number)


def _live_or_gone(caller: Caller, live_id: int) -> Live:
    """Any live that ever was, its owner loaded: leaving one that was banned is leaving all the same (D24).

    One whose owner fell silent ends here if no sweep has been by yet (D21).
    """
    live = next(iter(_lives(live_id)), None)
    if live is None:
        raise LiveInvalid
    if live.is_open and live.overdue:
        deadlines.end_overdue_live(live.pk)
        (live,) = _lives(live_id)
    return live


def _live(caller: Caller, live_id: int) -> Live:
    live = _live_or_gone(caller, live_id)
    if live.status in Live.GONE:
        raise LiveInvalid
    return live


def _moment(caller: Caller, seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 2**33 else None


LiveParam = Annotated[Live, Word(IdField, name="liveId", find=_live, refuses=(LiveInvalid,))]
AnyLiveParam = Annotated[Live, Word(IdField, name="liveId", find=_live_or_gone, refuses=(LiveInvalid,))]
Title = Annotated[str, title_of(settings.TITLE_LENGTH)]
Message = Annotated[str, Word(text_field(settings.ROOM_TEXT_LENGTH))]
ManagerDeed = Annotated[bool, Word(number_field(0, 1), name="type", find=lambda _, deed: deed == 1)]
LiveKey = Annotated[str, Word(text_field(64, blank=True))]
LikeKind = Annotated[int, Word(number_field(1, 3), name="type")]
Direction = Annotated[int, Word(lambda **kwargs: serializers.ChoiceField([0, 1], **kwargs))]
JoinTime = Annotated[datetime | None, Word(IdField, name="lastJoinTime", find=_moment)]
GiftIds = Annotated[str, Word(text_field(1000, blank=True, pattern=r"^[0-9]{1,9}(, ?[0-9]{1,9})*,?$"))]
