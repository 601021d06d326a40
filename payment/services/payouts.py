"""Paying what was approved: intend, ask the gateway, note what it said; each step a transaction of its own (ADR 0016).

A worker may die between any two of them, and the gateway may not answer: then it is asked what became of the number,
and asked to pay under the same number again only if it has never heard of it. Only a gateway's no that no unanswered
transfer can overtake any more brings the points back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from heihei_site.postgres.sealed import WrongKey
from heihei_site.providers import registry
from heihei_site.providers.payouts.base import Payee, Result, Said
from heihei_site.realtime.publish import telling
from payment.crash_points import passing
from payment.services import withdrawals
from payment.withdrawal_models import Withdrawal

AT_ONCE = 100
REFUSED_BY_ALIPAY = "支付宝拒绝了这笔转账，请核对账号和姓名"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Turn:
    """A turn at asking the gateway. `doubt`: until then an earlier transfer that nobody answered may yet be carried
    out; None where there was none. `sure`: that was over when the turn began, by the database's clock."""

    id: int
    number: str
    fen: int
    payee: Payee
    tries: int
    doubt: datetime | None
    sure: bool


def due() -> list[int]:
    """Withdrawals that the gateway is to be asked about now."""
    waiting = Withdrawal.objects.filter(state__in=(Withdrawal.State.APPROVED, Withdrawal.State.PAYING))
    return list(waiting.filter(due_at__lte=Now()).order_by("due_at").values_list("pk", flat=True)[:AT_ONCE])


def pay(withdrawal_id: int) -> None:
    """Nothing where it is not due: paid, returned, or somebody else's turn."""
    turn = _take(withdrawal_id)
    if turn is None:
        return
    passing("payout.intended")
    result, transferred = _ask(turn)
    passing("payout.asked")
    _note(turn, result, transferred=transferred)


def _take(withdrawal_id: int) -> Turn | None:
    """From here on it counts as asked, whatever happens to us."""
    with transaction.atomic():
        waiting = Withdrawal.objects.filter(state__in=(Withdrawal.State.APPROVED, Withdrawal.State.PAYING))
        sure = Q(unsure_until__isnull=True) | Q(unsure_until__lte=Now())
        due = waiting.filter(pk=withdrawal_id, due_at__lte=Now()).annotate(sure=sure)
        row = due.select_for_update(no_key=True).first()
        if row is None:
            return None
        try:
            payee = Payee(row.account.open(), row.name.open())
        except WrongKey:
            _shelve(row)
            return None
        Withdrawal.objects.filter(pk=row.pk).update(
            state=Withdrawal.State.PAYING,
            tries=F("tries") + 1,
            due_at=Now() + _pause(row.tries),
            unsure_until=Now() + settings.PAYOUT_DOUBT,
        )
        return Turn(row.pk, row.number, row.fen, payee, row.tries + 1, row.unsure_until, row.sure)


def _shelve(row: Withdrawal) -> None:
    """Nobody can say whom to pay until its key is back in SEAL_KEYS; the others' turn comes first."""
    later = Now() + settings.PAYOUT_RETRY_LONGEST
    Withdrawal.objects.filter(pk=row.pk).update(due_at=later, last_answer=WrongKey.__name__)
    log.error("withdrawal_sealed_with_a_lost_key", number=row.number)


def _pause(tries: int) -> timedelta:
    pause: timedelta = min(settings.PAYOUT_RETRY * 2 ** min(tries, 16), settings.PAYOUT_RETRY_LONGEST)
    return pause


def _ask(turn: Turn) -> tuple[Result, bool]:
    """What the gateway said, and whether it was asked to pay."""
    gateway = registry.payouts()
    if turn.tries > 1:
        known = gateway.query(turn.number)
        if known.said is not Said.NEVER_HEARD:
            return known, False
    return gateway.transfer(number=turn.number, fen=turn.fen, payee=turn.payee), True


def _note(turn: Turn, result: Result, *, transferred: bool) -> None:
    with telling():
        row = withdrawals.hold(turn.id)
        if row.state != Withdrawal.State.PAYING:  # somebody with a later turn was told before us
            return
        if result.said is Said.PAID:
            withdrawals.settle(row, gateway_number=result.number)
            log.info("withdrawal_paid", number=turn.number, tries=turn.tries)
        elif result.said is Said.REFUSED and row.tries == turn.tries and turn.sure:
            withdrawals.give_back(row, reason=REFUSED_BY_ALIPAY)
            log.warning("withdrawal_refused", number=turn.number, reason=result.reason)
        elif row.tries == turn.tries:
            _wait(row, turn, result, transferred=transferred)


def _wait(row: Withdrawal, turn: Turn, result: Result, *, transferred: bool) -> None:
    """Asked again when the pause is over; where the answer was no, when the doubt is."""
    answered = result.said is Said.REFUSED or not transferred
    Withdrawal.objects.filter(pk=row.pk).update(
        last_answer=result.reason or result.said.value,
        unsure_until=turn.doubt if answered else row.unsure_until,
        due_at=turn.doubt if result.said is Said.REFUSED else row.due_at,
    )
    log.warning("withdrawal_waits", number=turn.number, tries=turn.tries, reason=result.reason or result.said.value)
