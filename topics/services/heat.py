"""How warm a subject or a topic is, in a number that changes only when something happens
(docs/adr/0017-counting-and-heat.md).

What warms counts half after HEAT_HALF_LIFE. All cool alike, so what is warmer than another now is so for ever: it is
enough to keep how warm each would have been at EPOCH, as a logarithm. New warmth is added to it, and an index of it is
the order of the list.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from math import log2

from django.conf import settings

EPOCH = datetime(2017, 1, 1, tzinfo=UTC)
COLD = -1e9  # nothing has warmed it yet
_LEAST = 2.0**-40  # of what there was: taking back more than that is an error of rounding

Warmth = tuple[float, datetime]  # how much, and as of when; negative where it is taken back


def warmed(heat: float, by: Iterable[Warmth]) -> float:
    """The heat after these, in whatever order and portions they come."""
    terms = [(_half_lives(moment), weight) for weight, moment in by if weight]
    if not terms:
        return heat
    if heat > COLD:
        terms.append((heat, 1.0))
    latest = max(at for at, _ in terms)
    total = sum(weight * 2.0 ** max(at - latest, -1000.0) for at, weight in terms)
    return latest + log2(max(total, _LEAST))


def fresh(weight: float, moment: datetime) -> float:
    return warmed(COLD, [(weight, moment)])


def _half_lives(moment: datetime) -> float:
    return (moment - EPOCH) / settings.HEAT_HALF_LIFE
