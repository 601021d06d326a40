"""An ordinary call of each endpoint and what it was answered, for the reference.

`examples.json` is recorded from the running code: `UPDATE_EXAMPLES=1 pytest tests/test_examples.py`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

FILE = Path(__file__).with_name("examples.json")


@dataclass(frozen=True)
class Example:
    params: dict[str, Any]
    answer: dict[str, Any]


@cache
def _recorded() -> dict[str, Any]:
    return dict(orjson.loads(FILE.read_bytes()))


def example_of(path: str) -> Example | None:
    """None for an endpoint of tests, and for one so new that nothing is recorded."""
    found = _recorded().get(path)
    return Example(**found) if found else None
