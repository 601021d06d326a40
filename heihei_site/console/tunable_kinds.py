"""Kinds of settings that operators change: how each is kept as JSON and shown. (tunable_forms.py asks for them.)

A tunable is a descriptor of the table that declares it, under the name of the setting that is its default:

    class Tunables(Declared):
        BULLET_GOLD = Whole("弹幕价格", group="直播间", unit="钻石", least=1, most=1_000)

    tunables.BULLET_GOLD  # an int, as mypy knows
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Generic, Self, TypeVar, overload

import structlog
from django.conf import settings

Value = TypeVar("Value")

log = structlog.get_logger(__name__)


class Declared:
    """The base of the table; `kept` gives what operators have changed, by name."""

    def __init__(self, kept: Callable[[], Mapping[str, Any]]) -> None:
        self.kept = kept

    @classmethod
    def every(cls) -> "dict[str, Tunable[Any]]":
        return {name: each for name, each in vars(cls).items() if isinstance(each, Tunable)}


class Tunable(Generic[Value]):
    """`read` makes the value of what is kept, and raises ValueError for what may not be; `keep` is its reverse."""

    name: str

    def __init__(self, label: str, *, group: str, hint: str = "") -> None:
        self.label, self.group, self.hint = label, group, hint

    def __set_name__(self, owner: type[Declared], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, table: None, owner: type[Declared]) -> Self: ...

    @overload
    def __get__(self, table: Declared, owner: type[Declared]) -> Value: ...

    def __get__(self, table: Declared | None, owner: type[Declared]) -> Self | Value:
        return self if table is None else self.among(table.kept())

    def among(self, kept: Mapping[str, Any]) -> Value:
        """The default where nothing is kept, and for what this release does not take: another one may have kept it."""
        if self.name not in kept:
            return self.default
        try:
            return self.read(kept[self.name])
        except (TypeError, ValueError):
            log.warning("tuned_value_unfit", name=self.name, value=kept[self.name])
            return self.default

    @property
    def default(self) -> Value:
        value: Value = getattr(settings, self.name)
        return value

    def read(self, kept: Any) -> Value:
        raise NotImplementedError

    def keep(self, value: Value) -> Any:
        raise NotImplementedError

    def words(self, value: Value) -> str:
        raise NotImplementedError


class Numbered(Tunable[Value]):
    """What is one whole number of some unit, from `least` to `most`."""

    def __init__(self, label: str, *, group: str, unit: str, least: int, most: int, hint: str = "") -> None:
        super().__init__(label, group=group, hint=hint)
        self.unit, self.least, self.most = unit, least, most

    def read(self, kept: Any) -> Value:
        if type(kept) is not int or not self.least <= kept <= self.most:
            raise ValueError(kept)
        return self.of_number(kept)

    def of_number(self, number: int) -> Value:
        raise NotImplementedError

    def words(self, value: Value) -> str:
        return f"{self.keep(value):,} {self.unit}"


class Whole(Numbered[int]):
    def of_number(self, number: int) -> int:
        return number

    def keep(self, value: int) -> int:
        return value


class Fen(Whole):
    """Money: kept in fen, shown and asked for in yuan."""

    def __init__(self, label: str, *, group: str, least: int, most: int, hint: str = "") -> None:
        super().__init__(label, group=group, unit="元", least=least, most=most, hint=hint)

    def words(self, value: int) -> str:
        return f"{value / 100:,.2f} 元"


class Span(Numbered[timedelta]):
    """A time in whole units of `of`."""

    def __init__(
        self, label: str, *, group: str, unit: str, of: timedelta, least: int, most: int, hint: str = ""
    ) -> None:
        super().__init__(label, group=group, unit=unit, least=least, most=most, hint=hint)
        self.of = of

    def of_number(self, number: int) -> timedelta:
        return number * self.of

    def keep(self, value: timedelta) -> int:
        return value // self.of


class Rate(Numbered[str]):
    """So many in the time that the default names: "100/10 seconds" (api/throttles.py)."""

    def of_number(self, number: int) -> str:
        return f"{number}/{self.default.partition('/')[2]}"

    def keep(self, value: str) -> int:
        return int(value.partition("/")[0])


class Switch(Tunable[bool]):
    def read(self, kept: Any) -> bool:
        if type(kept) is not bool:
            raise ValueError(kept)
        return kept

    def keep(self, value: bool) -> bool:
        return value

    def words(self, value: bool) -> str:
        return "开" if value else "关"


class Hours(Tunable[tuple[int, int]]):
    """From one full hour of the day in Shanghai until another; the same twice: never."""

    def read(self, kept: Any) -> tuple[int, int]:
        begins, ends = kept
        if not all(type(hour) is int and 0 <= hour < 24 for hour in (begins, ends)):
            raise ValueError(kept)
        return begins, ends

    def keep(self, value: tuple[int, int]) -> list[int]:
        return [*value]

    def words(self, value: tuple[int, int]) -> str:
        begins, ends = value
        return "无" if begins == ends else f"{begins}:00–{ends}:00"
