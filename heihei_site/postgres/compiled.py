"""Queries that Django turns into SQL once. For those of the hot path: building one takes longer than running it."""

from collections.abc import Callable, Sequence
from inspect import signature
from threading import local
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=models.Model)


class Given(Expression):
    """Stands in a query for a value that is known only when the query runs."""

    def __init__(self, position: int) -> None:
        super().__init__(output_field=models.Field())
        self.position = position

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


@models.ForeignKey.register_lookup
@models.Field.register_lookup
class AnyOf(models.Lookup):
    """`owner_id__any_of=Given`: one of a list that is known only when the query runs."""

    lookup_name = "any_of"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, of_left = self.process_lhs(compiler, connection)
        right, of_right = self.process_rhs(compiler, connection)
        return f"{left} = ANY{right}", [*of_left, *of_right]


class Compiled(Generic[Row]):
    """Decorates a function from `Given`s to a queryset of models: called with values it returns the rows.

        @Compiled
        def _live(number: Given) -> QuerySet[Live]:
            return Live.objects.filter(pk=number)

        _live(live_id)  # [] or [live]

    Related rows come along with select_related, a page with `start` and `stop`. Values are as PostgreSQL takes them.
    What is not `Given` stays as it was at the first run, settings included.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Row]]) -> None:
        self.build = build
        self.arity = len(signature(build).parameters)
        self.here = local()  # a compiler belongs to the connection of its thread

    def __call__(self, *values: Any, start: int = 0, stop: int | None = None) -> list[Row]:
        if (ready := getattr(self.here, "ready", None)) is None:
            ready = self.here.ready = _Ready(self.build(*map(Given, range(self.arity))))
        rows: list[Row] = ready.run(values, start, stop)
        return rows


class _Ready:
    """The SQL of one queryset, and how its columns become models: what ModelIterable finds out at every run."""

    def __init__(self, queryset: models.QuerySet[Any]) -> None:
        self.compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self.sql, self.params = self.compiler.as_sql()
        select, of_model = self.compiler.select, self.compiler.klass_info
        columns = of_model["select_fields"]
        self.model = of_model["model"]
        self.columns = slice(columns[0], columns[-1] + 1)
        self.names = [column.target.attname for column, *_ in select[self.columns]]
        self.annotations = self.compiler.annotation_col_map
        self.related = get_related_populators(of_model, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # of Django 6
        self.converters = self.compiler.get_converters([column for column, *_ in select])

    def run(self, values: Sequence[Any], start: int, stop: int | None) -> list[Any]:
        params = [values[param.position] if isinstance(param, Given) else param for param in self.params]
        sql = self.sql if stop is None else f"{self.sql} LIMIT {stop - start:d} OFFSET {start:d}"
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(sql, params)
            rows = cursor.fetchall()
        if self.converters:
            rows = list(self.compiler.apply_converters(rows, self.converters))
        return [self._made(row) for row in rows]

    def _made(self, row: Sequence[Any]) -> Any:
        made = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.columns])
        for populator in self.related:
            populator.populate(row, made)
        for name, column in self.annotations.items():
            setattr(made, name, row[column])
        return made
