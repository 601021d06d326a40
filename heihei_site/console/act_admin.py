"""The page of what operators did."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from heihei_site.console.admin import ReadOnlyAdmin
from heihei_site.console.models import Act

NEWEST = 10_000  # acts, whose verbs can be chosen
NOBODY = "0"


class Operator(DropdownFilter):
    title, parameter_name = "操作人", "operator"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        staff = get_user_model()._default_manager.filter(is_staff=True).order_by("username")
        return [(str(one.pk), f"{one.get_username()} {one}") for one in staff] + [(NOBODY, "未登录")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Act]) -> QuerySet[Act]:
        value = self.value() or ""
        if value == NOBODY:
            return queryset.filter(operator=None)
        return queryset.filter(operator=int(value)) if value.isdecimal() else queryset


class Verb(DropdownFilter):
    title, parameter_name = "操作", "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = Act.objects.order_by("-pk")[:NEWEST]
        return [(verb, verb) for verb in sorted({act.verb for act in newest.only("verb")})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Act]) -> QuerySet[Act]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


class About(DropdownFilter):
    title, parameter_name = "对象类型", "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        shown = (model._meta for model in admin.site._registry if not model._meta.proxy)
        return [(meta.label_lower, str(meta.verbose_name)) for meta in shown]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Act]) -> QuerySet[Act]:
        return queryset.filter(model=self.value()) if self.value() else queryset


@admin.register(Act)
class ActAdmin(ReadOnlyAdmin):
    list_display = ("when", "operator", "verb", "link", "reason", "said", "address")
    list_filter = (("at", RangeDateTimeFilter), Operator, Verb, About)
    list_filter_submit = True
    list_select_related = ("operator",)
    search_fields = ("=object_id",)
    search_help_text = "对象 ID（用户 ID、liveId、订单号……）"
    ordering = ("-pk",)
    fields = ("when", "operator", "verb", "kind", "link", "reason", "said", "address")

    @display(description="时间", ordering="at")
    def when(self, act: Act) -> str:
        return f"{timezone.localtime(act.at):%Y-%m-%d %H:%M:%S}"

    @display(description="对象类型")
    def kind(self, act: Act) -> str:
        try:
            return str(apps.get_model(act.model)._meta.verbose_name)
        except LookupError:
            return act.model

    @display(description="对象", ordering="object_id")
    def link(self, act: Act) -> SafeString | str:
        if not act.object_id:
            return act.words
        try:
            where = reverse(f"admin:{act.model.replace('.', '_')}_change", args=[act.object_id])
        except NoReverseMatch:
            return act.words
        return format_html('<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>', where, act.words)

    @display(description="详情")
    def said(self, act: Act) -> SafeString:
        return _below_each_other(act.lines)


def _below_each_other(lines: Iterable[str]) -> SafeString:
    return format_html_join(
        "", '<div class="max-w-md whitespace-normal break-words">{}</div>', ((line,) for line in lines)
    )
