"""A figure as bars, in the words of Chart.js, which unfold's chart component brings."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from heihei_site.console.figures import Figure

GREY = "#9ca3af"  # legible on white and on black
BARS = {"backgroundColor": "var(--color-primary-600)", "borderRadius": 3, "maxBarThickness": 18, "barPercentage": 0.8}
TICKS = {"color": GREY, "maxRotation": 0, "autoSkipPadding": 12}


@dataclass(frozen=True)
class Chart:
    """The total is none where the values do not add up."""

    figure: Figure
    total: str
    empty: bool
    data: str  # JSON, as is `options`
    options: str


def drawn(figure: Figure, labels: Sequence[str], values: Sequence[int | None], *, across: str) -> Chart:
    """Each label with its value, None where it is unknown: there is no bar then."""
    bars = {
        **BARS,
        "label": f"{figure.label}（{figure.unit.value}）",
        "data": [_bar(figure, value) for value in values],
    }
    return Chart(
        figure,
        total=figure.unit.shown(sum(value or 0 for value in values)) if figure.lasting else "",
        empty=not any(values),
        data=json.dumps({"labels": labels, "datasets": [bars]}),
        options=json.dumps(_options(across=across, up=figure.unit.value)),
    )


def _bar(figure: Figure, value: int | None) -> float | None:
    return value if value is None or figure.unit.scale == 1 else value / figure.unit.scale


def _options(*, across: str, up: str) -> dict[str, Any]:
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {"title": _title(across), "ticks": TICKS, "grid": {"display": False}},
            "y": {
                "title": _title(up),
                "beginAtZero": True,
                "ticks": {**TICKS, "precision": 0, "maxTicksLimit": 5},
                "grid": {"tickWidth": 0},
                "border": {"display": False},
            },
        },
    }


def _title(text: str) -> dict[str, Any]:
    return {"display": True, "text": text, "color": GREY}
