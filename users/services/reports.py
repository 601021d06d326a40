"""Telling operators about somebody (D17), with what there was to see at that moment."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from django.db.models import QuerySet

from heihei_site.api.errors import InvalidParameter
from heihei_site.realtime.models import Message, StreamKind
from users import activity
from users.models import Report, User

LOOKED_AT = 300  # messages back
LINES_KEPT = 20


def report(*, user: User, target: User, kind: int) -> None:
    """One open report per reason: the same again is the same report, with the evidence of the first time."""
    if user == target:
        raise InvalidParameter
    same = Report.objects.filter(reporter=user, target=target, kind=kind, handled=False)
    if not same.exists():
        Report.objects.get_or_create(
            reporter=user, target=target, kind=kind, handled=False, defaults={"evidence": evidence(user, target)}
        )


def close(chosen: QuerySet[Report]) -> int:
    """These alone, whatever else is open; returns how many."""
    targets = list(chosen.values_list("target_id", flat=True))
    many = chosen.filter(handled=False).update(handled=True)
    forget_evidence(targets)
    return many


def handle(people: Iterable[User]) -> int:
    """Closes what is open against them; returns how many reports."""
    numbers = [person.pk for person in people]
    many = Report.objects.filter(target__in=numbers, handled=False).update(handled=True)
    forget_evidence(numbers)
    return many


def forget_evidence(people: Iterable[int]) -> None:
    """Against those who are erased: what is still open keeps it until somebody has looked at it."""
    Report.objects.filter(target__in=people, target__erased_at__isnull=False, handled=True).update(evidence={})


def evidence(reporter: User, target: User) -> dict[str, Any]:
    """Their card, the live they are in and the second of it, what they last said there, and what they last wrote to who
    reports them."""
    place = activity.place_of(target.pk)
    return {
        "displayName": target.display_name,
        "coverUrl": target.cover_url,
        "description": target.description,
        "gender": target.gender,
        "birthDay": target.birth_day,
        "liveId": place.live_id if place else 0,
        "second": place.second if place else 0,
        "roomTexts": _lines(StreamKind.ROOM, place.live_id, target, _room_text) if place else [],
        "messages": _lines(StreamKind.PERSON, reporter.pk, target, _instant_message),
    }


def _lines(
    kind: StreamKind, owner_id: int, speaker: User, read: Callable[[dict[str, Any]], Any]
) -> list[dict[str, Any]]:
    """The newest first."""
    newest = Message.objects.filter(kind=kind, owner_id=owner_id).order_by("-seq")
    elements = newest.values_list("element", flat=True)[:LOOKED_AT]
    return list(_said_by(speaker.pk, map(orjson.loads, elements), read))[:LINES_KEPT]


def _said_by(
    speaker: int, elements: Iterable[dict[str, Any]], read: Callable[[dict[str, Any]], Any]
) -> Iterable[dict[str, Any]]:
    for element in elements:
        said = read(element) if element["msg"].get("fromUserId") == speaker else None
        if said is not None:
            yield {"at": element["timeStamp"], "said": said}


def _room_text(element: dict[str, Any]) -> Any:
    return element["msg"].get("text") if element["msg"].get("msgType") in ("text", "barrage") else None


def _instant_message(element: dict[str, Any]) -> Any:
    return element["msg"].get("content") if element.get("msgType") == "IM" else None
