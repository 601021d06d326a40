from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from heihei_site.console.admin import ConsoleAdmin, ShownToEverybody
from heihei_site.system import banners, documents, offers, updates
from heihei_site.system.models import AppVersion, Banner, ClientLog, MatchingOff, Page
from payment.selectors import address_of


@admin.register(Banner)
class BannerAdmin(ShownToEverybody):
    kept = banners.showing
    list_display = ("picture", "desc", "type", "state", "starts_at", "ends_at", "active", "order")
    list_display_links = ("picture", "desc")
    list_editable = ("active", "order")
    list_filter = ("active", "type")
    search_fields = ("desc", "link")
    ordering = ("order", "id")
    ordering_field = "order"  # type: ignore[assignment]  # rows are dragged into place

    @display(description="图片")
    def picture(self, banner: Banner) -> SafeString:
        return format_html(
            '<img src="{}" alt="" height="40" style="max-width:120px;border-radius:6px">', address_of(banner.cover, "")
        )

    @display(description="状态", label={"显示中": "success", "未开始": "info", "已结束": "danger", "停用": "warning"})
    def state(self, banner: Banner) -> str:
        now = timezone.now()
        if not banner.active:
            return "停用"
        if banner.starts_at and banner.starts_at > now:
            return "未开始"
        return "已结束" if banner.ends_at and banner.ends_at <= now else "显示中"


@admin.register(AppVersion)
class AppVersionAdmin(ShownToEverybody):
    kept = updates.published
    list_display = ("version_code", "platform", "channel", "force", "published", "created_at")
    list_editable = ("published",)
    list_filter = ("platform", "published", "force")
    search_fields = ("version_code", "channel")
    ordering = ("-created_at", "-id")
    fields = ("platform", "channel", "version_code", "title", "text", "url", "file_name", "force", "published")


@admin.register(MatchingOff)
class MatchingOffAdmin(ShownToEverybody):
    kept = offers.off
    list_display = ("__str__", "platform", "channel", "first_version", "last_version", "active", "reason")
    list_editable = ("active",)
    list_filter = ("active", "platform")
    search_fields = ("channel", "reason")
    ordering = ("-id",)
    fields = ("platform", "channel", "first_version", "last_version", "active", "reason")


@admin.register(Page)
class PageAdmin(ShownToEverybody):
    """The apps know these addresses: no page is added or removed, only worded."""

    kept = documents.documents
    list_display = ("title", "slug", "effective_on", "modified_at")
    fields = ("title", "effective_on", "text")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Page | None = None) -> bool:
        return False


@admin.register(ClientLog)
class ClientLogAdmin(ConsoleAdmin):
    list_display = ("id", "created_at", "person", "platform", "version", "device", "beginning")
    list_display_links = ("id", "created_at")
    list_filter = ("platform", "created_at")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=user__id", "=version", "device")
    search_help_text = "用户 ID、版本或机型"
    ordering = ("-id",)
    fields = readonly_fields = ("created_at", "person", "platform", "version", "device", "whole")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClientLog]:
        return super().get_queryset(request).select_related("user")

    @display(description="用户", ordering="user")
    def person(self, log: ClientLog) -> str:
        return str(log.user) if log.user else "未登录"

    @display(description="日志")
    def beginning(self, log: ClientLog) -> str:
        return log.text[:80]

    @display(description="日志")
    def whole(self, log: ClientLog) -> SafeString:
        return format_html('<pre style="white-space:pre-wrap;overflow-wrap:anywhere">{}</pre>', log.text)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ClientLog | None = None) -> bool:
        return False
