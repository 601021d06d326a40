"""Whose Alipay account it is (D37): verified by name and id card, sealed, and seen by staff only with a reason."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.db.models.functions import Now

from heihei_site.api.errors import AlipayNotVerified, RealNameUnreachable
from heihei_site.console.tunables import tunables
from heihei_site.postgres.sealed import NOTHING, WrongKey, digest, digests, seal
from heihei_site.providers import registry
from heihei_site.providers.realname.base import Unreachable
from payment import idcards, masks
from payment.withdrawal_models import AlipayAccount, AlipayOpening, Withdrawal

if TYPE_CHECKING:
    from users.models import User

log = structlog.get_logger(__name__)
ACCOUNT, IDCARD = "alipay account", "id card"  # what a digest is for


@dataclass(frozen=True)
class Details:
    """In the clear: pass it on, never keep it."""

    account: str
    name: str
    idcard: str
    phone: str

    def masked(self) -> "Details":
        return Details(
            masks.account(self.account), masks.name(self.name), masks.idcard(self.idcard), masks.phone(self.phone)
        )


def details_of(row: AlipayAccount) -> Details:
    return Details(row.account.open(), row.name.open(), row.idcard.open(), row.phone.open())


def readable(row: AlipayAccount | None) -> Details | None:
    """None where there is none, or none that a key of ours still opens: who owns it is verified anew."""
    if row is None:
        return None
    try:
        return details_of(row)
    except WrongKey:
        log.error("alipay_account_sealed_with_a_lost_key", user=row.pk)
        return None


def masked(person_id: int) -> Details:
    """What the person is shown of it; empty texts where there is none."""
    details = readable(AlipayAccount.objects.filter(pk=person_id).first())
    return details.masked() if details else Details("", "", "", "")


def verify(*, person: "User", details: Details) -> Details:
    """Takes the place of what was verified before; withdrawals on their way go where they were going. The same again
    asks nobody. Raises AlipayNotVerified for a wrong check digit, a minor's card (D19), and another's name;
    RealNameUnreachable. Returns what is shown of it."""
    born = idcards.birthday_of(details.idcard)
    if born is None or (tunables.MINOR_PROTECTION and not idcards.is_grown_up(born)):
        raise AlipayNotVerified
    known = AlipayAccount.objects.filter(pk=person.pk).first()
    if readable(known) != details:
        _ask(details)
        _keep(person.pk, details)
    return details.masked()


def _ask(details: Details) -> None:
    try:
        if not registry.realname().matches(name=details.name, idcard=details.idcard):
            raise AlipayNotVerified
    except Unreachable:
        raise RealNameUnreachable from None


def _keep(person_id: int, details: Details) -> None:
    values = {
        "account": seal(details.account),
        "name": seal(details.name),
        "idcard": seal(details.idcard),
        "phone": seal(details.phone),
        "account_digest": digest(details.account, ACCOUNT),
        "idcard_digest": digest(details.idcard, IDCARD),
        "verified_at": Now(),
    }
    AlipayAccount.objects.update_or_create(pk=person_id, defaults=values)


def is_of(row: AlipayAccount, said: str) -> bool:
    """A phone may say the account in full or, as it knows no more of it, as we show it."""
    details = readable(row)
    return details is not None and said in (details.account, masks.account(details.account))


def others_of(row: AlipayAccount) -> list[int]:
    """People with the same id card or account: for operators, who see one person behind several."""
    details = readable(row)
    if details is None:
        return []
    same_card = AlipayAccount.objects.filter(idcard_digest__in=digests(details.idcard, IDCARD))
    same_account = AlipayAccount.objects.filter(account_digest__in=digests(details.account, ACCOUNT))
    return sorted(set((same_card | same_account).exclude(pk=row.pk).values_list("pk", flat=True)))


def open_for(*, operator: "User", person_id: int, reason: str) -> Details:
    """In the clear, for who has the permission `payment.open_alipayaccount`; written down before it is shown."""
    with transaction.atomic():
        row = AlipayAccount.objects.get(pk=person_id)
        AlipayOpening.objects.create(operator=operator, owner_id=person_id, reason=reason)
    return details_of(row)


def forget(person_id: int) -> None:
    """Of somebody who is gone: the account, and whom closed withdrawals went to. Those on their way need it yet and
    forget it when they close."""
    with transaction.atomic():
        # Held, so that one which is being closed is seen closed here, or sees its person gone.
        list(Withdrawal.objects.filter(owner=person_id).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        AlipayAccount.objects.filter(pk=person_id).delete()
        closed = Withdrawal.objects.filter(owner=person_id).exclude(state__in=Withdrawal.OPEN)
        closed.update(account=NOTHING, name=NOTHING)


RESEALED_AT_ONCE = 200


def reseal() -> int:
    """Everything under the newest key, digests too; returns how many rows. Done twice, nothing is lost."""
    return _reseal_accounts() + _reseal_withdrawals()


def _reseal_accounts() -> int:
    done, last = 0, 0
    while True:
        with transaction.atomic():
            rows = AlipayAccount.objects.filter(pk__gt=last).order_by("pk").select_for_update(no_key=True)
            page = list(rows[:RESEALED_AT_ONCE])
            for row in page:
                details = details_of(row)
                row.account_digest, row.idcard_digest = digest(details.account, ACCOUNT), digest(details.idcard, IDCARD)
                for name in ("account", "name", "idcard", "phone"):
                    setattr(row, name, getattr(row, name).resealed())
                row.save()
        if not page:
            return done
        done, last = done + len(page), page[-1].pk


def _reseal_withdrawals() -> int:
    done, last = 0, 0
    while True:
        with transaction.atomic():
            rows = Withdrawal.objects.filter(pk__gt=last).order_by("pk")
            page = list(rows.select_for_update(no_key=True)[:RESEALED_AT_ONCE])
            for row in page:
                row.account, row.name = row.account.resealed(), row.name.resealed()
                row.save(update_fields=["account", "name"])
        if not page:
            return done
        done, last = done + len(page), page[-1].pk
