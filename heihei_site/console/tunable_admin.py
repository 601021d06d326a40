"""运营参数: the settings that operators change, in one table, and a page for each."""

from itertools import groupby
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from heihei_site.console import acts, tuning
from heihei_site.console.admin import ConsoleAdmin
from heihei_site.console.tunable_forms import TuneForm
from heihei_site.console.tunable_kinds import Tunable
from heihei_site.console.tunable_models import TunedValue
from heihei_site.console.tunables import MONEY, Tunables


@admin.register(TunedValue)
class TunedValueAdmin(ConsoleAdmin):
    """Rows are only what was changed; what is shown is the whole table. A page's address names the setting."""

    exports = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Any of them."""
        return any(_may_change(request, tunable) for tunable in Tunables.every().values())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = TunedValue.objects.select_related("operator").in_bulk()
        shown = [
            _shown(tunable, rows.get(name)) | {"may_change": _may_change(request, tunable)}
            for name, tunable in Tunables.every().items()
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "运营参数",
            "groups": [(group, list(lines)) for group, lines in groupby(shown, key=lambda line: line["group"])],
        }
        return TemplateResponse(request, "console/tunables.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        tunable = Tunables.every().get(object_id)
        if tunable is None:
            raise Http404
        if not _may_change(request, tunable):
            raise PermissionDenied
        row = TunedValue.objects.filter(pk=object_id).first()
        value = tunable.keep(_now(tunable, row))
        form = TuneForm(tunable, request.POST or None, value=value, resets="reset" in request.POST)
        if form.is_valid() and self._changed(request, tunable, form):
            return HttpResponseRedirect(reverse("admin:console_tunedvalue_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"修改 · {tunable.label}",
            "form": form,
            "media": self.media + form.media,
            "line": _shown(tunable, row),
        }
        return TemplateResponse(request, "console/tune.html", context)

    def _changed(self, request: HttpRequest, tunable: Tunable[Any], form: TuneForm) -> bool:
        by: dict[str, Any] = {
            "operator": acts.operator_of(request),
            "reason": form.cleaned_data["reason"],
            "address": acts.address_of(request),
        }
        try:
            if "value" in form.cleaned_data:
                tuning.tune(tunable, form.cleaned_data["value"], **by)
            else:
                tuning.reset(tunable, **by)
        except ValidationError as refused:
            form.add_error(None, refused)
            return False
        words = "已恢复默认" if "value" not in form.cleaned_data else "已修改"
        self.message_user(request, f"「{tunable.label}」{words}，几秒内在所有服务器上生效", messages.SUCCESS)
        return True


def _may_change(request: HttpRequest, tunable: Tunable[Any]) -> bool:
    right = "tune_money" if tunable.group in MONEY else "change_tunedvalue"
    return request.user.has_perm(f"console.{right}")


def _now(tunable: Tunable[Any], row: TunedValue | None) -> Any:
    return tunable.among({row.name: row.value} if row else {})


def _shown(tunable: Tunable[Any], row: TunedValue | None) -> dict[str, Any]:
    return {
        "group": tunable.group,
        "label": tunable.label,
        "name": tunable.name,
        "now": tunable.words(_now(tunable, row)),
        "default": tunable.words(tunable.default),
        "row": row,
        "address": reverse("admin:console_tunedvalue_change", args=[tunable.name]),
    }
