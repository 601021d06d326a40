"""What operators see of money in numbers (heihei_site/console)."""

from datetime import datetime, timedelta

from django.db.models import QuerySet, Sum

from heihei_site.console.cards import UNKNOWN, Card, Reading, Section, Tone, waiting
from heihei_site.console.figures import MONEY, Figure, Unit
from payment import audit
from payment.credit_models import Credit
from payment.models import Currency, Entry, Transfer
from payment.order_models import Order, Refund
from payment.withdrawal_models import Withdrawal

GIFT = "gift"
SPENDING = (GIFT, "bullet", "rename")  # reasons of transfers by which people pay the house
DECISION_LATE = timedelta(days=1)
REFUND_LATE = timedelta(hours=1)


def gifts(since: datetime, until: datetime) -> int:
    return _transfers(since, until, GIFT).count()


def gold_in_gifts(since: datetime, until: datetime) -> int:
    return _gold_paid(since, until, GIFT)


def gold_spent(since: datetime, until: datetime) -> int:
    return _gold_paid(since, until, *SPENDING)


def gold_bought(since: datetime, until: datetime) -> int:
    return _sum(_credited(since, until), "gold")


def fen_taken(since: datetime, until: datetime) -> int:
    """Of orders that were credited, what was refunded later included."""
    return _sum(_credited(since, until), "pay_money")


def fen_paid_out(since: datetime, until: datetime) -> int:
    settled = Withdrawal.objects.filter(state=Withdrawal.State.SETTLED, closed_at__gte=since, closed_at__lt=until)
    return _sum(settled, "fen")


def _transfers(since: datetime, until: datetime, *reasons: str) -> QuerySet[Transfer]:
    return Transfer.objects.filter(created_at__gte=since, created_at__lt=until, reason__in=reasons)


def _gold_paid(since: datetime, until: datetime, *reasons: str) -> int:
    """What came to the house, by the side of a transfer that is above zero."""
    paid = Entry.objects.filter(currency=Currency.GOLD, amount__gt=0)
    return _sum(paid.filter(transfer__in=_transfers(since, until, *reasons)), "amount")


def _credited(since: datetime, until: datetime) -> QuerySet[Order]:
    return Order.objects.filter(settled_at__gte=since, settled_at__lt=until)


def _sum(rows: QuerySet[Order] | QuerySet[Entry] | QuerySet[Withdrawal], column: str) -> int:
    return rows.aggregate(total=Sum(column, default=0))["total"] or 0


def withdrawals() -> Reading:
    asked = Withdrawal.objects.filter(state=Withdrawal.State.REQUESTED)
    return waiting(asked, since="created_at", late_after=DECISION_LATE)


def credits() -> Reading:
    """Of another operator, each to be decided within CREDIT_LIFETIME."""
    proposed = Credit.objects.filter(state=Credit.State.PENDING)
    return waiting(proposed, since="created_at", late_after=DECISION_LATE)


def refunds() -> Reading:
    """The gateway has not given the money back yet."""
    under_way = Refund.objects.filter(state=Refund.State.REQUESTED, next_try_at__isnull=False)
    return waiting(under_way, since="created_at", late_after=REFUND_LATE)


def promises() -> Reading:
    """What the last look at the whole ledger found; nobody looks for the sake of a page."""
    last = audit.last()
    if last is None:
        return Reading(UNKNOWN, "还没有核对")
    if last["ok"]:
        return Reading("正常", f"{last['promises']} 项全部吻合")
    return Reading("异常", "、".join(last["broken"]), Tone.LATE)


FIGURES = (
    Figure("payment.gifts", 50, "礼物", Unit.TIMES, MONEY, gifts, charted=False),
    Figure("payment.gold_in_gifts", 51, "礼物流水", Unit.GOLD, MONEY, gold_in_gifts),
    Figure("payment.gold_spent", 52, "消费钻石", Unit.GOLD, MONEY, gold_spent, charted=False),
    Figure("payment.gold_bought", 53, "充值钻石", Unit.GOLD, MONEY, gold_bought, charted=False),
    Figure("payment.fen_taken", 54, "充值", Unit.FEN, MONEY, fen_taken),
    Figure("payment.fen_paid_out", 55, "提现到账", Unit.FEN, MONEY, fen_paid_out),
)
CARDS = (
    Card("withdrawals", 30, Section.QUEUES, "待审核提现", "payments", "payment.view_withdrawal", withdrawals,
         "admin:payment_withdrawal_changelist", f"?state__exact={Withdrawal.State.REQUESTED}"),
    Card("credits", 31, Section.QUEUES, "待审批补发", "how_to_vote", "payment.view_credit", credits,
         "admin:payment_credit_changelist", f"?state__exact={Credit.State.PENDING}"),
    Card("refunds", 32, Section.QUEUES, "处理中退款", "undo", "payment.view_refund", refunds,
         "admin:payment_refund_changelist", f"?state__exact={Refund.State.REQUESTED}"),
    Card("audit", 30, Section.MACHINES, "账目核对", "balance", MONEY, promises),
)  # fmt: skip
