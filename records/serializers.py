"""What phones are told about records (api.md 刷新录音, 听录音)."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from django.utils import timezone

from heihei_site.api.wire import clock, time_tip
from records.files import address_of
from records.models import Record
from users import activity
from users.models import User
from users.selectors import followed_by

ON_AIR, IN_CALL = 1, 2  # `status.type` here
DOING = {activity.BROADCASTING: ON_AIR, activity.IN_CALL: IN_CALL}


class Doing(TypedDict):
    """Missing for who can be called. `jump` leads to a live."""

    type: int
    jump: NotRequired[str]


class Recorder(TypedDict):
    id: int
    display_name: str
    hei_num: int
    cover_url: str
    region: str
    gender: str
    birth_day: str
    level: int
    is_followed: NotRequired[bool]
    status: NotRequired[Doing]


class RecordCard(TypedDict):
    """`status` 0: operators have not heard it yet, and only its owner may. `score` is its place among the others."""

    record_id: int
    user_id: int
    record_path: str
    record_length: int
    status: int
    create_time: str
    score: int
    time_tip: str
    user_info: Recorder


class Refreshed(TypedDict, total=False):
    mine: RecordCard
    records: list[RecordCard]


class RefreshAnswer(TypedDict):
    data: Refreshed


class RecordAnswer(TypedDict):
    record: RecordCard


class Uploaded(TypedDict):
    record_id: int


def own_card(record: Record) -> RecordCard:
    return _card(record, _recorder(record.user))


def cards(records: Sequence[Record], viewer: User) -> list[RecordCard]:
    """With whom the viewer follows, and what everybody is doing: two queries and those of `activity`, however many."""
    people = [record.user_id for record in records]
    followed, doing = followed_by(viewer.pk, people), activity.of(people) if people else {}
    found = []
    for record in records:
        recorder = _recorder(record.user)
        recorder["is_followed"] = record.user_id in followed
        if now := doing.get(record.user_id):
            recorder["status"] = {"type": DOING[now.kind]}
            if now.jump:
                recorder["status"]["jump"] = now.jump
        found.append(_card(record, recorder))
    return found


def _card(record: Record, recorder: Recorder) -> RecordCard:
    return {
        "record_id": record.pk,
        "user_id": record.user_id,
        "record_path": address_of(record.file),
        "record_length": record.length,
        "status": record.status,
        "create_time": clock(record.created_at),
        "score": record.score or 0,
        "time_tip": time_tip(record.created_at, timezone.now()),
        "user_info": recorder,
    }


def _recorder(user: User) -> Recorder:
    return {
        "id": user.pk,
        "display_name": user.display_name,
        "hei_num": user.hei_num,
        "cover_url": user.cover_url,
        "region": user.region,
        "gender": user.gender,
        "birth_day": user.birth_day,
        "level": user.level,
    }
