"""Lists of what waits for an operator's word: the waiting first, the oldest first."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timesince import timesince
from unfold.decorators import display

from heihei_site.console.admin import ReadOnlyAdmin
from payment.services.decisions import Undecided

WAITING, ALL = "0", "all"  # the first state of each queue is that in which it waits


class ByState(SimpleListFilter):
    """What waits, until somebody wants something else; who searches is shown all."""

    title = "状态"
    parameter_name = "state__exact"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [*((str(value), label) for value, label in model_admin.model.State.choices), (ALL, "全部")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = chosen_in(request)
        return queryset if chosen == ALL else queryset.filter(state=chosen)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        chosen = self.value() or (ALL if changelist.query else WAITING)
        for value, label in self.lookup_choices:
            address = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": value == chosen, "query_string": address, "display": label}


def chosen_in(request: HttpRequest) -> str:
    """Rows that were ticked are found whatever has become of them meanwhile, and what can no longer be done is said."""
    if request.method == "POST" and request.POST.get("select_across") != "1":
        return ALL
    chosen = request.GET.get(ByState.parameter_name, ALL if request.GET.get(SEARCH_VAR) else WAITING)
    return chosen if chosen.isdecimal() else ALL


class QueueAdmin(ReadOnlyAdmin):
    list_filter: ClassVar[tuple[Any, ...]] = (ByState,)

    def get_ordering(self, request: HttpRequest) -> tuple[str]:
        return ("pk",) if chosen_in(request) == WAITING else ("-pk",)

    @display(description="已等待")
    def waited(self, row: Any) -> str:
        return "—" if row.closed_at else timesince(row.created_at, depth=1)

    def decide(self, request: HttpRequest, queryset: QuerySet[Any], deed: Callable[[Any], object], done: str) -> None:
        """Each by itself: one that cannot be decided keeps no other."""
        decided = 0
        for row in queryset.order_by("pk"):
            try:
                deed(row)
            except Undecided as why:
                self.message_user(request, f"{row.number}：{why}", messages.ERROR)
            else:
                decided += 1
        self.message_user(request, f"{done} {decided} 笔", messages.SUCCESS if decided else messages.WARNING)
