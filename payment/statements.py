"""A person's own view of the ledger."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connection

from heihei_site.api.wire import clock
from payment import statement_names
from payment.credit_models import Credit
from payment.exchange_models import Exchange
from payment.models import Account, Currency, Entry
from payment.purse_serializers import Line, Statement
from payment.services import alipay
from payment.withdrawal_models import AlipayAccount, Withdrawal


def balances(user_id: int) -> Iterator[dict[str, Any]]:
    for account in Account.objects.filter(owner=user_id).order_by("currency"):
        yield {"currency": account.currency, "balance": account.balance}


# The newest of each purse by its index, then the newest of these: the depth of the page and the length of the ledger
# do not matter. Pairs are compared, and the order names the account, because only the index of purses can serve that:
# with `account_id = a.id ORDER BY id` PostgreSQL may go back through the primary key, past everybody's newer entries.
_PAGE = """
SELECT e.id, e.currency, e.amount, e.balance_after, t.reason, t.key, t.created_at
FROM payment_account a
CROSS JOIN LATERAL (
    SELECT id, currency, amount, balance_after, transfer_id FROM payment_entry
    WHERE (account_id, id) < (a.id, %(before)s) AND (account_id, id) > (a.id, 0)
    ORDER BY account_id DESC, id DESC LIMIT %(rows)s
) e
JOIN payment_transfer t ON t.id = e.transfer_id
WHERE a.owner_id = %(owner)s AND a.currency = ANY(%(currencies)s)
ORDER BY e.id DESC LIMIT %(rows)s
"""
BEFORE_ALL = 2**62


class Movement(NamedTuple):
    id: int
    currency: str
    amount: int
    balance: int
    reason: str
    key: str
    created_at: Any


def page(user_id: int, *, before: int, limit: int, currency: str = "") -> Statement:
    """The newest lines before a position, of all purses or one. Four queries at most, whatever the page holds."""
    currencies = [currency] if currency else Currency.values
    said: dict[str, Any] = {
        "before": before or BEFORE_ALL,
        "rows": limit + 1,
        "owner": user_id,
        "currencies": currencies,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, said)
        found = [Movement(*row) for row in cursor.fetchall()]
    shown = found[:limit]
    return {
        "lines": [_line(movement, name) for movement, name in zip(shown, statement_names.of(shown), strict=True)],
        "before": shown[-1].id if shown else before,
        "has_more": len(found) > limit,
    }


def _line(movement: Movement, name: statement_names.Name) -> Line:
    line: Line = {
        "id": movement.id,
        "create_time": clock(movement.created_at),
        "currency": movement.currency,
        "amount": movement.amount,
        "balance": movement.balance,
        "kind": movement.reason,
        "title": name.title,
    }
    if name.order:
        line["order"] = name.order
    if name.gift_id:
        line["gift_id"] = name.gift_id
    if name.status is not None:
        line["status"] = name.status
    return line


def alipay_accounts(user_id: int) -> Iterator[dict[str, Any]]:
    """In full: these are the person's own. What no key opens any more nobody can give them."""
    for row in AlipayAccount.objects.filter(pk=user_id):
        details = alipay.readable(row)
        if details is None:
            continue
        yield {
            "account": details.account,
            "name": details.name,
            "idcard": details.idcard,
            "phone": details.phone,
            "verified_at": row.verified_at,
        }


def withdrawals(user_id: int) -> Iterator[dict[str, Any]]:
    names = ("number", "fen", "point", "state", "created_at", "closed_at", "return_reason")
    yield from Withdrawal.objects.filter(owner=user_id).order_by("pk").values(*names)


def credits(user_id: int) -> Iterator[dict[str, Any]]:
    """What operators gave or took back, or were asked to; why they think so is theirs."""
    names = ("number", "kind", "gold", "point", "state", "created_at", "closed_at")
    yield from Credit.objects.filter(owner=user_id).order_by("pk").values(*names)


def exchanges(user_id: int) -> Iterator[dict[str, Any]]:
    names = ("number", "point", "gold", "created_at")
    yield from Exchange.objects.filter(owner=user_id).order_by("created_at", "pk").values(*names)


def entries(user_id: int) -> Iterator[dict[str, Any]]:
    """Every movement of the person's purses, oldest first."""
    rows = Entry.objects.filter(account__owner=user_id).order_by("pk").select_related("transfer")
    for entry in rows.iterator():
        yield {
            "time": entry.transfer.created_at,
            "reason": entry.transfer.reason,
            "currency": entry.currency,
            "amount": entry.amount,
            "balance": entry.balance_after,
        }
