"""Gold and points that operators give people, or take back: one proposes, another one approves (ADR 20).

Approving is posting: one transaction, under the credit's own key. Who dies in it has decided nothing; who does it again
afterwards is told that it is over.
"""

from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Abs, Now

from heihei_site.api import repeats
from heihei_site.api.errors import NotEnoughGold, NotEnoughPoints
from heihei_site.realtime.publish import telling
from payment import grants, ledger
from payment.crash_points import passing
from payment.credit_models import Credit
from payment.services.decisions import Undecided
from payment.services.withdrawals import midnight
from payment.signals import credit_posted

if TYPE_CHECKING:
    from users.models import User

TILL = "credits"
TOO_MUCH = "超过运营人员每日限额"
State = Credit.State

log = structlog.get_logger(__name__)


@transaction.atomic
def propose(*, operator: "User", owner: "User", kind: str, gold: int, point: int, reason: str) -> Credit:
    """For another operator to decide within CREDIT_LIFETIME. Said twice within seconds it is one. Raises Undecided for
    oneself, for who is not here unless something is taken back, and above what an operator may do in a day."""
    if owner.pk == operator.pk:
        raise Undecided("不能给自己申请")
    _refuse_who_is_gone(owner, gold, point)
    if abs(gold) > settings.CREDIT_GOLD_DAY or abs(point) > settings.CREDIT_POINT_DAY:  # and for the sum
        raise Undecided(TOO_MUCH)
    repeat = repeats.recognise(operator.pk, "credit", owner.pk, kind, gold, point, reason)
    if not repeat.fresh:
        return Credit.objects.get(number=repeat.key)
    row = Credit.objects.create(
        number=repeat.key,
        owner=owner,
        kind=kind,
        gold=gold,
        point=point,
        reason=reason,
        proposed_by=operator,
        expires_at=Now() + settings.CREDIT_LIFETIME,
    )
    _refuse_too_much(operator, Credit.objects.filter(proposed_by=operator, created_at__gte=midnight()))
    row.refresh_from_db()
    return row


@telling()
def approve(*, operator: "User", credit_id: int) -> Credit:
    """It is posted, and its owner is told. Raises Undecided where it is over, the operator's own, or takes back more
    than is there; it then waits on."""
    row = _held(operator, credit_id)
    _refuse_who_is_gone(row.owner, row.gold, row.point)
    legs = grants.legs(row.owner_id, gold=row.gold, point=row.point, till=TILL)
    try:
        ledger.post(key=f"credit:{row.number}:{row.kind}", reason="credit", legs=legs)
    except (NotEnoughGold, NotEnoughPoints):
        raise Undecided("余额不足，不能扣回这么多") from None
    passing("credit.posted")
    transaction.on_commit(lambda: passing("credit.committed"))
    _close(row, State.POSTED, decided_by=operator)
    _refuse_too_much(operator, Credit.objects.filter(decided_by=operator, closed_at__gte=midnight()))
    log.info("credit_posted", number=row.number, user=row.owner_id, gold=row.gold, point=row.point, by=operator.pk)
    credit_posted.send(Credit, credit=row)
    return row


@transaction.atomic
def refuse(*, operator: "User", credit_id: int, reason: str) -> Credit:
    """Nothing moves. `reason` is for who proposed it."""
    row = _held(operator, credit_id)
    _close(row, State.REFUSED, decided_by=operator, refusal=reason)
    return row


def expire() -> int:
    """What nobody decided in time is over; who is deciding about one of them just now comes first."""
    late = Credit.objects.filter(state=State.PENDING, expires_at__lte=Now())
    return late.update(state=State.EXPIRED, closed_at=Now())


def _held(operator: "User", credit_id: int) -> Credit:
    """Its row, locked: before purses."""
    rows = Credit.objects.annotate(late=Q(expires_at__lte=Now())).select_for_update(no_key=True)
    row = rows.get(pk=credit_id)
    if row.state != State.PENDING:
        raise Undecided("已经处理过")
    if row.late:
        raise Undecided("已过期")
    if row.proposed_by_id == operator.pk:
        raise Undecided("不能审批自己提出的申请")
    if row.owner_id == operator.pk:
        raise Undecided("不能审批给自己的申请")
    return row


def _refuse_who_is_gone(owner: "User", gold: int, point: int) -> None:
    if not owner.is_here and (gold > 0 or point > 0):
        raise Undecided("用户已被封禁或正在注销，只能扣回")


def _refuse_too_much(operator: "User", today: QuerySet[Credit]) -> None:
    """Under the lock of the operator, who may be doing two things at once: what is given and what is taken back both
    count, what was refused or is over does not."""
    get_user_model()._default_manager.select_for_update(no_key=True).only("pk").get(pk=operator.pk)
    counted = today.filter(state__in=(State.PENDING, State.POSTED))
    moved = counted.aggregate(gold=Sum(Abs("gold")), point=Sum(Abs("point")))
    if (moved["gold"] or 0) > settings.CREDIT_GOLD_DAY or (moved["point"] or 0) > settings.CREDIT_POINT_DAY:
        raise Undecided(TOO_MUCH)


def _close(row: Credit, state: Credit.State, **outcome: object) -> None:
    Credit.objects.filter(pk=row.pk).update(state=state, closed_at=Now(), **outcome)
    row.refresh_from_db()
