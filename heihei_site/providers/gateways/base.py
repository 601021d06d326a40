"""What we want of who takes people's money: Alipay and WeChat Pay here, the App Store in `apple.py`."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Protocol

CURRENCY = "CNY"


class Forged(Exception):
    """What came is not from the gateway, or not for us. Says why in a word or two, never with what was sent."""


class GatewayFault(Exception):
    """The gateway did not answer, or not with anything we can use; nobody knows what it did."""


class RefundRefused(Exception):
    """The gateway will not pay this back, now or later. Says why in its own word."""


class TradeState(enum.StrEnum):
    WAITING = "waiting"  # unknown to the gateway included: a phone may still pay
    PAID = "paid"
    FAILED = "failed"
    CLOSED = "closed"
    REFUNDED = "refunded"  # in whole
    REVERSED = "reversed"  # the store has taken its refund back


@dataclass(frozen=True)
class Due:
    """What somebody is to pay. `notify_url` is where the gateway tells us that they did."""

    order: str
    fen: int
    title: str
    expires_at: datetime
    notify_url: str


@dataclass(frozen=True)
class Trade:
    """What the gateway says of one payment, its signature, app and seller verified. Whether it is what the order of
    that number asks for is not looked at here."""

    order: str
    state: TradeState
    fen: int
    gateway_number: str = ""
    currency: str = CURRENCY
    refunded_fen: int = 0
    paid_at: datetime | None = None


@dataclass(frozen=True)
class Notice:
    """An HTTP request as it came in; header names in lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class BillLine:
    """A payment, or with negative `fen` a refund, in the gateway's own book of one day."""

    order: str
    gateway_number: str
    fen: int


class Gateway(Protocol):
    development_only: ClassVar[bool]

    def begin(self, due: Due) -> Any:
        """What the phone's SDK takes to pay: Alipay's signed order string, WeChat's object. May raise GatewayFault."""
        ...

    def read(self, notice: Notice) -> Trade:
        """A notification, verified. Forged otherwise."""
        ...

    def query(self, order: str) -> Trade:
        """How the payment stands, asked of the gateway; GatewayFault where it does not say."""
        ...

    def close(self, order: str) -> None:
        """Nobody can pay it any more; who has already, has (ask again). GatewayFault where it does not say."""
        ...

    def refund(self, *, order: str, refund: str, fen: int, of: int) -> bool:
        """Pay back `fen` of `of` under our number `refund`, once however often it is asked. False: not yet.

        RefundRefused where it never will be, GatewayFault where nobody knows.
        """
        ...

    def bill(self, day: date) -> list[BillLine]:
        """The gateway's book of a day in Shanghai that is over; GatewayFault where it is not to be had (yet)."""
        ...
