"""The only code that changes a balance (D35, ADR 0002).

A transfer is posted under a key. Posting it again with the same legs changes nothing and answers as the first time;
with other legs it is refused. Purses are locked in primary-key order; house accounts keep no balance and take no lock.

What a person owes stands in an account of its own, in the currency DEBT: gold that a refund could not take back, since
it was spent. Gold that comes in pays it first. It changes only while its owner's gold is locked, and nobody who owes
holds gold.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeGuard

from django.db import connection, transaction

from heihei_site.api.errors import NotEnoughGold, NotEnoughPoints
from payment.models import Account, Currency, Transfer


class KeyReused(Exception):
    """Other legs under a key that was posted before: a bug or an attack, never an ordinary refusal."""


class Purse(NamedTuple):
    """A person's account in one currency; made at its first use."""

    owner_id: int
    currency: Currency


class House(NamedTuple):
    """The ledger's own side of a transfer; made at its first use."""

    name: str
    currency: Currency


class Leg(NamedTuple):
    account: Purse | House
    amount: int


class Balances(NamedTuple):
    gold: int
    point: int


def gold(user_id: int) -> Purse:
    return Purse(user_id, Currency.GOLD)


def points(user_id: int) -> Purse:
    return Purse(user_id, Currency.POINT)


def house(name: str, currency: Currency) -> House:
    return House(name, currency)


@dataclass(frozen=True)
class Posted:
    """`fresh` is False when this key had been posted before; everything else is then as it was the first time."""

    transfer: Transfer
    fresh: bool
    balances_after: dict[Purse, int]
    changes: dict[Purse, int]  # what came and went, less what was owed

    def balance_after(self, purse: Purse) -> int:
        return self.balances_after[purse]


def debt(user_id: int) -> int:
    """The gold that the person owes."""
    return next(iter(debts([user_id]).values()), 0)


def debts(user_ids: list[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_DEBTS, [user_ids])
        return dict(cursor.fetchall())


_DEBTS = "SELECT owner_id, balance FROM payment_account WHERE owner_id = ANY(%s) AND currency = 'debt' AND balance > 0"


def balances(user_id: int) -> Balances:
    with connection.cursor() as cursor:
        cursor.execute("SELECT currency, balance FROM payment_account WHERE owner_id = %s", [user_id])
        held = dict(cursor.fetchall())
    return Balances(gold=held.get(Currency.GOLD, 0), point=held.get(Currency.POINT, 0))


def post(*, key: str, reason: str, legs: Sequence[Leg], may_owe: bool = False) -> Posted:
    """Move money, once per key.

    Raises NotEnoughGold or NotEnoughPoints when a purse would become negative, KeyReused on other legs under the key;
    either undoes the caller's whole transaction. With `may_owe`, gold that a purse is short of is owed instead. Post
    before locking anything else, and once per transaction: the order of locks is purses, people, rooms, counters.
    """
    refuse_malformed(key, legs)
    fingerprint = fingerprint_of(reason, legs)
    with transaction.atomic(savepoint=False):
        accounts = open_accounts([leg.account for leg in legs])
        held = lock_purses(accounts)
        purses = list(held)
        moved = with_debts(legs, held, may_owe)
        if moved is not legs:
            accounts |= open_accounts([leg.account for leg in moved])
            held = lock_purses(accounts)
        after = held | balances_after(moved, held)
        short = next((purse for purse, balance in after.items() if balance < 0), None)
        transfer = None if short else claim_and_move(key, reason, fingerprint, moved, accounts, after)
        if transfer is not None:
            changes = {purse: after[purse] - held[purse] for purse in purses}
            return Posted(transfer, True, {purse: after[purse] for purse in purses}, changes)
        return first_result(key, fingerprint, short, purses)


def with_debts(legs: Sequence[Leg], held: dict[Purse, int], may_owe: bool) -> Sequence[Leg]:
    """The legs with what is paid off or newly owed; the very same ones where nothing is.

    The purses are locked, so nobody else changes what their owners owe.
    """
    come = [account.owner_id for account, amount in legs if is_gold(account) and amount > 0]
    owed = debts(come) if come else {}
    owes_more: dict[Purse | House, int] = {}
    for account, amount in legs:
        if is_gold(account) and amount > 0:
            owes_more[account] = -min(amount, owed.get(account.owner_id, 0))
        elif is_gold(account) and may_owe:
            owes_more[account] = max(-amount - held[account], 0)
    if not any(owes_more.values()):
        return legs
    total = sum(owes_more.values())
    moved = [Leg(account, amount + owes_more.get(account, 0)) for account, amount in legs]
    moved += [Leg(Purse(purse[0], Currency.DEBT), more) for purse, more in owes_more.items() if is_gold(purse)]
    moved += [Leg(House("debts", currency), -total) for currency in (Currency.GOLD, Currency.DEBT)]
    return [leg for leg in moved if leg.amount]


def is_gold(account: Purse | House) -> TypeGuard[Purse]:
    return isinstance(account, Purse) and account.currency == Currency.GOLD


def refuse_malformed(key: str, legs: Sequence[Leg]) -> None:
    if not 0 < len(key) <= 200:
        raise ValueError("a key has 1 to 200 characters")
    if len({leg.account for leg in legs}) != len(legs) or any(leg.amount == 0 for leg in legs):
        raise ValueError("one leg per account, and each moves something")
    if not legs or any(sum(leg.amount for leg in legs if leg.account.currency == c) for c in Currency):
        raise ValueError("legs sum to zero per currency")


def fingerprint_of(reason: str, legs: Iterable[Leg]) -> str:
    parts = sorted(f"{type(a).__name__}|{a[0]}|{a.currency}|{amount}" for a, amount in legs)
    return hashlib.sha256("\n".join([reason, *parts]).encode()).hexdigest()


def open_accounts(wanted: Sequence[Purse | House]) -> dict[Purse | House, int]:
    """Primary keys of the accounts, missing ones made.

    All making comes before all locking and in one order, so two transactions that make purses wait but never deadlock.
    """
    found = find_accounts(wanted)
    missing = sorted(set(wanted) - found.keys(), key=lambda a: (type(a).__name__, a))
    if missing:
        Account.objects.bulk_create([as_row(account) for account in missing], ignore_conflicts=True)
        found = find_accounts(wanted)
    return found


_FIND = """
SELECT id, owner_id, name, currency FROM payment_account
WHERE (owner_id, currency) IN %s OR owner_id IS NULL AND (name, currency) IN %s
"""


def find_accounts(wanted: Sequence[Purse | House]) -> dict[Purse | House, int]:
    purses = tuple(tuple(account) for account in wanted if isinstance(account, Purse))
    houses = tuple(tuple(account) for account in wanted if isinstance(account, House))
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [purses or ((0, ""),), houses or (("", ""),)])
        return {address(owner, name, currency): pk for pk, owner, name, currency in cursor.fetchall()}


def address(owner_id: int | None, name: str, currency: str) -> Purse | House:
    return House(name, Currency(currency)) if owner_id is None else Purse(owner_id, Currency(currency))


def as_row(account: Purse | House) -> Account:
    if isinstance(account, Purse):
        return Account(owner_id=account.owner_id, currency=account.currency)
    return Account(name=account.name, currency=account.currency)


# In primary-key order, so that no two transfers deadlock.
_LOCK = "SELECT id, balance FROM payment_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def lock_purses(accounts: dict[Purse | House, int]) -> dict[Purse, int]:
    """Their balances, which nobody else changes until this transaction ends."""
    numbers = {pk: account for account, pk in accounts.items() if isinstance(account, Purse)}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(numbers)])
        return {numbers[pk]: balance for pk, balance in cursor.fetchall()}


def balances_after(legs: Iterable[Leg], balances: dict[Purse, int]) -> dict[Purse, int]:
    return {account: balances[account] + amount for account, amount in legs if isinstance(account, Purse)}


# Waits for a transaction that is just posting the same key; moves nothing when the key is taken.
_CLAIM_AND_MOVE = """
WITH transfer AS (
    INSERT INTO payment_transfer (key, reason, fingerprint) VALUES (%s, %s, %s)
    ON CONFLICT (key) DO NOTHING RETURNING id, created_at
), leg AS (
    SELECT * FROM unnest(%s::bigint[], %s::varchar[], %s::bigint[], %s::bigint[])
    AS leg (account_id, currency, amount, balance_after)
), balance AS (
    UPDATE payment_account SET balance = balance_after FROM leg, transfer
    WHERE payment_account.id = account_id AND balance_after IS NOT NULL
), entry AS (
    INSERT INTO payment_entry (transfer_id, account_id, currency, amount, balance_after)
    SELECT transfer.id, account_id, currency, amount, balance_after FROM transfer, leg
)
SELECT id, created_at FROM transfer
"""


def claim_and_move(
    key: str,
    reason: str,
    fingerprint: str,
    legs: Sequence[Leg],
    accounts: dict[Purse | House, int],
    after: dict[Purse, int],
) -> Transfer | None:
    """The new transfer with its entries, and the purses' new balances; None when the key is taken."""
    rows = [
        (accounts[account], account.currency.value, amount, after[account] if isinstance(account, Purse) else None)
        for account, amount in legs
    ]
    columns = map(list, zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_AND_MOVE, [key, reason, fingerprint, *columns])
        row = cursor.fetchone()
    return row and Transfer(id=row[0], created_at=row[1], key=key, reason=reason, fingerprint=fingerprint)


def first_result(key: str, fingerprint: str, short: Purse | None, purses: Iterable[Purse]) -> Posted:
    """What the key was answered with; where it is new, a purse must have been too short for it.

    A purse without an entry was empty before and after: all its gold went to or from what its owner owes.
    """
    transfer = Transfer.objects.filter(key=key).prefetch_related("entries__account").first()
    if transfer is None:
        raise NotEnoughGold if short and short.currency == Currency.GOLD else NotEnoughPoints
    if transfer.fingerprint != fingerprint:
        raise KeyReused(key)
    kept = {
        Purse(entry.account.owner_id, Currency(entry.currency)): (entry.balance_after, entry.amount)
        for entry in transfer.entries.all()
        if entry.account.owner_id is not None and entry.balance_after is not None
    }
    first = {purse: kept.get(purse, (0, 0)) for purse in purses}
    return Posted(
        transfer,
        False,
        {purse: balance for purse, (balance, _) in first.items()},
        {purse: amount for purse, (_, amount) in first.items()},
    )
