"""What one person or one room is told, as a hub hears it: in order, each message once, in bursts."""

import asyncio
import time
from dataclasses import dataclass, field

from heihei_site.realtime import doorkeeper, metrics
from heihei_site.realtime.frames import Frame, frames
from heihei_site.realtime.outlet import Outlet
from heihei_site.realtime.storage import Key, as_number, numbered

STATE_SECONDS = 0.5  # between two state messages of the same name
EARLY_MESSAGES = 1000  # kept for their turn; past that the rows are read


@dataclass(frozen=True, slots=True)
class Told:
    """One message on its way out. `at` is when it was published, by the publisher's clock."""

    element: bytes
    needs: int = 0
    at: float = 0.0


@dataclass
class State:
    """The last value of one state message, and the newer one that waits for its turn."""

    version: int = -1
    sent_at: float = -STATE_SECONDS
    waiting: Told | None = None


@dataclass(eq=False)
class Feed:
    """`position` is the number of the last message handed to the outlets."""

    key: Key
    position: int
    outlets: set[Outlet] = field(default_factory=set)
    guests: set[Outlet] = field(default_factory=set)  # they get what is shown to everybody
    reserved: int = 0  # outlets that are being brought to `position`
    early: dict[int, Told] = field(default_factory=dict)
    filling: asyncio.Lock = field(default_factory=asyncio.Lock)
    waits_for_gap: bool = False
    states: dict[str, State] = field(default_factory=dict)
    _burst: list[Told] = field(default_factory=list)

    @property
    def is_idle(self) -> bool:
        return not self.outlets and not self.guests and not self.reserved

    @property
    def has_burst(self) -> bool:
        return bool(self._burst)

    def tell(self, seq: int, told: Told) -> None:
        """In its turn, or kept until the ones before it are here; once only."""
        if seq <= self.position:
            return
        if seq > self.position + 1:
            if len(self.early) < EARLY_MESSAGES:
                self.early[seq] = told
            return
        self._take(seq, told)
        self._take_following()

    def skip_to(self, position: int) -> None:
        """What lies between is not kept any more."""
        self.position = max(self.position, position)
        self.early = {seq: told for seq, told in self.early.items() if seq > self.position}
        self._take_following()

    def _take_following(self) -> None:
        while self.early and (following := self.early.pop(self.position + 1, None)):
            self._take(self.position + 1, following)

    def _take(self, seq: int, told: Told) -> None:
        self.position = seq
        self._burst.append(Told(numbered(self.key, seq, told.element), told.needs, told.at))

    def tell_state(self, name: str, version: int, told: Told, loop: asyncio.AbstractEventLoop) -> None:
        """The first at once, then the latest at most every STATE_SECONDS; no older version after a newer."""
        state = self.states.setdefault(name, State())
        if version < state.version:
            return
        state.version = version
        due = state.sent_at + STATE_SECONDS
        if state.waiting is not None:
            state.waiting = told
        elif due > loop.time():
            state.waiting = told
            loop.call_at(due, self._tell_latest, state, loop)
        else:
            state.sent_at = loop.time()
            self._burst.append(told)

    def _tell_latest(self, state: State, loop: asyncio.AbstractEventLoop) -> None:
        if state.waiting is not None:
            self._burst.append(state.waiting)
            self.flush()
        state.waiting, state.sent_at = None, loop.time()

    def flush(self) -> None:
        """Everything that came since the last time: one frame, built once, one write a socket."""
        if not self._burst:
            return
        burst, self._burst = self._burst, []
        if any(told.needs for told in burst):
            self._flush_by_generation(burst)
        else:
            built = list(frames(told.element for told in burst))
            for outlet in self.outlets:
                outlet.put(built)
        if self.guests:
            self._flush_to_guests(burst)
        metrics.delivered(burst, len(self.outlets) + len(self.guests), time.time())

    def _flush_to_guests(self, burst: list[Told]) -> None:
        built = list(frames(public for told in burst if (public := doorkeeper.shown(told.element)) is not None))
        for outlet in self.guests:
            outlet.put(built)

    def _flush_by_generation(self, burst: list[Told]) -> None:
        built: dict[tuple[int, int], list[Frame]] = {}
        for outlet in self.outlets:
            generation = outlet.connection.generation
            if generation not in built:
                number = as_number(generation)
                built[generation] = list(frames(told.element for told in burst if told.needs <= number))
            outlet.put(built[generation])
