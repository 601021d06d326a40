"""Points for money (D37): whom it goes to, and each withdrawal with who decided what about it (ADR 0016)."""

from datetime import timedelta
from functools import cached_property
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, Now

from heihei_site.console.tunables import tunables
from heihei_site.postgres.sealed import SealedField


class AlipayAccount(models.Model):
    """Where a person's money goes, verified by their real name. All of it is sealed; `payment.masks` says what is
    shown. The digests find equal accounts and id cards of other people."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name="用户",
        primary_key=True,
        on_delete=models.PROTECT,
        related_name="alipay_account",
    )
    account = SealedField("支付宝账号")
    name = SealedField("姓名")
    idcard = SealedField("身份证")
    phone = SealedField("手机号")
    account_digest = models.BinaryField(max_length=32, db_index=True)
    idcard_digest = models.BinaryField(max_length=32, db_index=True)
    verified_at = models.DateTimeField("验证时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "支付宝账号"
        permissions: ClassVar = [("open_alipayaccount", "可以查看完整的实名资料")]

    def __str__(self) -> str:
        return f"{self.owner_id} 的支付宝账号"


class AlipayOpening(models.Model):
    """Somebody of the staff has seen a person's data, and why. A trigger refuses every change and removal."""

    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="运营", on_delete=models.PROTECT, related_name="alipay_openings"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="用户", on_delete=models.PROTECT, related_name="alipay_opened"
    )
    reason = models.CharField("原因", max_length=200)
    created_at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "实名资料查看记录"

    def __str__(self) -> str:
        return f"{self.operator_id} → {self.owner_id}"


class Withdrawal(models.Model):
    """Points on their way to becoming money. They left the purse when it was asked for; they are paid for or come back.

    `unsure_until`: until then a transfer that nobody answered might still be carried out. `due_at`: when the gateway is
    asked (again); a job that asks it moves it on first, so two never ask at once.
    """

    class State(models.IntegerChoices):
        REQUESTED = 0, "待审核"
        APPROVED = 1, "待打款"
        PAYING = 2, "打款中"
        SETTLED = 3, "已到账"
        RETURNED = 4, "已退回"

    OPEN: ClassVar = (State.REQUESTED, State.APPROVED, State.PAYING)

    number = models.CharField("编号", max_length=32, unique=True)  # the gateway's out_biz_no, and the ledger's key
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="用户",
        on_delete=models.PROTECT,
        related_name="withdrawals",
        db_index=False,
    )
    fen = models.PositiveIntegerField("金额(分)")
    point = models.PositiveIntegerField("黑票")
    # As it was when it was asked for; NOTHING once it is no longer needed and its person is gone.
    account = SealedField("支付宝账号")
    name = SealedField("姓名")
    state = models.PositiveSmallIntegerField("状态", choices=State, default=State.REQUESTED)
    created_at = models.DateTimeField("申请时间", db_default=Now())
    due_at = models.DateTimeField("下次打款", null=True)
    tries = models.PositiveIntegerField("打款次数", default=0)
    unsure_until = models.DateTimeField(null=True)
    gateway_number = models.CharField("支付宝单号", max_length=64, blank=True, default="")
    last_answer = models.CharField("网关答复", max_length=64, blank=True, default="")
    return_reason = models.CharField("退回原因", max_length=200, blank=True, default="")
    closed_at = models.DateTimeField("完成时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "提现"
        permissions: ClassVar = [("decide_withdrawal", "可以审核提现")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(fen__gte=1, point__gte=1), name="withdrawal_moves_something"),
            models.CheckConstraint(condition=Q(state__range=(0, 4)), name="withdrawal_state"),
            models.CheckConstraint(
                condition=Q(state__lt=3, closed_at=None) | Q(state__gte=3, closed_at__isnull=False),
                name="withdrawal_closed_when_over",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-created_at"], name="withdrawals_of_a_person"),
            models.Index(F("due_at"), condition=Q(state__in=(1, 2)), name="withdrawals_to_pay"),
            models.Index(F("id"), condition=Q(state=0), name="withdrawals_to_decide"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="withdrawals_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.number} ¥{self.yuan}"

    @property
    def yuan(self) -> str:
        return yuan(self.fen)

    @cached_property
    def lately(self) -> int:
        """Fen that its owner asked for in the 24 hours up to and with it, without what came back. A list brings it
        along: `annotate(lately=asked_lately())`."""
        fen: int = Withdrawal.objects.filter(pk=self.pk).values_list(asked_lately(), flat=True).get()
        return fen

    @property
    def approvals_needed(self) -> int:
        """So no more than WITHDRAWAL_FOUR_EYES of a person's leaves on one word in any 24 hours (D37)."""
        return 2 if self.lately > tunables.WITHDRAWAL_FOUR_EYES else 1


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def asked_lately() -> Coalesce:
    """Of each withdrawal of a query its `lately`."""
    window = Q(created_at__lte=OuterRef("created_at"), created_at__gt=OuterRef("created_at") - timedelta(days=1))
    asked = Withdrawal.objects.filter(window, owner=OuterRef("owner")).exclude(state=Withdrawal.State.RETURNED)
    return Coalesce(Subquery(asked.order_by().values("owner").values(fen=Sum("fen"))), 0)


class Decision(models.Model):
    """An operator's word about a withdrawal: each has one. A trigger refuses every change and removal."""

    withdrawal = models.ForeignKey(
        Withdrawal, verbose_name="提现", on_delete=models.PROTECT, related_name="decisions", db_index=False
    )
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="运营", on_delete=models.PROTECT, related_name="withdrawal_decisions"
    )
    approved = models.BooleanField("同意")
    created_at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "提现审核"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["withdrawal", "operator", "approved"], name="one_decision_an_operator_and_withdrawal"
            )
        ]

    def __str__(self) -> str:
        return f"{self.operator_id}: {'同意' if self.approved else '拒绝'}"
