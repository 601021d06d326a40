from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Record(models.Model):
    """A voice clip with which somebody introduces themselves. Others hear it once operators have."""

    class Status(models.IntegerChoices):
        WAITING = 0, "待审核"
        PUBLISHED = 1, "已发布"
        REJECTED = 2, "未通过"  # these two never travel
        DELETED = 3, "已删除"

    THERE: ClassVar = (Status.WAITING, Status.PUBLISHED)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="用户"
    )
    file = models.CharField("文件", max_length=255)  # its name in the storage
    file_md5 = models.CharField("MD5", max_length=32)
    length = models.IntegerField("时长（秒）")  # as the phone says until it is measured
    measured = models.BooleanField("已测量", default=True)  # nobody hears it before
    status = models.SmallIntegerField("状态", choices=Status.choices, default=Status.WAITING)
    score = models.BigIntegerField(null=True)  # its place among the published, the newest highest
    created_at = models.DateTimeField("上传时间", db_default=Now())
    reviewed_at = models.DateTimeField("审核时间", null=True)
    rejected_for = models.CharField("未通过原因", max_length=200, blank=True, default="", db_default="")

    class Meta:
        verbose_name = verbose_name_plural = "录音"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "file_md5"], condition=Q(status__in=(0, 1)), name="one_record_a_file"
            ),
            models.UniqueConstraint(fields=["score"], name="records_in_order"),
            models.CheckConstraint(
                condition=~Q(status=1) | Q(score__isnull=False), name="published_records_have_a_place"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-score"], condition=Q(status=1), name="published_records"),
            models.Index(fields=["user", "-id"], name="records_of_a_person"),
            models.Index(fields=["status", "id"], name="records_to_review"),
            models.Index(fields=["id"], condition=Q(status=0, measured=False), name="records_to_measure"),
            models.Index(fields=["id"], condition=Q(status__in=(2, 3)) & ~Q(file=""), name="records_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.length} s"


class Listening(models.Model):
    """Who has heard a record."""

    pk = models.CompositePrimaryKey("record", "user")
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="heard", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    times = models.IntegerField("次数", default=1)
    first_at = models.DateTimeField("第一次", db_default=Now())
    last_at = models.DateTimeField("最近一次", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "收听记录"

    def __str__(self) -> str:
        return f"{self.user_id} heard {self.record_id}"
