"""What operators have changed of the settings that are theirs (tunables.py)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class TunedValue(models.Model):
    """One changed setting; without a row its default counts. `value` as its kind keeps it (tunable_kinds.py)."""

    name = models.CharField("参数", max_length=64, primary_key=True)
    value = models.JSONField("当前值")
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name="修改人"
    )
    changed_at = models.DateTimeField("修改时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "运营参数"
        default_permissions: ClassVar = ("view", "change")
        permissions: ClassVar = [("tune_money", "可以修改充值和提现的参数")]

    def __str__(self) -> str:
        return self.name
