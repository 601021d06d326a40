from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now

WORDS = 200  # characters of what an act was about, and of its reason


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


# Models of their own modules; Django looks for them here.
from heihei_site.console.figure_models import Day, Hour  # noqa: E402, F401
