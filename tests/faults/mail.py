"""Who said what to whom, and who heard it when: the book that tells whether anything was lost, doubled or turned
around (invariant I1). Times are `time.monotonic()`."""

import itertools
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PROMISE = 15.0  # seconds after which everybody has heard what was acknowledged, faults not counted


@dataclass
class Line:
    """Something that one person says to others. `key` names it, is part of its text, and is its clientMsgId."""

    author: int
    channel: str  # the person or room it is said to
    number: int
    audience: frozenset[int]  # whoever has to hear it; of two people who write, both
    said_at: float
    acknowledged_at: float | None = None

    @property
    def key(self) -> str:
        return f"{self.author}>{self.channel}#{self.number}"


KEY = re.compile(r"\d+>\w+#\d+")


@dataclass
class Book:
    lines: dict[str, Line] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    faults: list[tuple[float, float]] = field(default_factory=list)
    _heard: dict[int, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def say(self, author: int, channel: str, audience: frozenset[int]) -> Line:
        line = Line(author, channel, next(self._numbers), audience, time.monotonic())
        self.lines[line.key] = line
        return line

    def acknowledged(self, key: str) -> None:
        """The server said that it has it. The first time counts."""
        line = self.lines[key]
        line.acknowledged_at = line.acknowledged_at or time.monotonic()

    def heard(self, person: int, text: str) -> None:
        """The person's phone got this text. What is not of this book is somebody else's talk."""
        found = KEY.search(text)
        line = self.lines.get(found[0]) if found else None
        if line is None:
            return
        if person not in line.audience:
            self.complaints.append(f"{person} heard {line.key}, which was not for them")
        if line.key in self._heard[person]:
            self.complaints.append(f"{person} heard {line.key} twice")
        self._heard[person].setdefault(line.key, time.monotonic())

    def turn_the_page(self) -> None:
        """What was said so far is done with."""
        self.lines.clear()
        self._heard.clear()

    @contextmanager
    def fault(self) -> Iterator[None]:
        """While this lasts, the promise waits."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.faults.append((began, time.monotonic()))

    def heard_by(self, person: int) -> list[Line]:
        """What the person's phone got, in that order."""
        return [self.lines[key] for key in self._heard[person]]

    # --- What came of it -------------------------------------------------------------------------------------

    @property
    def given(self) -> list[Line]:
        """Those that were acknowledged."""
        return [line for line in self.lines.values() if line.acknowledged_at is not None]

    def missing(self) -> list[str]:
        return [
            f"{person} has not heard {line.key}"
            for line in self.given
            for person in sorted(line.audience)
            if line.key not in self._heard[person]
        ]

    def late(self, promise: float = PROMISE) -> list[str]:
        found = []
        for line in self.given:
            due = self._due(line, promise)
            for person in sorted(line.audience):
                at = self._heard[person].get(line.key, due)
                if at > due:
                    found.append(f"{person} heard {line.key} {at - due:.1f} s too late")
        return found

    def _due(self, line: Line, promise: float) -> float:
        assert line.acknowledged_at is not None
        due = line.acknowledged_at + promise
        for began, ended in sorted(self.faults):
            if began <= due:
                due = max(due, ended + promise)
        return due

    def turned_around(self) -> list[str]:
        """What one person acknowledgedly said on a channel is heard in that order. A line that was never acknowledged
        may come whenever its request is through."""
        found = []
        for person, heard in self._heard.items():
            last: dict[tuple[int, str], int] = {}
            for key in heard:
                line = self.lines[key]
                if line.acknowledged_at is None:
                    continue
                before = last.get((line.author, line.channel), 0)
                if line.number < before:
                    found.append(f"{person} heard {line.key} after number {before}")
                last[line.author, line.channel] = max(before, line.number)
        return found

    def delays(self) -> list[float]:
        """Seconds from saying to hearing, of every line at everyone, sorted."""
        return sorted(
            self._heard[person][line.key] - line.said_at
            for line in self.given
            for person in line.audience
            if line.key in self._heard[person]
        )


def percentile(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


@dataclass
class Thread:
    """The numbers of one stream as a phone follows them: each once, none left out."""

    position: int | None = None  # None: whatever comes first is the beginning

    def follow(self, number: int) -> str:
        """What is wrong with this number; "" when it is the next one."""
        before, self.position = self.position, max(number, self.position or 0)
        if before is None or number == before + 1:
            return ""
        return f"{number} came {'again' if number <= before else 'too early'} after {before}"
