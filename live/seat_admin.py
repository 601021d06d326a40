"""How many seats operators give a live, or the lives of an owner (D23)."""

from typing import Any

from django import forms
from django.contrib import admin

from heihei_site.console.admin import ConsoleAdmin
from live.models import LEAST_UNLOCKED, SeatAllowance


class LiveForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seats" in self.fields:  # not for who may only look
            self.fields["seats"].required = False

    def clean_seats(self) -> int | None:
        many: int | None = self.cleaned_data["seats"]
        live = self.instance
        least = max(live.occupied, LEAST_UNLOCKED) + live.locked
        if many is not None and live.is_open and many < least:
            raise forms.ValidationError(f"不能少于 {least}：在线 {live.occupied} 人，锁定 {live.locked} 个")
        return live.seats if many is None else many


@admin.register(SeatAllowance)
class SeatAllowanceAdmin(ConsoleAdmin):
    """For lives that open from now on; one that is open has its own number."""

    list_display = ("owner", "seats")
    list_select_related = ("owner",)
    search_fields = ("=owner__id", "owner__display_name")
    search_help_text = "主播 id 或昵称"
    raw_id_fields = ("owner",)
