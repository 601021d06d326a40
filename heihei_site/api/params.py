"""Words for parameters that every app uses. An app's own words (a live, a gift) stand in its `params.py`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from rest_framework import serializers

from heihei_site.api.errors import Refusal

if TYPE_CHECKING:
    from heihei_site.api.callers import Caller

MAX_ID = 2**53 - 1


@dataclass(frozen=True)
class Word:
    """How one kind of parameter is read: checked by a DRF field, then perhaps looked up.

    `field` makes a fresh field; its bounds are the validation, a value outside is refused with 700. `name` is the wire
    name where it does not follow from the Python one. `find` turns the checked value into what the service wants and
    may raise `refuses`.
    """

    field: Callable[..., serializers.Field[Any, Any, Any, Any]]
    name: str | None = None
    find: Callable[["Caller", Any], Any] | None = None
    refuses: tuple[type[Refusal], ...] = ()


class WholeNumberField(serializers.IntegerField):
    """A JSON number or its text, digits only: neither `1e3` nor what else Python takes for a number."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool | float) or not re.fullmatch(r"[0-9]{1,16}", str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(WholeNumberField):
    """0 … 2^53-1 (D6)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_ID, **kwargs)


def text_field(max_length: int, *, blank: bool = False, pattern: str | None = None) -> Callable[..., Any]:
    """A line of text; NUL and lone surrogates are refused by DRF's own field."""

    def make(**kwargs: Any) -> serializers.Field[Any, Any, Any, Any]:
        if pattern is not None:
            return serializers.RegexField(pattern, max_length=max_length, allow_blank=blank, **kwargs)
        return serializers.CharField(max_length=max_length, allow_blank=blank, **kwargs)

    return make


def number_field(least: int, most: int) -> Callable[..., Any]:
    return lambda **kwargs: WholeNumberField(min_value=least, max_value=most, **kwargs)


Id = Annotated[int, Word(IdField)]
Flag = Annotated[bool, Word(serializers.BooleanField)]
Offset = Annotated[int, Word(number_field(0, 2**31 - 1))]
Limit = Annotated[int, Word(number_field(0, 2**31 - 1))]
ShortText = Annotated[str, Word(text_field(255, blank=True))]
