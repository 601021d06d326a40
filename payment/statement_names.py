"""What each line of a statement is about: its gift, exchange, withdrawal or order.

A transfer's key names the deed; who makes a new kind of transfer says here how its lines are called.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from payment.credit_models import Credit
from payment.models import Gift
from payment.order_models import Refund
from payment.withdrawal_models import Withdrawal


class Moved(Protocol):
    @property
    def currency(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def key(self) -> str: ...


@dataclass(frozen=True)
class Name:
    """`order` is a number of ours, `gift_id` 0 for what is no gift, `status` that of a withdrawal."""

    title: str
    order: str = ""
    gift_id: int = 0
    status: int | None = None


@dataclass(frozen=True)
class Known:
    """What the keys of one page name, looked up together."""

    gifts: dict[int, str]
    withdrawals: dict[str, int]
    refunds: dict[str, str]  # a refund's number -> its order's


def of(lines: Sequence[Moved]) -> list[Name]:
    """One for each, in order. A query for the gifts among them, the withdrawals and the refunds, if there are any."""
    gifts = {_gift_id(line.key) for line in lines if line.reason == "gift"}
    numbers = {_number(line.key) for line in lines if line.reason.startswith("withdrawal")}
    refunds = {_number(line.key) for line in lines if line.reason == "refund"}
    known = Known(
        gifts=dict(Gift.objects.filter(pk__in=gifts).values_list("pk", "name")) if gifts else {},
        withdrawals=dict(Withdrawal.objects.filter(number__in=numbers).values_list("number", "state"))
        if numbers
        else {},
        refunds=dict(Refund.objects.filter(number__in=refunds).values_list("number", "order__number"))
        if refunds
        else {},
    )
    return [_name(line, known) for line in lines]


def _name(line: Moved, known: Known) -> Name:
    naming = NAMING.get(line.reason)
    return naming(line, known) if naming else Name("其他")


def _gift(line: Moved, known: Known) -> Name:
    gift_id = _gift_id(line.key)
    gift = known.gifts.get(gift_id, "礼物")
    return Name(f"送出{gift}" if line.amount < 0 else f"收到{gift}", gift_id=gift_id)


def _withdrawal(title: str) -> "Naming":
    def name(line: Moved, known: Known) -> Name:
        number = _number(line.key)
        return Name(title, order=number, status=known.withdrawals.get(number))

    return name


def _plain(title: str) -> "Naming":
    return lambda line, known: Name(title)


def _gift_id(key: str) -> int:
    """`gift:<sender>:<room or chat>:<its id>:<gift>:…`"""
    parts = key.split(":")
    return int(parts[4]) if len(parts) > 4 and parts[4].isdigit() else 0


def _number(key: str) -> str:
    """`credit:<number>:<kind>`, `exchange:<number>`, `recharge:…`, `refund:…`, `refund-undone:…`,
    `withdrawal:<number>`, `withdrawal:<number>:closed`"""
    return key.split(":")[1]


def _credit(line: Moved, known: Known) -> Name:
    kind = line.key.split(":")[2]
    return Name(CREDITS.get(kind, "系统调整"), order=_number(line.key))


CREDITS = {kind.value: kind.label for kind in Credit.Kind}
Naming = Callable[[Moved, Known], Name]
NAMING: dict[str, Naming] = {
    "gift": _gift,
    "bullet": lambda line, known: Name("发弹幕" if line.amount < 0 else "收到弹幕"),
    "rename": _plain("修改昵称"),
    "credit": _credit,
    "grant": _plain("系统赠送"),
    "exchange": lambda line, known: Name("黑票兑换钻石", order=_number(line.key)),
    "recharge": lambda line, known: Name("充值", order=_number(line.key)),
    "refund": lambda line, known: Name("充值退款", order=known.refunds.get(_number(line.key), "")),
    "withdrawal": _withdrawal("提现"),
    "withdrawal_returned": _withdrawal("提现退回"),
}
