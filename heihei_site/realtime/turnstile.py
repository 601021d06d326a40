"""How often one token may connect. Asked before the database is: a client that connects in a loop costs little."""

import time
from dataclasses import dataclass

AT_ONCE = 20
A_SECOND = 1.0
REMEMBERED = 10_000  # tokens; past it those that have not come for long are forgotten


@dataclass(slots=True)
class _Entrance:
    left: float
    counted_at: float


class Turnstile:
    """Of one process. A token that was never seen may connect AT_ONCE times in a burst."""

    def __init__(self) -> None:
        self._entrances: dict[int, _Entrance] = {}

    def admits(self, token: str) -> bool:
        """Counts this time; False where the token has to wait."""
        now = time.monotonic()
        entrance = self._entrances.setdefault(hash(token), _Entrance(AT_ONCE, now))
        entrance.left = min(AT_ONCE, entrance.left + (now - entrance.counted_at) * A_SECOND)
        entrance.counted_at = now
        if len(self._entrances) > REMEMBERED:
            self._forget(now)
        if entrance.left < 1:
            return False
        entrance.left -= 1
        return True

    def _forget(self, now: float) -> None:
        refilled = now - AT_ONCE / A_SECOND
        self._entrances = {token: seen for token, seen in self._entrances.items() if seen.counted_at > refilled}
