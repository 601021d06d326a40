"""Where people are signed in, and ending it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from heihei_site.console.acts import act
from heihei_site.console.admin import ConsoleAdmin
from users import auth
from users.finding import with_phone
from users.models import Session


@admin.register(Session)
class SessionAdmin(ConsoleAdmin):
    """One line a sign-in. A token cannot be seen here, nor anywhere else."""

    list_display = ("user", "device", "client_version", "active_at", "address", "created_at", "expires_at")
    list_filter = ("platform",)
    list_select_related = ("user",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=user__id", "user__display_name")
    search_help_text = "用户 id 或昵称；有权限的也可用手机号"
    ordering = ("-active_at", "-pk")
    actions = ("end",)
    fields = readonly_fields = ("user", "device", "client_version", "uuid", "address", "created_at", "active_at",
                                "expires_at")  # fmt: skip

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return with_phone(request, super().get_search_fields(request), "=user__phone")

    @display(description="设备")
    def device(self, session: Session) -> str:
        return " ".join(filter(None, (session.model, session.platform))) or "—"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # ended by the action below, which closes the sockets too

    @act("结束所选登录", permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """Their tokens are dead at once, their sockets within two seconds."""
        chosen = list(queryset.select_related("user"))
        for session in chosen:
            auth.end_sessions(session.user, only=session)
        self.message_user(request, f"已结束 {len(chosen)} 个登录", messages.SUCCESS)
