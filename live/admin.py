from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import HttpRequest
from unfold.decorators import display

from heihei_site.console.acts import act
from live.ban_admin import LiveBanForm, ban_all
from live.duty_admin import HasMicLink, HasMuted, ManagersAndMuted, OnAir, ToastForm, with_what_duty_sees
from live.models import Live
from live.recommend_admin import Recommending
from live.seat_admin import LiveForm
from live.services import moderation, seats
from users.ban_admin import unasked

EDITED = {"title", "recommended", "recommended_place", "recommended_until", "visible", "seats"}


@admin.register(Live)
class LiveAdmin(Recommending):
    list_display = ("id", "title", "owner", "state", "recommended", "occupied", "on_the_mic", "muted", "managers",
                    "total_users", "total_tickets", "started_at")  # fmt: skip
    list_display_links = ("id", "title")
    list_filter = (OnAir, "recommended", "visible", HasMicLink, HasMuted)
    list_select_related = ("owner",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", "title", "=owner__id", "owner__display_name")
    search_help_text = "liveId、标题、主播 id 或昵称"
    ordering = ("-created_at",)
    fields = ("id", "title", "owner", "status", "recommended", "recommended_place", "recommended_until", "score",
              "visible", "seats", "occupied", "total_users", "total_tickets", "likes", "created_at", "started_at",
              "ended_at", "owner_deadline", "stream")  # fmt: skip
    readonly_fields = tuple(name for name in fields if name not in EDITED)
    form = LiveForm
    actions = ("recommend", "stop_recommending", "toast", "ban_for", "ban")
    actions_detail = actions_row = ("toast", "ban_for")  # type: ignore[assignment]  # unfold's own are none
    inlines = (ManagersAndMuted,)

    @display(
        description="状态",
        ordering="status",
        label={"直播中": "success", "已封禁": "danger", "待开始": "info"},
    )
    def state(self, live: Live) -> str:
        return live.get_status_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Live]:
        return with_what_duty_sees(super().get_queryset(request))

    @display(description="连麦", boolean=True)
    def on_the_mic(self, live: Live) -> bool:
        return bool(live.on_the_mic)  # type: ignore[attr-defined]

    @display(description="禁言")
    def muted(self, live: Live) -> int:
        return int(live.muted)  # type: ignore[attr-defined]

    @display(description="管理员")
    def managers(self, live: Live) -> int:
        return int(live.managers)  # type: ignore[attr-defined]

    @act("向所选直播间发送弹窗提示", permissions=["change"], form=ToastForm)
    def toast(self, request: HttpRequest, queryset: QuerySet[Live], said: dict[str, Any]) -> None:
        """To everybody inside; a live that is over has nobody."""
        shown = sum(moderation.show_toast(live, **said) for live in queryset)
        self.message_user(request, f"已发送到 {shown} 个直播间", messages.SUCCESS if shown else messages.WARNING)

    @act("封禁所选直播", permissions=["change"], form=LiveBanForm, note="直播立即结束，主播和观众会看到下面的文字")
    def ban_for(self, request: HttpRequest, queryset: QuerySet[Live], said: dict[str, Any]) -> None:
        """Viewers are told and out; a live that is over stays as it is."""
        self.shut_down(request, queryset, said)

    @act("立即封禁所选直播（不询问）", permissions=["change"])
    def ban(self, request: HttpRequest, queryset: QuerySet[Live]) -> None:
        self.shut_down(request, queryset, unasked(LiveBanForm))

    def shut_down(self, request: HttpRequest, queryset: QuerySet[Live], said: dict[str, Any]) -> None:
        banned = ban_all(request, queryset, said)
        self.message_user(request, f"已封禁 {banned} 场直播", messages.SUCCESS if banned else messages.WARNING)

    def save_model(self, request: HttpRequest, obj: Model, form: Form, change: bool) -> None:
        """Only what was edited: the rest of the row has gone on living since the page was opened."""
        obj.save(update_fields=[name for name in form.changed_data if name != "seats"])
        many = form.cleaned_data.get("seats")
        if "seats" in form.changed_data and many and not seats.resize(obj.pk, many):
            self.message_user(request, "座位数没有改：座位已被占用或锁定，或直播已结束", messages.ERROR)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Live | None = None) -> bool:
        return False
