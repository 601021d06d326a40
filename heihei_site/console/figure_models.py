"""What `counting.py` has counted. Hours are kept for HOURS_KEPT, long enough for every chart and to sum each of its
days; days stay for ever, a dozen short rows each, for whoever compares a year with the one before."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

HOURS_KEPT = timedelta(days=40)


class Hour(models.Model):
    """The value of a figure (`figures.py`) in the hour that begins at `hour`. Once `settled` it never changes again."""

    figure = models.CharField(max_length=40)
    hour = models.DateTimeField()
    value = models.BigIntegerField()
    settled = models.BooleanField(default=False)
    counted_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("view_money", "可以查看营收数据")]
        constraints: ClassVar = [models.UniqueConstraint(fields=["figure", "hour"], name="one_value_an_hour")]

    def __str__(self) -> str:
        return f"{self.figure} {self.hour:%Y-%m-%d %H}: {self.value}"


class Day(models.Model):
    """The value of a figure on a day in Shanghai."""

    figure = models.CharField(max_length=40)
    day = models.DateField()
    value = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["figure", "day"], name="one_value_a_day")]

    def __str__(self) -> str:
        return f"{self.figure} {self.day}: {self.value}"
