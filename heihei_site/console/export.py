"""A list as a file for a spreadsheet: the columns that the page shows, every row that its filters leave."""

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field
from django.db.models import BooleanField, DateTimeField, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import strip_tags

if TYPE_CHECKING:
    from heihei_site.console.admin import ConsoleAdmin

ROWS = 500  # read at once
MOST_ROWS = 100_000  # of one file, the newest
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet takes a text for something to compute


def response(
    console: "ConsoleAdmin", request: HttpRequest, rows: QuerySet[Any], columns: list[str]
) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(_lines(console, rows, columns), content_type="text/csv; charset=utf-8")
    name = f"{console.opts.model_name}-{timezone.localtime():%Y%m%d-%H%M}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def cell(value: Any) -> Any:
    """Numbers stay numbers; what a spreadsheet would compute becomes text."""
    if isinstance(value, int | float):
        return value
    text = str(value).replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Echo:
    """A file that gives back what is written."""

    def write(self, line: str) -> str:
        return line


def _lines(console: "ConsoleAdmin", rows: QuerySet[Any], columns: list[str]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # by which Excel knows UTF-8
    yield writer.writerow([cell(label_for_field(column, console.model, console)) for column in columns])
    for row in _newest_first(rows):
        yield writer.writerow([cell(_value(console, row, column)) for column in columns])


def _newest_first(rows: QuerySet[Any]) -> Iterator[Any]:
    """By primary key, a few at a time: a long file holds no transaction and no memory."""
    rows, last, left = rows.order_by("-pk"), None, MOST_ROWS
    while left > 0:
        some = list((rows if last is None else rows.filter(pk__lt=last))[: min(ROWS, left)])
        yield from some
        if len(some) < ROWS:
            return
        last, left = some[-1].pk, left - len(some)


def _value(console: "ConsoleAdmin", row: Any, column: str) -> Any:
    field, _, value = lookup_field(column, row, console)
    if value is None:
        return ""
    if field is None:
        return value if isinstance(value, int | float) else strip_tags(str(value)).strip()
    if isinstance(field, DateTimeField):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(field, BooleanField):
        return "是" if value else "否"
    if isinstance(value, int | float) and not field.flatchoices:
        return value
    return display_for_field(value, field, "")
