"""Who is shut out, why, and until when."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from heihei_site.api.wire import clock

FOR_EVER = "永久封禁"


class Misdeed(models.IntegerChoices):
    """What somebody did that operators do not let pass."""

    OTHER = 0, "违反社区规定"
    FRAUD = 1, "发布欺诈或广告信息"
    HARASSMENT = 2, "骚扰他人"
    PORN = 3, "传播色情低俗内容"
    PRETENDING = 4, "冒充他人"
    UNLAWFUL = 5, "传播违法违规内容"


class Length(models.TextChoices):
    """For how long operators shut somebody out."""

    DAY = "1", "1 天"
    THREE_DAYS = "3", "3 天"
    WEEK = "7", "7 天"
    MONTH = "30", "30 天"
    FOR_EVER = "", "永久"

    def after(self, now: datetime) -> datetime | None:
        """When it is over; None where it never is."""
        return now + timedelta(days=int(self.value)) if self.value else None


def with_end(shown: str, until: datetime | None) -> str:
    """What somebody shut out is told, with the moment, of the day in Shanghai, from which on they are not."""
    return f"{shown.rstrip('。')}。解封时间：{clock(until) if until else FOR_EVER}"


class BanQuerySet(models.QuerySet["Ban"]):
    def in_force(self) -> "BanQuerySet":
        return self.filter(Q(until=None) | Q(until__gt=Now()), ended_at=None)

    def words_for(self, user_id: int) -> str:
        """What somebody banned is told: of several bans that which ends last. "" where there is none."""
        lasting = self.in_force().filter(user=user_id).order_by(F("until").desc(nulls_first=True), "-pk").first()
        return with_end(lasting.shown, lasting.until) if lasting else ""


class Ban(models.Model):
    """Operators shut somebody out. Who is banned twice is so until both are over; what is over stays as history."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bans", db_index=False, verbose_name="用户"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name="操作人"
    )
    kind = models.SmallIntegerField("类别", choices=Misdeed.choices, default=Misdeed.OTHER)
    reason = models.CharField("原因（内部）", max_length=200, blank=True, default="")
    shown = models.CharField("向用户显示", max_length=200)
    since = models.DateTimeField("封禁时间", db_default=Now())
    until = models.DateTimeField("解封时间", null=True)  # never, where there is none
    ended_at = models.DateTimeField("已结束", null=True)  # when it was lifted, or `until` once somebody noticed
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name="解封人"
    )

    objects = BanQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "封禁"
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="bans_of_a_person"),
            models.Index(
                fields=["until"], condition=Q(ended_at=None) & Q(until__isnull=False), name="bans_to_be_ended"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.get_kind_display()}"


class BannedToken(models.Model):
    """What is left of a sign-in that a ban ended, until that is over: a phone that still has the token hears why."""

    digest = models.BinaryField(max_length=32, primary_key=True)  # as of sessions
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="banned_tokens")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return f"token of {self.user_id}"
