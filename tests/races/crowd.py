"""Many phones at once: real threads through the front door, each with its own connection to PostgreSQL."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections

from tests.conftest import Api

AT_ONCE = 16


def same_phone(phone: Api) -> Api:
    """The same sign-in on another connection."""
    other = Api(**phone.headers)
    other.token = phone.token
    return other


def at_once(deeds: Iterable[Callable[[], Any]], *, together: int = AT_ONCE) -> list[Any]:
    """What each deed answered. `together` of them are let go at the same moment, the others follow as threads get free.

    What a deed raises, this raises: nothing that happens behind the front door may get that far.
    """
    waiting = list(deeds)
    gate = Barrier(min(together, len(waiting)))

    def run(number: int) -> Any:
        try:
            if number < gate.parties:
                gate.wait(timeout=30)
            return waiting[number]()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(gate.parties) as threads:
        return list(threads.map(run, range(len(waiting))))


def codes(answers: Iterable[dict[str, Any]]) -> Counter[int]:
    return Counter(answer["errorcode"] for answer in answers)
