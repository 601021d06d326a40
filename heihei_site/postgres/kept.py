"""What is read at every start of a phone and changed by operators now and then: kept in the process for a moment."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar
from weakref import WeakSet

from django.conf import settings
from django.db import transaction

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Decorates a function without parameters that reads rows: called again within KEPT_SECONDS, it asks nothing.

        @Kept
        def on_sale() -> list[Gift]: ...

    Whoever changes the rows says `on_sale.changed()`: this process forgets them after the commit, every other one
    within KEPT_SECONDS. In the process and not in Redis: the calls that need it go on without one. Nobody may change
    what they get.
    """

    everything: ClassVar["WeakSet[Kept[Any]]"] = WeakSet()

    def __init__(self, read: Callable[[], Value], *, good_for: Callable[[Value], float] | None = None) -> None:
        """`good_for` says of a result how many seconds it is right, where that may be less than KEPT_SECONDS."""
        self._read = read
        self._good_for = good_for
        self._kept: tuple[float, Value] | None = None
        self._edition = 0
        self.__doc__ = read.__doc__
        self.everything.add(self)

    def __call__(self) -> Value:
        kept, edition = self._kept, self._edition
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        asked = time.monotonic()
        value = self._read()
        seconds = settings.KEPT_SECONDS if self._good_for is None else self._good_for(value)
        if edition == self._edition:  # else it was changed while we read, and we may have read what was before
            self._kept = (asked + min(settings.KEPT_SECONDS, seconds), value)
        return value

    def changed(self) -> None:
        """After the commit of the transaction that changed the rows."""
        transaction.on_commit(self.forget)

    def forget(self) -> None:
        self._edition += 1
        self._kept = None


def kept_for(good_for: Callable[[Value], float]) -> Callable[[Callable[[], Value]], Kept[Value]]:
    """`@kept_for(seconds_of)`: as Kept, where a result says itself how long it is right."""
    return partial(Kept, good_for=good_for)
