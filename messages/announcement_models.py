"""What operators have to say to everybody, or to many (services/announcements.py)."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Announcement(models.Model):
    """A notice in the name of the official account, and how far its audience has it: the people up to `told_until`."""

    class State(models.IntegerChoices):
        DRAFT = 0, "草稿"
        PROPOSED = 1, "待复核"  # by a second operator
        SENDING = 2, "发送中"  # from `send_at` on
        DONE = 3, "已发完"
        STOPPED = 4, "已停止"

    class Platform(models.TextChoices):
        ANDROID = "android", "Android"
        IOS = "ios", "iOS"

    OVER: ClassVar = (State.DONE, State.STOPPED)

    title = models.CharField("标题", max_length=40)
    text = models.TextField("正文", max_length=500)
    link = models.CharField(
        "跳转链接",
        max_length=500,
        default="wmlives_heihei://homepage",
        validators=[RegexValidator(r"^wmlives_heihei://[^\s]+$", "应用内链接以 wmlives_heihei:// 开头")],
        help_text="wmlives_heihei:// 开头的应用内链接；网页用 wmlives_heihei://webview?url=…&type=0",
    )
    picture = models.URLField("图片地址", max_length=500, blank=True, default="", help_text="可不填")
    platform = models.CharField(
        "平台", max_length=8, choices=Platform.choices, blank=True, default="", help_text="不选：全部平台"
    )
    active_days = models.PositiveSmallIntegerField(
        "最近活跃天数",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="只发给最近这么多天内用过应用的人；不填：不限",
    )
    send_at = models.DateTimeField("发送时间", null=True, blank=True, help_text="不填：提交后立即发送")
    state = models.PositiveSmallIntegerField("状态", choices=State.choices, default=State.DRAFT)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="撰写人"
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name="提交人"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, verbose_name="复核人"
    )
    expected = models.IntegerField("预计人数", null=True)  # when it was proposed
    told = models.IntegerField("已发送人数", default=0)
    told_until = models.BigIntegerField(default=0)
    last_turn = models.DateTimeField(db_default=Now())  # of its last batch: who has waited longest is next
    created_at = models.DateTimeField("创建时间", db_default=Now())
    finished_at = models.DateTimeField("结束时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "公告"
        permissions: ClassVar = [("send_announcement", "可以提交、复核和停止公告")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__range=(0, 4)), name="announcement_state"),
            models.CheckConstraint(
                condition=~Q(state__in=(1, 2, 3)) | Q(proposed_by__isnull=False), name="announcement_is_proposed"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["last_turn"], condition=Q(state=2), name="announcements_to_tell")]

    def __str__(self) -> str:
        return self.title

    @property
    def whole_text(self) -> str:
        """As phones show it: a notice has no title of its own."""
        return f"【{self.title}】{self.text}"
