"""A person's own view of the ledger."""

from collections.abc import Iterator
from typing import Any

from payment.models import Account, Entry


def balances(user_id: int) -> Iterator[dict[str, Any]]:
    for account in Account.objects.filter(owner=user_id).order_by("currency"):
        yield {"currency": account.currency, "balance": account.balance}


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
