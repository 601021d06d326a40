"""Lists (D40): `offset` and `limit`, ten by default; a larger limit than the endpoint's most is cut, not refused."""

from dataclasses import dataclass

DEFAULT = 10
MOST = 50


@dataclass(frozen=True)
class Page:
    """A stretch of a list: rows[page.start:page.stop]."""

    start: int
    stop: int

    @classmethod
    def of(cls, offset: int, limit: int, *, most: int = MOST) -> "Page":
        return cls(offset, offset + min(limit or DEFAULT, most))
