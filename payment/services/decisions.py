"""What operators decide about withdrawals: two of them agree where a person's of 24 hours are above
WITHDRAWAL_FOUR_EYES, and nobody about their own."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models.functions import Now

from heihei_site.realtime.publish import telling
from payment.crash_points import passing
from payment.services import withdrawals
from payment.withdrawal_models import Decision, Withdrawal

if TYPE_CHECKING:
    from users.models import User


class Undecided(Exception):
    """Nothing was decided; says why, to operators."""


@telling()
def approve(*, operator: "User", withdrawal_id: int) -> Withdrawal:
    """One word of approval. With the last that is needed it may be paid; saying it twice is saying it once."""
    row = _held(operator, withdrawal_id)
    if row.state != Withdrawal.State.REQUESTED:
        raise Undecided("已经处理过")
    owner = row.owner
    if not owner.is_here or owner.is_protected_minor:
        raise Undecided("用户已被封禁、正在注销或未成年，只能退回")
    Decision.objects.get_or_create(withdrawal=row, operator=operator, approved=True)
    if row.decisions.filter(approved=True).count() >= row.approvals_needed:
        Withdrawal.objects.filter(pk=row.pk).update(state=Withdrawal.State.APPROVED, due_at=Now())
        row.refresh_from_db()
        transaction.on_commit(lambda: passing("withdrawal.approval.committed"))
    return row


@telling()
def reject(*, operator: "User", withdrawal_id: int, reason: str) -> Withdrawal:
    """The points come back at once. Until the gateway has been asked: after that only it can say no."""
    row = _held(operator, withdrawal_id)
    if row.state not in (Withdrawal.State.REQUESTED, Withdrawal.State.APPROVED):
        raise Undecided("已经打款或处理过")
    Decision.objects.get_or_create(withdrawal=row, operator=operator, approved=False)
    withdrawals.give_back(row, reason=reason)
    return row


def _held(operator: "User", withdrawal_id: int) -> Withdrawal:
    row = withdrawals.hold(withdrawal_id)
    if row.owner_id == operator.pk:
        raise Undecided("不能审核自己的提现")
    return row
