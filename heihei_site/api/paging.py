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

    def within(self, depth: int) -> "Page":
        """Of a list that ends after `depth` rows."""
        return Page(min(self.start, depth), min(self.stop, depth))

    def total(self, found: int, counted: int) -> int:
        """How many rows there are in all, by a counter that also counts what is not shown. `found` is one more than the
        page where there are more: the last page says the true number, so that phones which load until they have shown
        them all come to an end."""
        size = self.stop - self.start
        seen = self.start + min(found, size)
        if found > size:
            return max(counted, seen + 1)
        return seen if found else min(counted, seen)
