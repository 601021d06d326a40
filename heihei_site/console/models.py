from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now

OLD, NEW = "旧", "新"  # values of something that was changed
WORDS = 200  # characters of what an act was about, and of its reason


class ActQuerySet(models.QuerySet["Act"]):
    def about(self, row: models.Model) -> "ActQuerySet":
        return self.filter(model=name_of(type(row)), object_id=str(row.pk))


class Act(models.Model):
    """What an operator did, or began to do. Append-only: the database refuses UPDATE, DELETE and TRUNCATE."""

    at = models.DateTimeField("时间", db_default=Now(), db_index=True)
    # Nobody where somebody failed to sign in by a name that nobody has.
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="操作人"
    )
    verb = models.CharField("操作", max_length=64, db_index=True)
    model = models.CharField("对象类型", max_length=100, help_text="app.model")
    object_id = models.CharField("对象 ID", max_length=64, blank=True, help_text="空：整个列表，或尚无对象")
    words = models.CharField("对象", max_length=WORDS, blank=True)
    reason = models.CharField("原因", max_length=WORDS, blank=True)
    details = models.JSONField("详情", default=dict, encoder=DjangoJSONEncoder)
    address = models.CharField("来源地址", max_length=45, blank=True)

    objects = ActQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "操作记录"
        default_permissions = ("view",)
        permissions = (("export_csv", "可以把列表导出为 CSV"),)
        indexes = (
            models.Index(fields=["model", "object_id", "-id"], name="console_act_about"),
            models.Index(fields=["operator", "-id"], name="console_act_by"),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.words}"

    @property
    def lines(self) -> list[str]:
        """The details as a person reads them."""
        return [f"{label}：{_in_words(value)}" for label, value in self.details.items()]


def name_of(model: type[models.Model]) -> str:
    """As an act calls it: a queue of people is about people."""
    return model._meta.concrete_model._meta.label_lower  # type: ignore[union-attr]  # no abstract model has rows


def _in_words(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {OLD, NEW}:
        return f"{_in_words(value[OLD])} → {_in_words(value[NEW])}"
    if isinstance(value, dict):
        return "，".join(f"{key} {_in_words(each)}" for key, each in value.items()) or "无"
    if isinstance(value, list):
        return "、".join(map(_in_words, value)) or "无"
    if isinstance(value, bool):
        return "是" if value else "否"
    return "空" if value in (None, "") else str(value)


# Models of their own modules; Django looks for them here.
from heihei_site.console.figure_models import Day, Hour  # noqa: E402, F401
from heihei_site.console.tunable_models import TunedValue  # noqa: E402, F401
