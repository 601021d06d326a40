from typing import Any, ClassVar

from django.utils import timezone

from heihei_site.providers import outbox
from heihei_site.providers.payouts.base import Payee, Result, Said

REFUSED = "refused"


class OutboxPayouts:
    """The development twin: a transfer is a line of `outbox/payouts.jsonl`, one for each number. To accounts that begin
    with `refused` nothing is paid."""

    development_only: ClassVar[bool] = True

    def transfer(self, *, number: str, fen: int, payee: Payee) -> Result:
        known = self.query(number)
        if known.said is not Said.NEVER_HEARD:
            return known
        refused = payee.account.startswith(REFUSED)
        line: dict[str, Any] = {"time": timezone.localtime().isoformat(timespec="milliseconds"), "number": number}
        line |= {"fen": fen, "account": payee.account, "name": payee.name, "paid": not refused}
        outbox.append("payouts", line)
        return _result(line)

    def query(self, number: str) -> Result:
        for line in outbox.lines("payouts"):
            if line["number"] == number:
                return _result(line)
        return Result(Said.NEVER_HEARD)


def _result(line: dict[str, Any]) -> Result:
    if line["paid"]:
        return Result(Said.PAID, number=f"dev-{line['number']}")
    return Result(Said.REFUSED, reason="PAYEE_NOT_EXIST")
