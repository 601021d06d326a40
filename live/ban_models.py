"""What operators did to a live, and whether its owner may open another."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from users.ban_models import Misdeed, with_end


class LiveBanQuerySet(models.QuerySet["LiveBan"]):
    def in_force(self) -> "LiveBanQuerySet":
        """Those whose owners may open no live now."""
        return self.filter(Q(until=None) | Q(until__gt=Now()), barred=True, lifted_at=None)

    def words_for(self, owner_id: int) -> str:
        """What an owner who may open no live is told: by which bar lasts longest. "" for who may."""
        lasting = self.in_force().filter(owner=owner_id).order_by(F("until").desc(nulls_first=True), "-pk").first()
        return with_end(f"您因{lasting.get_kind_display()}被禁止开播", lasting.until) if lasting else ""


class LiveBan(models.Model):
    """Operators took a live off the air, or barred its owner from opening others until a moment, or both."""

    live = models.ForeignKey("live.Live", on_delete=models.CASCADE, related_name="bans", verbose_name="直播")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="live_bans", db_index=False,
        verbose_name="主播",
    )  # fmt: skip
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name="操作人"
    )
    kind = models.SmallIntegerField("类别", choices=Misdeed.choices, default=Misdeed.OTHER)
    reason = models.CharField("原因（内部）", max_length=200, blank=True, default="")
    shown = models.CharField("向直播间显示", max_length=200)
    since = models.DateTimeField("封禁时间", db_default=Now())
    barred = models.BooleanField("禁播", default=False)
    until = models.DateTimeField("禁播到", null=True)  # for ever, where there is none and they are barred
    lifted_at = models.DateTimeField("解除禁播", null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name="解除人"
    )

    objects = LiveBanQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "封禁的直播"
        indexes: ClassVar = [models.Index(fields=["owner", "-id"], name="live_bans_of_an_owner")]

    def __str__(self) -> str:
        return f"{self.live_id}: {self.get_kind_display()}"
