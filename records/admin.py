from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from heihei_site.console.acts import act
from heihei_site.console.admin import ConsoleAdmin
from records.files import address_of
from records.models import Record
from records.services import review


@admin.register(Record)
class RecordAdmin(ConsoleAdmin):
    """To hear, and to publish or reject. What waits the longest is at the end of the list of what waits."""

    list_display = ("id", "user", "sound", "length", "how_it_is", "created_at", "reviewed_at")
    list_filter = ("status",)
    list_select_related = ("user",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", "=user__id", "user__display_name")
    search_help_text = "recordId、用户 id 或昵称"
    ordering = ("-id",)
    actions = ("publish", "reject")
    fields = ("id", "user", "sound", "length", "status", "heard_by", "file_md5", "created_at", "reviewed_at")
    readonly_fields = fields

    @display(description="状态", label={"待审核": "info", "已发布": "success", "未通过": "danger"})
    def how_it_is(self, record: Record) -> str:
        return record.get_status_display()

    @display(description="声音")
    def sound(self, record: Record) -> SafeString:
        if not record.file:
            return SafeString("—")
        return format_html('<audio controls preload="none" src="{}"></audio>', address_of(record.file))

    @display(description="听过的人数")
    def heard_by(self, record: Record) -> int:
        return record.heard.count()

    @act("发布所选录音", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Record]) -> None:
        many = sum(review.publish(record.pk) for record in queryset.order_by("pk"))
        self.message_user(request, f"已发布 {many} 段录音", messages.SUCCESS if many else messages.WARNING)

    @act("不通过所选录音", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Record]) -> None:
        """Their owners are told."""
        many = sum(review.reject(record.pk) for record in queryset.order_by("pk"))
        self.message_user(request, f"已拒绝 {many} 段录音", messages.SUCCESS if many else messages.WARNING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
