"""What operators put before everybody: banners, new versions of the apps, what these offer, pages; and the logs that
phones send."""

from collections.abc import Callable, Collection
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from heihei_site.system import links, releases
from payment.models import is_reachable


class Banner(models.Model):
    """A picture on the home page that leads somewhere, for a time."""

    class Kind(models.IntegerChoices):
        USER = 1, "用户"
        LIVE = 2, "直播"
        URL = 3, "网页"

    LINKS: ClassVar[dict[int, Callable[[str], str]]] = {
        Kind.USER: links.to_user,
        Kind.LIVE: links.to_live,
        Kind.URL: links.to_page,
    }

    desc = models.CharField("标题", max_length=64)
    cover = models.CharField("图片", max_length=500, help_text="图片地址（http:// 或 https://），或静态文件名")
    type = models.PositiveSmallIntegerField("类型", choices=Kind, default=Kind.URL)
    link = models.CharField(
        "链接", max_length=1000, help_text="用户填用户 ID，直播填 liveId，网页填网址；保存后自动变成应用内链接"
    )
    starts_at = models.DateTimeField("开始时间", null=True, blank=True, help_text="留空：立即开始")
    ends_at = models.DateTimeField("结束时间", null=True, blank=True, help_text="留空：一直显示")
    active = models.BooleanField("启用", default=True)
    order = models.PositiveIntegerField("排序", default=0, help_text="小的在前")

    class Meta:
        verbose_name = verbose_name_plural = "首页广告"
        ordering: ClassVar = ["order", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(type__range=(1, 3)), name="banner_type_is_known"),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="banner_ends_after_it_starts",
                violation_error_message="结束时间要晚于开始时间",
            ),
        ]

    def __str__(self) -> str:
        return self.desc

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Not `clean`, which does not know that the list's form has only some of the fields."""
        super().clean_fields(exclude)
        left_out = exclude or ()
        if "cover" not in left_out and not is_reachable(self.cover):
            raise ValidationError({"cover": "没有这个静态文件，也不是 http(s) 地址"})
        if "link" not in left_out:
            try:
                self.link = self.LINKS[self.type](self.link)
            except links.NoSuchLink as error:
                raise ValidationError({"link": f"请填{error}"}) from error


class AppVersion(models.Model):
    """A version that phones are told about (D31)."""

    class Platform(models.TextChoices):
        ANDROID = "android", "Android"
        IOS = "ios", "iOS"

    platform = models.CharField("系统", max_length=7, choices=Platform)
    channel = models.CharField("渠道", max_length=64, blank=True, default="", help_text="如 huawei；留空：所有渠道")
    version_code = models.CharField(
        "版本号", max_length=32, help_text="如 1.10.0", validators=[RegexValidator(releases.PATTERN, "不是版本号")]
    )
    force = models.BooleanField("强制更新", default=False, help_text="比它旧的都必须更新，即使后来还有更新的版本")
    title = models.CharField("标题", max_length=64, default="发现新版本")
    text = models.TextField("说明", max_length=1000)
    url = models.CharField("下载地址", max_length=500, validators=[URLValidator(["http", "https"])])
    file_name = models.CharField("文件名", max_length=64, default="heihei.apk")
    published = models.BooleanField("发布", default=False)
    created_at = models.DateTimeField("创建时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "客户端版本"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform", "channel", "version_code"], name="one_package_a_version"),
            models.CheckConstraint(condition=Q(platform__in=["android", "ios"]), name="version_platform_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.version_code} {self.channel}".strip()

    @property
    def release(self) -> releases.Release:
        return releases.release(self.version_code)


class MatchingOff(models.Model):
    """Phones that do not offer matching: a store removes apps that bring strangers together (D34)."""

    platform = models.CharField(
        "系统", max_length=7, choices=AppVersion.Platform, blank=True, help_text="留空：所有系统"
    )
    channel = models.CharField("渠道", max_length=64, blank=True, default="", help_text="如 AppStore；留空：所有渠道")
    first_version = models.CharField(
        "从版本", max_length=32, blank=True, default="", help_text="如 2.0.1；留空：最早的版本起",
        validators=[RegexValidator(releases.PATTERN, "不是版本号")],
    )  # fmt: skip
    last_version = models.CharField(
        "到版本", max_length=32, blank=True, default="", help_text="含这个版本；留空：以后的版本也算",
        validators=[RegexValidator(releases.PATTERN, "不是版本号")],
    )  # fmt: skip
    active = models.BooleanField("启用", default=True)
    reason = models.CharField("说明", max_length=100, blank=True, default="", help_text="如“2.0.1 审核期间”")

    class Meta:
        verbose_name = verbose_name_plural = "关闭匹配"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(platform__in=["", "android", "ios"]), name="matching_platform_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.channel} {self.first_version}–{self.last_version}".strip()


def page_path(slug: str) -> str:
    """Where the shipped apps look for it, whatever STATIC_URL is."""
    return f"/static/app/{slug}.html"


class Page(models.Model):
    """One of the pages that the apps link to, as operators worded it (heihei_site.system.documents)."""

    class Slug(models.TextChoices):
        SOCIAL_PACT = "social-pact", "社区公约"
        SERVICE_TERMS = "service-terms", "用户服务协议"
        CONTACT_US = "contact-us", "联系我们"
        PAY_AGREEMENT = "pay-agreement", "充值协议"

    slug = models.CharField("页面", max_length=32, primary_key=True, choices=Slug)
    title = models.CharField("标题", max_length=64)
    text = models.TextField(
        "正文",
        max_length=50_000,
        help_text="空一行分段；“## ”小标题，“- ”或“1. ”列表，“> ”提示，**加粗**；"
        "网址和邮箱自动变成链接，其余照原样显示",
    )
    effective_on = models.DateField("生效日期", null=True, blank=True)
    modified_at = models.DateTimeField("修改时间", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "页面"
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return page_path(self.slug)


class ClientLog(models.Model):
    """What a phone wrote down and sent, without what looks like a secret (I12); nobody's where its token was bad."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="用户",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="client_logs",
    )
    platform = models.CharField("系统", max_length=16, blank=True, default="")
    version = models.CharField("版本", max_length=32, blank=True, default="")
    device = models.CharField("机型", max_length=64, blank=True, default="")
    text = models.TextField("日志")
    created_at = models.DateTimeField("时间", db_default=Now(), db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = "客户端日志"

    def __str__(self) -> str:
        return f"log {self.pk} of {self.user_id or 'nobody'}"
