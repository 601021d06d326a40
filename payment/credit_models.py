"""Gold and points that operators give people, or take back (ADR 20)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Credit(models.Model):
    """One operator proposes it, another approves or refuses it, and then a trigger refuses every change; nobody can
    remove one. `gold` and `point` are below zero where they are taken back."""

    class Kind(models.TextChoices):
        """What its owner reads in their statement."""

        COMPENSATION = "compensation", "补偿"
        EVENT = "event", "活动奖励"
        CORRECTION = "correction", "更正"
        PENALTY = "penalty", "违规扣回"

    class State(models.IntegerChoices):
        PENDING = 0, "待审批"
        POSTED = 1, "已入账"
        REFUSED = 2, "已拒绝"
        EXPIRED = 3, "已过期"

    number = models.CharField("编号", max_length=32, unique=True)  # of the ledger's key
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="用户", on_delete=models.PROTECT, related_name="credits"
    )
    kind = models.CharField("类型", max_length=12, choices=Kind, help_text="用户会在账单里看到")
    gold = models.BigIntegerField("钻石", default=0, help_text="负数为扣回")
    point = models.BigIntegerField("黑票", default=0, help_text="负数为扣回")
    reason = models.CharField("原因", max_length=200, help_text="给审批人看，用户看不到")
    state = models.PositiveSmallIntegerField("状态", choices=State, default=State.PENDING)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="申请人",
        on_delete=models.PROTECT,
        related_name="credits_proposed",
        db_index=False,
    )
    created_at = models.DateTimeField("申请时间", db_default=Now())
    expires_at = models.DateTimeField("审批截止")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="审批人",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="credits_decided",
        db_index=False,
    )
    refusal = models.CharField("拒绝原因", max_length=200, blank=True, default="")
    closed_at = models.DateTimeField("完成时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "补发与扣回"
        default_permissions = ("view",)
        permissions: ClassVar = [("propose_credit", "可以申请补发与扣回"), ("approve_credit", "可以审批补发与扣回")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(gold=0, point=0),
                name="credit_moves_something",
                violation_error_message="钻石和黑票至少填一项",
            ),
            models.CheckConstraint(
                condition=Q(kind="correction")
                | Q(kind="penalty", gold__lte=0, point__lte=0)
                | Q(kind__in=["compensation", "event"], gold__gte=0, point__gte=0),
                name="credit_is_what_it_is_called",
                violation_error_message="补偿和活动奖励不能是负数，违规扣回只能是负数，更正都可以",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(0, 3), decided_by=None) | Q(state__in=(1, 2), decided_by__isnull=False),
                name="credit_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state=0, closed_at=None) | Q(state__gt=0, closed_at__isnull=False),
                name="credit_closed_when_over",
            ),
            models.CheckConstraint(condition=~Q(decided_by=F("proposed_by")), name="credit_four_eyes"),
            models.CheckConstraint(
                condition=~Q(owner=F("proposed_by")) & ~Q(owner=F("decided_by")), name="credit_nobodys_own"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["proposed_by", "created_at"], name="credits_proposed"),
            models.Index(fields=["decided_by", "closed_at"], name="credits_decided"),
            models.Index(F("expires_at"), condition=Q(state=0), name="credits_to_decide"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.moved}"

    @property
    def moved(self) -> str:
        """`+100 钻石 -50 黑票`"""
        parts = ((self.gold, "钻石"), (self.point, "黑票"))
        return " ".join(f"{amount:+d} {what}" for amount, what in parts if amount)
