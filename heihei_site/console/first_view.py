"""What a list shows to who just opens it: the rows that wait for somebody."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

ALL = "all"
ABOUT_ONE = re.compile(r"__id__exact$")


class FirstView(SimpleListFilter):
    """Views by name, of which the first is shown unless another is chosen. Whoever searches, follows a link to the rows
    of one person, or sends an action about rows they know, looks among all; an action about all rows is about those
    that are shown."""

    title = "视图"
    parameter_name = "state"
    views: ClassVar[dict[str, tuple[str, dict[str, Any]]]]  # name -> what it is called, what its rows are

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        ticked = "action" in request.POST and request.POST.get("select_across") != "1"
        knows = request.GET.get(SEARCH_VAR) or ticked or any(map(ABOUT_ONE.search, request.GET))
        self.unless_chosen = ALL if knows else next(iter(self.views))

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((name, label) for name, (label, _) in self.views.items()), (ALL, "全部")]

    def value(self) -> str:
        chosen = super().value()
        return str(chosen) if chosen in (*self.views, ALL) else self.unless_chosen

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for name, label in self.lookup_choices:
            chosen = {self.parameter_name: name}
            where = changelist.get_query_string(chosen)
            yield {"selected": self.value() == name, "query_string": where, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _, rows = self.views.get(self.value(), ("", {}))
        return queryset.filter(**rows)
