"""Levels from experience (D26): straight lines through thresholds that agree with the documented samples."""

from bisect import bisect_right
from itertools import pairwise

# (level, experience at which it begins)
_MILESTONES = (
    (1, 0),
    (5, 2_000),
    (30, 490_000),
    (38, 800_000),
    (54, 1_620_000),
    (57, 1_750_000),
    (78, 6_100_000),
    (100, 15_000_000),
)


def _thresholds() -> list[int]:
    begins = [0]
    for (low, at), (high, then) in pairwise(_MILESTONES):
        begins += [at + (then - at) * step // (high - low) for step in range(1, high - low + 1)]
    return begins


THRESHOLDS = _thresholds()


def level(experience: int) -> int:
    """1 … 100."""
    return max(1, bisect_right(THRESHOLDS, experience))
