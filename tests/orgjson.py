"""How Android's org.json reads an answer (`android_client.md`, the shorthand table).

Integers are Java longs where they fit and doubles where they do not; a JSON null is the text "null" to `opt_str`.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
JAVA_DOUBLE = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?\s*")


class NotJson(Exception):
    pass


def read(text: str) -> Any:
    """The first JSON value of `text`, as plain Python; what follows it is not looked at."""
    try:
        return json.JSONDecoder().raw_decode(text.lstrip("\ufeff \t\r\n"))[0]
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


class Json:
    """A JSONObject."""

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members

    @classmethod
    def parse(cls, text: str) -> "Json":
        value = read(text)
        if not isinstance(value, dict):
            raise NotJson("not an object")
        return cls(value)

    def has(self, key: str) -> bool:
        return key in self.members

    def opt_str(self, key: str, default: str = "") -> str:
        return as_text(self.members[key]) if key in self.members else default

    def opt_int(self, key: str, default: int = 0) -> int:
        return as_int(self.members.get(key), default)

    def opt_long(self, key: str, default: int = 0) -> int:
        return as_long(self.members.get(key), default)

    def opt_bool(self, key: str, default: bool = False) -> bool:
        return as_bool(self.members.get(key), default)

    def opt_obj(self, key: str) -> "Json | None":
        value = self.members.get(key)
        return Json(value) if isinstance(value, dict) else None

    def opt_arr(self, key: str) -> "JsonArray | None":
        value = self.members.get(key)
        return JsonArray(value) if isinstance(value, list) else None

    def __repr__(self) -> str:
        return f"Json({as_text(self.members)})"


class JsonArray:
    """A JSONArray."""

    def __init__(self, elements: list[Any]) -> None:
        self.elements = elements

    def __len__(self) -> int:
        return len(self.elements)

    def objects(self) -> Iterator[Json | None]:
        """Each element as an object; None for one that is not."""
        for element in self.elements:
            yield Json(element) if isinstance(element, dict) else None


def as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and LONG_MIN <= value <= LONG_MAX:
        return str(value)
    if isinstance(value, int | float):
        return java_double(float(value))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")


def as_int(value: Any, default: int = 0) -> int:
    """The low 32 bits of an integer, but a fraction or a numeric string saturates."""
    if isinstance(value, int) and not isinstance(value, bool) and LONG_MIN <= value <= LONG_MAX:
        return (value - INT_MIN) % 2**32 + INT_MIN
    number = _double(value)
    return default if number is None else _saturated(number, INT_MIN, INT_MAX)


def as_long(value: Any, default: int = 0) -> int:
    """Exact for integers; a numeric string goes through a double and loses what is above 2^53."""
    if isinstance(value, int) and not isinstance(value, bool) and LONG_MIN <= value <= LONG_MAX:
        return value
    number = _double(value)
    return default if number is None else _saturated(number, LONG_MIN, LONG_MAX)


def as_bool(value: Any, default: bool = False) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return default


def is_empty(text: str | None) -> bool:
    """The app's own `StringUtils.isEmpty`."""
    return text is None or text.strip() == "" or text in ("null", "NULL")


def java_double(number: float) -> str:
    """`Double.toString`: plain below ten million, otherwise with an exponent."""
    if math.isnan(number) or math.isinf(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    shortest = next(text for length in range(17) if float(text := format(number, f".{length}e")) == number)
    digits, exponent = shortest.split("e")
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"


def _double(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    match = JAVA_DOUBLE.fullmatch(value) if isinstance(value, str) else None
    return float(match[1]) if match else None


def _saturated(number: float, low: int, high: int) -> int:
    if math.isnan(number):
        return 0
    return low if number <= low else high if number >= high else int(number)
