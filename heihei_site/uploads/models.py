from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from heihei_site.uploads.kinds import FORMATS, Kind

PUBLIC = "data"  # what is below is for everybody; the rest of the storage for whoever wrote it and us


class Upload(models.Model):
    """The right to write one object, and what became of it: granted, found (`version`), claimed (`used_by`), examined
    (`accepted`), told."""

    class Module(models.TextChoices):
        RECORD = "record", "录音"
        MESSAGE = "message", "消息"
        AVATAR = "avatar", "头像"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name="用户")
    module = models.CharField("模块", max_length=7, choices=Module.choices)
    format = models.CharField("格式", max_length=4)
    name = models.CharField("文件名", max_length=64, unique=True)
    sign = models.CharField(max_length=32, unique=True)
    created_at = models.DateTimeField("时间", db_default=Now())
    expires_at = models.DateTimeField()
    version = models.CharField(max_length=80, blank=True, default="")  # the one that was looked at, as its storage says
    size = models.IntegerField("字节", default=0)
    published = models.BooleanField(default=False)  # sound and videos when they are found, pictures once examined
    used_by = models.CharField("用途", max_length=64, blank=True, default="")
    claimed_at = models.DateTimeField(null=True)
    working_until = models.DateTimeField(null=True)  # a job has it in hand
    accepted = models.BooleanField("通过", null=True)
    seconds = models.FloatField("秒", null=True)
    told_at = models.DateTimeField(null=True)  # whoever uses it knows what the examination found
    swept_at = models.DateTimeField(null=True)  # it is being thrown away and cannot be claimed any more
    cleared = models.BooleanField(default=False)  # the object that the phone wrote is gone

    class Meta:
        verbose_name = verbose_name_plural = "上传文件"
        indexes: ClassVar = [
            models.Index("expires_at", condition=Q(cleared=False), name="upload_expiry"),
            models.Index("claimed_at", condition=Q(told_at=None, claimed_at__isnull=False), name="upload_waiting"),
            models.Index("user", condition=Q(used_by=""), name="upload_unused"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> Kind:
        return FORMATS[self.format]

    @property
    def key(self) -> str:
        """Where the phone writes it."""
        return f"{self.module}/{self.name}"

    @property
    def public_key(self) -> str:
        return f"{PUBLIC}/{self.key}"

    @property
    def url(self) -> str:
        return f"{settings.UPLOADS_URL}/{self.public_key}"
