"""How often one token or one address may connect. Asked before the database is: who connects in a loop costs little."""

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
    """Of one process. Who was never seen may connect `at_once` times in a burst."""

    def __init__(self, *, at_once: int = AT_ONCE, a_second: float = A_SECOND) -> None:
        self._at_once, self._a_second = at_once, a_second
        self._entrances: dict[int, _Entrance] = {}
        self._forgotten_past = REMEMBERED

    def admits(self, token: str) -> bool:
        """Counts this time; False where the token has to wait."""
        now = time.monotonic()
        entrance = self._entrances.setdefault(hash(token), _Entrance(self._at_once, now))
        entrance.left = min(self._at_once, entrance.left + (now - entrance.counted_at) * self._a_second)
        entrance.counted_at = now
        if len(self._entrances) > self._forgotten_past:
            self._forget(now)
        if entrance.left < 1:
            return False
        entrance.left -= 1
        return True

    def _forget(self, now: float) -> None:
        refilled = now - self._at_once / self._a_second
        self._entrances = {token: seen for token, seen in self._entrances.items() if seen.counted_at > refilled}
        self._forgotten_past = max(REMEMBERED, 2 * len(self._entrances))  # all may have come a moment ago
