"""A report as operators read it: what there was to see at that moment (`services/reports.py`), in the order in which it
was said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from heihei_site.uploads.listening import heard_at
from users import activity
from users.activity import Scene
from users.models import Ban, Report, User

SHOWN = 20  # reports, and bans, of one person


@dataclass(frozen=True)
class Line:
    """One thing that was said: words, or the address of what it was said with."""

    at: datetime
    text: str = ""
    sound: str = ""
    picture: str = ""
    film: str = ""


@dataclass(frozen=True)
class Case:
    report: Report
    card: list[tuple[str, str]]
    cover: str
    room: list[Line]
    messages: list[Line]
    scene: Scene | None
    second: int

    @property
    def position(self) -> str:
        """Within the live, as players show it."""
        minutes, seconds = divmod(self.second, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"

    @property
    def is_empty(self) -> bool:
        """Where the evidence was forgotten with who it was about."""
        return not self.report.evidence


def cases(reports: Iterable[Report]) -> list[Case]:
    """One query for each live that is named in them."""
    scenes: dict[int, Scene | None] = {0: None}
    found = []
    for report in reports:
        live_id = int(report.evidence.get("liveId") or 0)
        if live_id not in scenes:
            scenes[live_id] = activity.scene_of(live_id)
        found.append(_case(report, scenes[live_id]))
    return found


def open_against(target: User) -> list[Case]:
    """The last ones first."""
    reports = Report.objects.filter(target=target, handled=False).select_related("reporter").order_by("-pk")
    return cases(reports[:SHOWN])


def others(report: Report) -> list[Report]:
    """What else people said about the same person, the last first."""
    about = Report.objects.filter(target=report.target_id).exclude(pk=report.pk)
    return list(about.select_related("reporter").order_by("-pk")[:SHOWN])


def bans_of(person: User) -> list[Ban]:
    """The last first."""
    return list(Ban.objects.filter(user=person.pk).select_related("by", "lifted_by").order_by("-pk")[:SHOWN])


def _case(report: Report, scene: Scene | None) -> Case:
    kept = report.evidence
    gender = dict(User.Gender.choices).get(kept.get("gender", ""), "")
    card = [
        ("昵称", kept.get("displayName", "")),
        ("签名", kept.get("description", "")),
        ("性别", gender),
        ("生日", kept.get("birthDay", "")),
    ]
    return Case(
        report=report,
        card=[(name, str(value)) for name, value in card if value],
        cover=_address(kept.get("coverUrl")),
        room=_lines(kept.get("roomTexts", [])),
        messages=_lines(kept.get("messages", [])),
        scene=scene,
        second=int(kept.get("second") or 0),
    )


def _lines(kept: list[dict[str, Any]]) -> list[Line]:
    """They are kept the newest first."""
    return [_line(each) for each in reversed(kept)]


def _line(kept: dict[str, Any]) -> Line:
    at, said = datetime.fromtimestamp(kept["at"], UTC), kept["said"]
    if not isinstance(said, dict):
        return Line(at, text=str(said))
    return Line(
        at,
        text=str(said.get("text", "")),
        sound=heard_at(_address(said.get("audio"))),
        picture=_address(said.get("img")),
        film=_address(said.get("video")),
    )


def _address(said: Any) -> str:
    """Nothing that a browser would run."""
    text = str(said or "")
    return text if text.startswith(("https://", "http://", "/")) else ""
