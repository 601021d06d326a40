"""What every page of the console derives from."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten, flatten_fieldsets, unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action

from heihei_site.console import acts, export, values
from heihei_site.console.models import Act
from heihei_site.postgres.kept import Kept


class ConsoleAdmin(ModelAdmin):
    """Whatever is added, changed or deleted by a form of it is an `Act` with old and new values, in the transaction of
    the deed. Actions are made by `acts.act`. What the list shows can be exported. A list in which one writes
    has pages short enough to be sent: no request has more than API_FIELDS fields."""

    exports = True

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        if self.list_editable:
            self.list_per_page = min(self.list_per_page, settings.API_FIELDS // (2 + len(self.list_editable)))
        if self.exports:
            self.actions_list = (*self.actions_list, "export_csv")  # type: ignore[assignment]  # any number of them

    def may(self, request: HttpRequest, permissions: Iterable[str]) -> bool:
        """All of them: `"app.codename"` is the person's, `"change"` what `has_change_permission` says."""
        return all(
            request.user.has_perm(each) if "." in each else bool(getattr(self, f"has_{each}_permission")(request))
            for each in permissions
        )

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("console.export_csv") and self.has_view_permission(request))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """An address with `?phone__startswith=` would ask for what no page shows."""
        parts = lookup.split("__")
        secret = any(values.is_secret(part) for part in parts)
        return not secret and not self._keeps_back(parts[0]) and super().lookup_allowed(lookup, value, request)

    def _keeps_back(self, name: str) -> bool:
        """A column that neither list nor page has, where the page names what it has."""
        page = flatten_fieldsets(self.fieldsets) if self.fieldsets else flatten(self.fields or ())
        column = next((each.name for each in self.opts.concrete_fields if name in (each.name, each.attname)), "")
        filters = [each[0] if isinstance(each, tuple) else each for each in self.list_filter]
        asked = {str(getattr(each, "parameter_name", each)).split("__")[0] for each in filters}
        return bool(page and column) and column not in (*page, *self.list_display, *asked, self.opts.pk.name)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return acts.record_for(request, f"添加{obj._meta.verbose_name}", obj, details=message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A form that was saved as it had been opened is no deed."""
        return acts.record_for(request, f"修改{obj._meta.verbose_name}", obj, details=message) if message else None

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        return [
            acts.record_for(
                request,
                f"删除{row._meta.verbose_name}",
                row,
                details={label: values.pair(value, None) for label, value in values.of_row(row).items()},
            )
            for row in queryset
        ]

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return values.changed(form, formsets or ())

    @action(description="导出 CSV", url_path="export", permissions=["export"], icon="download")  # type: ignore[operator]  # a decorator, whatever unfold says
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """Of what nobody can filter by, nothing: the list says so."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"../?{ERROR_FLAG}=1")
        columns = [str(column) for column in self.get_list_display(request) if not callable(column)]
        acts.record_for(request, "导出 CSV", self.model, details={"筛选": request.GET.dict(), "列": columns})
        return export.response(self, request, rows, columns)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What operators did with this row, the newest first."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        found = Act.objects.about(row).select_related("operator").order_by("-pk")
        context = {
            **self.admin_site.each_context(request),
            "title": f"操作记录：{row}",
            "opts": self.opts,
            "object": row,
            "acts": self.get_paginator(request, found, self.list_per_page).get_page(request.GET.get("p")),
        }
        return TemplateResponse(request, "console/history.html", context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """The export is of what is filtered: its button takes the page's parameters along."""
        answer = super().changelist_view(request, extra_context)
        if isinstance(answer, TemplateResponse) and request.GET and answer.context_data:
            for button in answer.context_data.get("actions_list", ()):
                if button.get("path", "").endswith("/export/"):
                    button["path"] += f"?{request.GET.urlencode()}"
        return answer

    def _filter_actions_by_permissions(self, request: HttpRequest, actions: Iterable[Any]) -> list[Any]:
        found: list[Any] = super()._filter_actions_by_permissions(request, actions)
        return [each for each in found if self.may(request, getattr(each[0], "needs", ()))]

    def _filter_unfold_actions_by_permissions(
        self, request: HttpRequest, actions: list[UnfoldAction], object_id: Any = None
    ) -> list[UnfoldAction]:
        """Without the id, which unfold would give to `has_..._permission` in the place of the row. A button is about
        one row, and nothing is 所选 there."""
        found = super()._filter_unfold_actions_by_permissions(request, actions)
        return [
            replace(each, description=each.description.replace("所选", ""))
            for each in found
            if self.may(request, getattr(each.method, "needs", ()))
        ]


class ShownToEverybody(ConsoleAdmin):
    """What is kept in processes: a change is seen at once here, and within KEPT_SECONDS everywhere."""

    kept: ClassVar[Kept[Any]]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        self.kept.changed()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        super().delete_model(request, obj)
        self.kept.changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        self.kept.changed()


class ReadOnlyAdmin(ConsoleAdmin):
    """Looked at; changed by what people and jobs do, or by its actions."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
