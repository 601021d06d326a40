"""Proof that the money is sound (I3, I4, D35): one aggregate statement a promise, each of one moment.

A promise is a sentence and the SQL that finds what breaks it, one text column a finding; those about one subject stand
in a module of `payment/promises/` and are listed here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from payment.promises import credits, ledger, orders, withdrawals

SHOWN_PER_PROMISE = 20


@dataclass(frozen=True)
class Breach:
    promise: str
    detail: str


PROMISES = {
    **ledger.PROMISES,
    **withdrawals.PROMISES,
    **orders.PROMISES,
    **credits.PROMISES,
}


def breaches() -> Iterator[Breach]:
    """What is wrong, at most SHOWN_PER_PROMISE findings for each promise; nothing when the ledger is sound."""
    for promise, query in PROMISES.items():
        with connection.cursor() as cursor:
            cursor.execute(f"{query} LIMIT {SHOWN_PER_PROMISE}")
            found = [detail for (detail,) in cursor.fetchall()]
        yield from (Breach(promise, detail) for detail in found)
