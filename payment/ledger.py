"""The only code that changes a balance (D35, ADR 0002).

A transfer is posted under a key. Posting it again with the same legs changes nothing and answers as the first time;
with other legs it is refused. Purses are locked in primary-key order; house accounts keep no balance and take no lock.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from heihei_site.api.errors import NotEnoughGold, NotEnoughPoints
from payment.models import Account, Currency, Entry, Transfer


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

    def balance_after(self, purse: Purse) -> int:
        return self.balances_after[purse]


def balances(user_id: int) -> Balances:
    held = dict(Account.objects.filter(owner=user_id).values_list("currency", "balance"))
    return Balances(gold=held.get(Currency.GOLD, 0), point=held.get(Currency.POINT, 0))


def post(*, key: str, reason: str, legs: Sequence[Leg]) -> Posted:
    """Move money, once per key.

    Raises NotEnoughGold or NotEnoughPoints when a purse would become negative, KeyReused on other legs under the key;
    either undoes the caller's whole transaction. Post before locking anything else, and once per transaction: the order
    of locks is purses, people, rooms, counters.
    """
    refuse_malformed(key, legs)
    with transaction.atomic(savepoint=False):
        accounts = open_accounts([leg.account for leg in legs])
        purses = lock_purses(accounts)
        fingerprint = fingerprint_of(reason, legs)
        transfer = claim_key(key, reason, fingerprint)
        if transfer is None:
            return first_result(key, fingerprint)
        return Posted(transfer, True, move(transfer, legs, accounts, purses))


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


def find_accounts(wanted: Sequence[Purse | House]) -> dict[Purse | House, int]:
    rows = Account.objects.filter(reduce(or_, map(identity, wanted)))
    return {address(row): row.pk for row in rows}


def identity(account: Purse | House) -> Q:
    if isinstance(account, Purse):
        return Q(owner=account.owner_id, currency=account.currency)
    return Q(owner=None, name=account.name, currency=account.currency)


def address(row: Account) -> Purse | House:
    currency = Currency(row.currency)
    return House(row.name, currency) if row.owner_id is None else Purse(row.owner_id, currency)


def as_row(account: Purse | House) -> Account:
    if isinstance(account, Purse):
        return Account(owner_id=account.owner_id, currency=account.currency)
    return Account(name=account.name, currency=account.currency)


def lock_purses(accounts: dict[Purse | House, int]) -> dict[Purse, Account]:
    personal = [pk for account, pk in accounts.items() if isinstance(account, Purse)]
    rows = Account.objects.filter(pk__in=personal)
    rows = rows.order_by("pk").select_for_update(no_key=True)  # in this order, no two transfers deadlock
    return {purse: row for row in rows if isinstance(purse := address(row), Purse)}


def claim_key(key: str, reason: str, fingerprint: str) -> Transfer | None:
    """The new transfer, or None when the key is taken. Waits for a transaction that is just posting the same key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payment_transfer (key, reason, fingerprint) VALUES (%s, %s, %s)"
            " ON CONFLICT (key) DO NOTHING RETURNING id, created_at",
            [key, reason, fingerprint],
        )
        row = cursor.fetchone()
    return row and Transfer(id=row[0], created_at=row[1], key=key, reason=reason, fingerprint=fingerprint)


def first_result(key: str, fingerprint: str) -> Posted:
    transfer = Transfer.objects.prefetch_related("entries__account").get(key=key)
    if transfer.fingerprint != fingerprint:
        raise KeyReused(key)
    after = {address(entry.account): entry.balance_after for entry in transfer.entries.all()}
    kept = {purse: left for purse, left in after.items() if isinstance(purse, Purse) and left is not None}
    return Posted(transfer, False, kept)


def move(
    transfer: Transfer, legs: Iterable[Leg], accounts: dict[Purse | House, int], purses: dict[Purse, Account]
) -> dict[Purse, int]:
    entries, after = [], {}
    for account, amount in legs:
        entry = Entry(transfer=transfer, account_id=accounts[account], currency=account.currency, amount=amount)
        if isinstance(account, Purse):
            purses[account].balance += amount
            if purses[account].balance < 0:
                raise NotEnoughGold if account.currency == Currency.GOLD else NotEnoughPoints
            entry.balance_after = after[account] = purses[account].balance
        entries.append(entry)
    Account.objects.bulk_update(purses.values(), ["balance"])
    Entry.objects.bulk_create(entries)
    return after
