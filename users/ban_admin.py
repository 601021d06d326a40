"""Operators shut people out: what they are asked before, and what is kept of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from heihei_site.console.acts import operator_of
from heihei_site.console.admin import ReadOnlyAdmin
from heihei_site.console.forms import ReasonForm
from users.ban_models import Ban, Length, Misdeed
from users.models import User
from users.services import bans


class MisdeedForm(ReasonForm):
    """The kind alone is enough said."""

    kind = forms.ChoiceField(
        label="类别", choices=Misdeed.choices, required=False, initial=Misdeed.OTHER, widget=UnfoldAdminSelectWidget
    )
    shown = forms.CharField(
        label="向用户显示",
        max_length=200,
        required=False,
        help_text="留空：按类别自动填写",
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ["kind", "reason", "shown"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False
        self.fields["reason"].help_text = "仅运营可见；留空：同类别"

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        said["kind"] = Misdeed(int(said.get("kind") or Misdeed.OTHER))
        said["reason"] = said.get("reason") or said["kind"].label
        return said


class BanForm(MisdeedForm):
    length = forms.ChoiceField(
        label="期限", choices=Length.choices, required=False, initial=Length.WEEK, widget=UnfoldAdminSelectWidget
    )
    field_order = ["length", "kind", "reason", "shown"]


def unasked(form: type[forms.Form]) -> dict[str, Any]:
    """What a form says that nobody fills in: scripts post the action `ban` by itself, and mean it."""
    empty = form({})
    assert empty.is_valid()
    return empty.cleaned_data


def ban_all(request: HttpRequest, people: list[User], said: dict[str, Any]) -> None:
    """As a `BanForm` says."""
    until = Length(said["length"]).after(timezone.now())
    for user in people:
        bans.ban(
            user, kind=said["kind"], reason=said["reason"], shown=said["shown"], until=until, by=operator_of(request)
        )


@display(
    description="状态",
    label={"生效中": "danger", "已解除": "success", "已到期": "info"},
)
def state_of(ban: Ban) -> str:
    if ban.lifted_by_id:
        return "已解除"
    over = ban.ended_at is not None or (ban.until is not None and ban.until <= timezone.now())
    return "已到期" if over else "生效中"


@admin.register(Ban)
class BanAdmin(ReadOnlyAdmin):
    """Ended on the person's page: that lifts all of them that are in force."""

    list_display = ("user", state_of, "kind", "reason", "since", "until", "by", "lifted_by")
    list_filter = ("kind",)
    list_select_related = ("user", "by", "lifted_by")
    search_fields = ("=user__id", "user__display_name", "reason")
    search_help_text = "用户 id、昵称或原因"
    ordering = ("-pk",)
    fields = ("user", "kind", "reason", "shown", "since", "until", "by", "ended_at", "lifted_by")
