"""What is counted for operators, hour by hour. Apps declare their figures to `board.py`; `counting.py` asks them in a
job, the dashboard reads what it wrote."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

MONEY = "console.view_money"  # who may see what the house takes in and pays out


class Unit(Enum):
    PEOPLE = "人"
    TIMES = "次"
    MESSAGES = "条"
    ROOMS = "场"
    GOLD = "钻石"
    FEN = "元"

    @property
    def scale(self) -> int:
        """So many of what is counted are one of what is shown: money is counted in fen."""
        return 100 if self is Unit.FEN else 1

    def shown(self, value: int) -> str:
        """`12,345`, or `1,234.50` of money."""
        return f"{value / 100:,.2f}" if self is Unit.FEN else f"{value:,}"


Count = Callable[[datetime, datetime], int]  # since the first moment, before the second


@dataclass(frozen=True)
class Figure:
    """`count` reads an index on a time column, so that an hour costs what happened in it, however much there is.

    `lasting`: an hour can be counted at any later time, and a day is the sum of its hours. Otherwise what is counted
    moves on with time, as the last sign of somebody does: an hour is counted while it runs and keeps the most that was
    seen, an hour that was missed stays unknown, and a day is counted for itself.
    """

    name: str
    place: int  # the lowest first
    label: str
    unit: Unit
    permission: str  # to see it
    count: Count
    lasting: bool = True
    charted: bool = True
