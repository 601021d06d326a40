"""The ledger's three tables and the gift catalogue. Balances are changed by `payment.ledger.post` and nothing else."""

from collections.abc import Collection
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

LARGEST_WIRE_INT = 2**31 - 1


class Currency(models.TextChoices):
    GOLD = "gold", "钻石"
    POINT = "point", "黑票"
    DEBT = "debt", "欠款(钻石)"  # gold owed; what may be spent and given is gold and point (D35)


class Account(models.Model):
    """A person's purse in one currency, or a house account: the ledger's own side of a transfer (D43)."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="用户",
        null=True,
        blank=True,
        db_index=False,
        on_delete=models.PROTECT,
        related_name="accounts",
    )
    name = models.CharField("名称", max_length=40, blank=True, help_text="house accounts only")
    currency = models.CharField("货币", max_length=8, choices=Currency)
    balance = models.BigIntegerField("余额", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "账户"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(balance__gte=0), name="account_never_negative"),
            models.CheckConstraint(condition=Q(currency__in=["gold", "point", "debt"]), name="account_currency"),
            models.CheckConstraint(
                condition=Q(owner__isnull=False, name="") | Q(~Q(name=""), owner__isnull=True, balance=0),
                name="account_is_purse_or_house",
            ),
            models.UniqueConstraint(
                fields=["owner", "currency"],
                condition=Q(owner__isnull=False),
                name="account_one_purse_a_currency",
            ),
            models.UniqueConstraint(
                fields=["name", "currency"],
                condition=Q(owner__isnull=True),
                name="account_one_house_a_currency",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id or self.name} {self.currency}"


class Transfer(models.Model):
    """One movement of money under its own key. A trigger refuses every change and removal."""

    key = models.CharField("幂等键", max_length=200, unique=True)
    reason = models.CharField("原因", max_length=40)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of reason and legs")
    created_at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "转账"
        # Rows are only added: a few bytes for each megabyte of them, and posting one costs nothing.
        indexes: ClassVar = [BrinIndex(fields=["created_at"], autosummarize=True, name="transfers_by_time")]

    def __str__(self) -> str:
        return f"{self.reason} {self.key}"


class Entry(models.Model):
    """One leg of a transfer. A trigger refuses every change and removal, and legs that do not sum to zero."""

    transfer = models.ForeignKey(Transfer, verbose_name="转账", on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(
        Account, verbose_name="账户", db_index=False, on_delete=models.PROTECT, related_name="entries"
    )
    currency = models.CharField("货币", max_length=8, choices=Currency)
    amount = models.BigIntegerField("金额")
    balance_after = models.BigIntegerField("余额", null=True, help_text="null for house accounts")

    class Meta:
        verbose_name = verbose_name_plural = "分录"
        indexes: ClassVar = [models.Index(fields=["account", "id"], name="entry_by_account")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount=0), name="entry_moves_something"),
            models.CheckConstraint(
                condition=Q(balance_after__isnull=True) | Q(balance_after__gte=0), name="entry_never_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+d} {self.currency}"


class Gift(models.Model):
    """What can be given, at what price. Gifts are retired (`active=False`), never deleted: old rooms name their ids."""

    class Animation(models.IntegerChoices):
        """What the shipped app plays; any other number jams its animation queue (B43)."""

        COMBO = 0, "普通连送"
        FINGER_RAIN = 1, "手指雨"
        POOP_RAIN = 2, "便便雨"
        BUBBLE_RAIN = 3, "泡泡雨"
        DIAMOND = 4, "全屏钻石"
        BAG = 5, "全屏包包"

    id = models.PositiveIntegerField(
        "ID",
        primary_key=True,
        validators=[MinValueValidator(1), MaxValueValidator(LARGEST_WIRE_INT)],
    )
    name = models.CharField("名称", max_length=20)
    desc = models.CharField("说明", max_length=100, blank=True)
    gold = models.PositiveIntegerField("价格(钻石)", validators=[MinValueValidator(1)])
    red = models.PositiveSmallIntegerField("背景色 R", default=255, validators=[MaxValueValidator(255)])
    green = models.PositiveSmallIntegerField("背景色 G", default=255, validators=[MaxValueValidator(255)])
    blue = models.PositiveSmallIntegerField("背景色 B", default=255, validators=[MaxValueValidator(255)])
    image = models.CharField("图片", max_length=200, help_text="a static file such as gifts/101.png, or an address")
    icon = models.CharField("图标", max_length=200, help_text="a static file such as gifts/101-icon.png, or an address")
    type = models.PositiveSmallIntegerField("动画", choices=Animation, default=Animation.COMBO)
    active = models.BooleanField("上架", default=True)
    order = models.PositiveIntegerField("排序", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "礼物"
        ordering: ClassVar = ["order", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(type__range=(0, 5)), name="gift_type_is_playable"),
            models.CheckConstraint(condition=Q(gold__gte=1), name="gift_costs_something"),
            models.CheckConstraint(
                condition=Q(red__lte=255, green__lte=255, blue__lte=255), name="gift_background_is_rgb"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.name}"

    @property
    def exp(self) -> int:
        """The experience its sender gains (D26)."""
        return self.gold * settings.EXPERIENCE_PER_GOLD

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Not `clean`, which does not know that the list's form has only some of the fields."""
        super().clean_fields(exclude)
        for field in {"image", "icon"} - set(exclude or ()):
            if not is_reachable(getattr(self, field)):
                raise ValidationError({field: "没有这个静态文件,也不是 http(s) 地址"})


def is_reachable(picture: str) -> bool:
    if picture.startswith(("http://", "https://")):
        return True
    try:
        return finders.find(picture) is not None
    except SuspiciousFileOperation:  # out of the static files
        return False


class GiftResource(models.Model):
    """A file the phone downloads to animate a gift; superseded ones stay, as replays still show them."""

    gift = models.ForeignKey(Gift, verbose_name="礼物", on_delete=models.CASCADE, related_name="resources")
    attr_file = models.CharField("文件", max_length=200, help_text="a static file or an address")
    file_md5 = models.CharField("MD5", max_length=32, blank=True)
    current = models.BooleanField("当前版本", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "礼物资源"
        ordering: ClassVar = ["gift_id", "-current", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gift"], condition=Q(current=True), name="gift_resource_one_current")
        ]

    def __str__(self) -> str:
        return self.attr_file


# Models of their own modules; Django looks for them here.
from payment.credit_models import Credit  # noqa: E402, F401
from payment.exchange_models import Exchange, P2gPackage  # noqa: E402, F401
from payment.order_models import (  # noqa: E402, F401  what Django looks for here
    Bill,
    BillLine,
    Channel,
    Notification,
    Order,
    Package,
    Refund,
)
from payment.withdrawal_models import AlipayAccount, AlipayOpening, Decision, Withdrawal  # noqa: E402, F401
