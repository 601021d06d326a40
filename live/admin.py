from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from live.models import Live
from live.services import rooms


@admin.register(Live)
class LiveAdmin(ModelAdmin):
    list_display = ("id", "title", "owner", "state", "occupied", "total_users", "total_tickets", "started_at")
    list_display_links = ("id", "title")
    list_filter = ("status", "recommended", "visible")
    list_select_related = ("owner",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", "title", "=owner__id", "owner__display_name")
    search_help_text = "liveId、标题、主播 id 或昵称"
    ordering = ("-created_at",)
    fields = ("id", "title", "owner", "status", "recommended", "visible", "seats", "occupied", "total_users",
              "total_tickets", "likes", "created_at", "started_at", "ended_at", "owner_deadline", "stream")  # fmt: skip
    readonly_fields = tuple(name for name in fields if name not in ("title", "recommended", "visible"))
    actions = ("ban",)

    @display(
        description="状态",
        ordering="status",
        label={"直播中": "success", "已封禁": "danger", "待开始": "info"},
    )
    def state(self, live: Live) -> str:
        return live.get_status_display()

    @admin.action(description="封禁所选直播", permissions=["change"])
    def ban(self, request: HttpRequest, queryset: QuerySet[Live]) -> None:
        """Viewers are told and out; a live that is over stays as it is."""
        banned = sum(rooms.ban_live(live) for live in queryset)
        self.message_user(request, f"已封禁 {banned} 场直播", messages.SUCCESS if banned else messages.WARNING)

    def save_model(self, request: HttpRequest, obj: Model, form: Form, change: bool) -> None:
        """Only what was edited: the rest of the row has gone on living since the page was opened."""
        obj.save(update_fields=form.changed_data)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Live | None = None) -> bool:
        return False
