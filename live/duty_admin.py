"""What operators on duty look for in lives, and write into them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from heihei_site.console.first_view import FirstView
from live.models import Guest, Live, MicLink

_IS_MUTED = Q(muted_at__isnull=False)
_IS_MANAGER = Q(manager_since__isnull=False)


def with_what_duty_sees(lives: QuerySet[Live]) -> QuerySet[Live]:
    """Each with `on_the_mic`, and how many are `muted` and how many `managers`."""
    return lives.annotate(on_the_mic=_on_the_mic(), muted=_many(_IS_MUTED), managers=_many(_IS_MANAGER))


def _on_the_mic() -> Exists:
    return Exists(MicLink.objects.filter(live=OuterRef("pk"), state__in=MicLink.LINKED))


def _many(condition: Q) -> Coalesce:
    of_a_live = Guest.objects.filter(condition, live=OuterRef("pk")).order_by().values("live")
    return Coalesce(Subquery(of_a_live.annotate(many=Count("pk")).values("many"), output_field=IntegerField()), 0)


class _YesOrNo(admin.SimpleListFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "是"), ("0", "否")]

    def condition(self) -> Exists:
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Live]) -> QuerySet[Live]:
        match self.value():
            case "1":
                return queryset.filter(self.condition())
            case "0":
                return queryset.exclude(self.condition())
        return queryset


class OnAir(FirstView):
    title = "状态"
    views = {
        "playing": ("直播中", {"status": Live.Status.PLAYING}),
        "open": ("进行中（含待开始）", {"status__in": Live.OPEN}),
        "stopped": ("已结束", {"status": Live.Status.STOPPED}),
        "banned": ("已封禁", {"status": Live.Status.BANNED}),
        "deleted": ("已删除", {"status": Live.Status.DELETED}),
    }


class HasMicLink(_YesOrNo):
    title, parameter_name = "连麦中", "mic"

    def condition(self) -> Exists:
        return _on_the_mic()


class HasMuted(_YesOrNo):
    title, parameter_name = "有人被禁言", "muted"

    def condition(self) -> Exists:
        return Exists(Guest.objects.filter(_IS_MUTED, live=OuterRef("pk")))


class ManagersAndMuted(TabularInline):
    """To look at: the owner appoints, and who is muted is told so by those in the room."""

    model = Guest
    fields = readonly_fields = ("user", "is_manager", "is_muted")
    extra = 0
    can_delete = False
    verbose_name_plural = "管理员与被禁言的人"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Guest]:
        return super().get_queryset(request).filter(_IS_MUTED | _IS_MANAGER).select_related("user")

    @display(description="管理员", boolean=True)
    def is_manager(self, guest: Guest) -> bool:
        return guest.manager_since is not None

    @display(description="禁言", boolean=True)
    def is_muted(self, guest: Guest) -> bool:
        return guest.muted_at is not None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ToastForm(forms.Form):
    text = forms.CharField(label="内容", max_length=200, widget=UnfoldAdminTextareaWidget)
    seconds = forms.IntegerField(
        label="显示秒数", min_value=1, max_value=60, initial=3, widget=UnfoldAdminIntegerFieldWidget
    )
