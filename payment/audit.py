"""What the promises of the money say, for monitors and operators (`payment/reconciliation.py`)."""

from collections import Counter
from typing import TypedDict

from django.core.cache import cache

from payment.reconciliation import PROMISES, breaches

FRESH = 60  # seconds for which one look at everything is good
LOOKING = 300  # seconds that one may take; meanwhile the last is shown
_LAST, _TURN = "audit", "audit-turn"


class Audit(TypedDict):
    """`broken` counts the findings of each promise that does not hold, up to twenty."""

    ok: bool
    promises: int
    broken: dict[str, int]


def look() -> Audit:
    found = Counter(breach.promise for breach in breaches())
    return {"ok": not found, "promises": len(PROMISES), "broken": dict(found)}


def last() -> Audit | None:
    """What was found last, up to LOOKING ago; None where nobody has looked since."""
    found: Audit | None = cache.get(_LAST)
    return found


def latest() -> Audit:
    """No older than a minute or so, however many ask: it reads the whole ledger."""
    known = last()
    if known is not None and not cache.add(_TURN, 1, FRESH):
        return known
    if known is None and not cache.add(_TURN, 1, LOOKING):
        return {"ok": False, "promises": len(PROMISES), "broken": {"the first look is not over yet": 1}}
    now = look()
    cache.set(_LAST, now, LOOKING)
    cache.set(_TURN, 1, FRESH)
    return now
