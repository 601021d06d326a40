"""Points for gold (D37): what is on offer, and what was exchanged."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

LARGEST_WIRE_INT = 2**31 - 1


class P2gPackage(models.Model):
    """So many points for so much gold. Retired (`active=False`), never deleted: exchanges name it."""

    desc = models.CharField("说明", max_length=100)
    point = models.PositiveIntegerField(
        "价格(黑票)", validators=[MinValueValidator(1), MaxValueValidator(LARGEST_WIRE_INT)]
    )
    gold = models.PositiveIntegerField("钻石", validators=[MinValueValidator(1), MaxValueValidator(LARGEST_WIRE_INT)])
    active = models.BooleanField("上架", default=True)
    order = models.PositiveIntegerField("排序", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "兑换套餐"
        ordering: ClassVar = ["order", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(point__gte=1, gold__gte=1), name="p2g_package_moves_something"),
        ]

    def __str__(self) -> str:
        return f"{self.point} 黑票 → {self.gold} 钻石"


class Exchange(models.Model):
    """One exchange, as it was at its time; never changed. `number` is what the phone is told as `order`."""

    number = models.CharField("编号", max_length=32, primary_key=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="用户",
        on_delete=models.PROTECT,
        related_name="exchanges",
    )
    package = models.ForeignKey(P2gPackage, verbose_name="套餐", on_delete=models.PROTECT, related_name="exchanges")
    point = models.PositiveIntegerField("黑票")
    gold = models.PositiveIntegerField("钻石")
    point_after = models.BigIntegerField("剩余黑票")
    created_at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "兑换"

    def __str__(self) -> str:
        return self.number
