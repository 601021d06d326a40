"""Operators take lives off the air, and keep owners from opening others."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from heihei_site.console.acts import act, operator_of
from heihei_site.console.admin import ReadOnlyAdmin
from live.models import Live, LiveBan
from live.services import rooms
from users.ban_admin import MisdeedForm
from users.ban_models import Length

FOR_EVER = "ever"


class LiveBanForm(MisdeedForm):
    bar = forms.ChoiceField(
        label="禁止主播开播",
        choices=[("", "不禁播"), *((length.value or FOR_EVER, length.label) for length in Length)],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ["kind", "reason", "shown", "bar"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shown"].label = "向主播和观众显示"


def ban_all(request: HttpRequest, lives: QuerySet[Live], said: dict[str, Any]) -> int:
    """As a `LiveBanForm` says. Returns how many went off the air."""
    bar = said["bar"]
    until = Length(bar).after(timezone.now()) if bar not in ("", FOR_EVER) else None
    words = {name: said[name] for name in ("kind", "reason", "shown")}
    return sum(
        rooms.ban_live(live, **words, by=operator_of(request), barred=bool(bar), until=until)
        for live in lives.order_by("pk")
    )


@admin.register(LiveBan)
class LiveBanAdmin(ReadOnlyAdmin):
    list_display = ("live", "owner", "kind", "reason", "since", "bar_now", "until", "by", "lifted_by")
    list_filter = ("kind", "barred")
    list_select_related = ("live", "owner", "by", "lifted_by")
    search_fields = ("=live__id", "=owner__id", "owner__display_name", "reason")
    search_help_text = "liveId、主播 id、昵称或原因"
    ordering = ("-pk",)
    fields = ("live", "owner", "kind", "reason", "shown", "since", "barred", "until", "by", "lifted_at", "lifted_by")
    actions = actions_detail = ("lift_bar",)  # type: ignore[assignment]  # unfold's own are none

    @display(description="禁播", label={"禁播中": "danger"})
    def bar_now(self, ban: LiveBan) -> str:
        if not ban.barred:
            return "—"
        if ban.lifted_at is not None:
            return "已解除"
        return "禁播中" if ban.until is None or ban.until > timezone.now() else "已到期"

    @act("解除所选主播的禁播", permissions=["live.change_live"])
    def lift_bar(self, request: HttpRequest, queryset: QuerySet[LiveBan]) -> None:
        """All bars of these owners."""
        owners = {ban.owner_id: ban.owner for ban in queryset}
        lifted = sum(rooms.lift_bar(owner, by=operator_of(request)) for owner in owners.values())
        self.message_user(request, f"已解除 {lifted} 位主播的禁播", messages.SUCCESS if lifted else messages.WARNING)
