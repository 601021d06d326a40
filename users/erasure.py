"""What is kept about a person, wherever it is kept. The apps above register what they hold; deleting an account erases
it, and exporting one's data copies it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Sections = Mapping[str, Iterable[Row]]


@dataclass(frozen=True)
class Holding:
    """`erase(user_id)` removes what says something about the person, in transactions of its own, as often as it is
    called. `export(user_id)` gives the person's own data: file name -> rows, plain values only."""

    name: str
    erase: Callable[[int], None]
    export: Callable[[int], Sections]


_registered: dict[str, Holding] = {}


def register(holding: Holding) -> None:
    """The same name again replaces it."""
    _registered[holding.name] = holding


def holdings() -> list[Holding]:
    return list(_registered.values())
