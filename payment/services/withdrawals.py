"""Asking for money, and how that ends (D37, ADR 0016): the points leave the purse at once, and are paid for or come
back.

Either end is posted under one key of the ledger, `withdrawal:<number>:closed`: a withdrawal that was paid cannot come
back, nor the other way round, whatever goes wrong above.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.api import repeats
from heihei_site.api.errors import (
    AccountAbnormal,
    AccountTooYoung,
    AlipayCodeInvalid,
    NotEnoughCash,
    NotEnoughPoints,
    WithdrawalTooLarge,
    WithdrawalTooSmall,
)
from heihei_site.console.tunables import tunables
from heihei_site.postgres.sealed import NOTHING
from payment import ledger
from payment.crash_points import passing
from payment.models import Currency
from payment.services import alipay
from payment.signals import withdrawal_closed
from payment.withdrawal_models import AlipayAccount, Withdrawal

if TYPE_CHECKING:
    from users.models import User

FROZEN = ledger.house("frozen", Currency.POINT)
PAID = ledger.house("withdrawals", Currency.POINT)


def request(*, person: "User", alipaycode: str, fen: int) -> Withdrawal:
    """Freezes the points. An identical request a moment later (D26) is the same one.

    The purse is held from the freezing on, so of several requests at once each sees what the others took of the day.
    """
    _check(person)
    if fen < tunables.WITHDRAWAL_LEAST:
        raise WithdrawalTooSmall
    with transaction.atomic():
        repeat = repeats.recognise(person.pk, "withdrawal", fen)
        if not repeat.fresh:
            return Withdrawal.objects.get(number=repeat.key)
        account = AlipayAccount.objects.filter(pk=person.pk).first()
        if account is None or not alipay.is_of(account, alipaycode):
            raise AlipayCodeInvalid
        if fen > tunables.WITHDRAWAL_DAY:
            raise WithdrawalTooLarge
        point = fen * settings.POINTS_PER_FEN
        _freeze(person.pk, repeat.key, point)
        if asked_today(person.pk) + fen > tunables.WITHDRAWAL_DAY:
            raise WithdrawalTooLarge
        return Withdrawal.objects.create(
            number=repeat.key, owner=person, fen=fen, point=point, account=account.account, name=account.name
        )


def _check(person: "User") -> None:
    """Minors (D19), who is not here, and accounts that were made the other day."""
    if person.is_protected_minor or not person.is_here:
        raise AccountAbnormal
    if timezone.now() - person.date_joined < tunables.WITHDRAWAL_ACCOUNT_AGE:
        raise AccountTooYoung


def _freeze(person_id: int, number: str, point: int) -> None:
    legs = [ledger.Leg(ledger.points(person_id), -point), ledger.Leg(FROZEN, point)]
    try:
        ledger.post(key=f"withdrawal:{number}", reason="withdrawal", legs=legs)
    except NotEnoughPoints:
        raise NotEnoughCash from None
    passing("withdrawal.frozen")
    transaction.on_commit(lambda: passing("withdrawal.committed"))


def midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def asked_today(person_id: int) -> int:
    """In fen, without what came back."""
    today = Withdrawal.objects.filter(owner=person_id, created_at__gte=midnight())
    return int(today.exclude(state=Withdrawal.State.RETURNED).aggregate(fen=Sum("fen"))["fen"] or 0)


def hold(withdrawal_id: int) -> Withdrawal:
    """Its row, locked: before purses."""
    return Withdrawal.objects.select_for_update(no_key=True).get(pk=withdrawal_id)


def settle(withdrawal: Withdrawal, *, gateway_number: str) -> None:
    """The money has arrived. Within telling(), its row held."""
    legs = [ledger.Leg(FROZEN, -withdrawal.point), ledger.Leg(PAID, withdrawal.point)]
    ledger.post(key=f"withdrawal:{withdrawal.number}:closed", reason="withdrawal_paid", legs=legs)
    passing("payout.posted")
    transaction.on_commit(lambda: passing("payout.committed"))
    _close(withdrawal, state=Withdrawal.State.SETTLED, gateway_number=gateway_number, last_answer="")


def give_back(withdrawal: Withdrawal, *, reason: str) -> None:
    """The points come back; `reason` is what the person is told. Within telling(), its row held."""
    legs = [ledger.Leg(FROZEN, -withdrawal.point), ledger.Leg(ledger.points(withdrawal.owner_id), withdrawal.point)]
    ledger.post(key=f"withdrawal:{withdrawal.number}:closed", reason="withdrawal_returned", legs=legs)
    passing("withdrawal.return.posted")
    transaction.on_commit(lambda: passing("withdrawal.return.committed"))
    _close(withdrawal, state=Withdrawal.State.RETURNED, return_reason=reason)


def _close(withdrawal: Withdrawal, **outcome: object) -> None:
    if not AlipayAccount.objects.filter(pk=withdrawal.owner_id).exists():  # its person is gone
        outcome |= {"account": NOTHING, "name": NOTHING}
    Withdrawal.objects.filter(pk=withdrawal.pk).update(**outcome, closed_at=Now(), due_at=None, unsure_until=None)
    withdrawal.refresh_from_db()
    withdrawal_closed.send(Withdrawal, withdrawal=withdrawal)
