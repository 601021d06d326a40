"""Money that leaves us. A transfer has a number of ours; under one number a gateway pays once, however often it is
asked."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol


class Said(Enum):
    PAID = "paid"
    REFUSED = "refused"  # for good, and for a reason that lies with the payee
    UNKNOWN = "unknown"  # paid or not: nobody says, or the gateway has not decided, or it is our own trouble
    NEVER_HEARD = "never heard"  # of this number, says the gateway


@dataclass(frozen=True)
class Result:
    """`number` is the gateway's own, `reason` its word for why not; it never says to whom."""

    said: Said
    number: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Payee:
    account: str
    name: str


class Payouts(Protocol):
    development_only: ClassVar[bool]

    def transfer(self, *, number: str, fen: int, payee: Payee) -> Result:
        """Never raises: what went wrong is UNKNOWN."""
        ...

    def query(self, number: str) -> Result:
        """What became of it. Never raises."""
        ...
