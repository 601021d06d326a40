"""What the development gateways know: a file a payment under `$HEIHEI_VAR/gateways/`, and a line a question in the
outbox. Those who ask at the same time see the old state or the new."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from heihei_site import embedded
from heihei_site.providers import outbox
from heihei_site.providers.gateways.base import BillLine


@dataclass(frozen=True)
class Payment:
    order: str
    fen: int
    state: str  # "waiting", "paid", "closed"
    gateway_number: str = ""
    paid_at: str = ""  # ISO, Shanghai
    refunds: tuple[tuple[str, int, str], ...] = ()  # our number, fen, day

    @property
    def refunded(self) -> int:
        return sum(fen for _, fen, _ in self.refunds)


class Book:
    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.place = Path(settings.VAR_DIR) / "gateways" / channel

    def note(self, deed: str, **what: Any) -> None:
        time = timezone.localtime().isoformat(timespec="milliseconds")
        outbox.append("gateways", {"time": time, "gateway": self.channel, "deed": deed, **what})

    def payment(self, order: str) -> Payment | None:
        try:
            said = json.loads(self._path(order).read_text())
        except FileNotFoundError:
            return None
        return Payment(**said | {"refunds": tuple(tuple(refund) for refund in said["refunds"])})

    def begin(self, order: str, fen: int) -> Payment:
        payment = self.payment(order) or Payment(order, fen, "waiting")
        return self._write(payment)

    def pay(self, order: str, fen: int) -> Payment:
        """Also what was closed: gateways have been seen to do that."""
        payment = self.begin(order, fen)
        if payment.state == "paid":
            return payment
        now = timezone.localtime()
        number = f"{now:%Y%m%d}{order[-12:]:0>20}"
        return self._write(
            replace(payment, state="paid", gateway_number=number, paid_at=now.isoformat(timespec="seconds"))
        )

    def close(self, order: str) -> Payment | None:
        payment = self.payment(order)
        if payment is None or payment.state == "paid":
            return payment
        return self._write(replace(payment, state="closed"))

    def refund(self, order: str, refund: str, fen: int) -> Payment | None:
        payment = self.payment(order)
        if payment is None or payment.state != "paid" or any(refund == number for number, *_ in payment.refunds):
            return payment
        return self._write(replace(payment, refunds=(*payment.refunds, (refund, fen, f"{timezone.localdate()}"))))

    def lines(self, day: date) -> Iterator[BillLine]:
        for path in sorted(self.place.glob("*.json")):
            payment = self.payment(path.stem)
            if payment is None:
                continue
            if payment.paid_at[:10] == f"{day}":
                yield BillLine(payment.order, payment.gateway_number, payment.fen)
            for _, fen, on in payment.refunds:
                if on == f"{day}":
                    yield BillLine(payment.order, payment.gateway_number, -fen)

    def _write(self, payment: Payment) -> Payment:
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        embedded.write_private(self._path(payment.order), json.dumps(asdict(payment)))
        return payment

    def _path(self, order: str) -> Path:
        if not order.isalnum():
            raise ValueError("no number of an order")
        return self.place / f"{order}.json"
