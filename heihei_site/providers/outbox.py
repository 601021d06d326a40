"""What a development twin would have sent: JSON lines under `$HEIHEI_VAR/outbox/`."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings


def append(need: str, line: dict[str, Any]) -> None:
    """Add one line to `<need>.jsonl` in a single write, so that lines of several processes never mix."""
    path = _path(need)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, data)
    finally:
        os.close(file)


def lines(need: str) -> Iterator[dict[str, Any]]:
    """What has been written so far, oldest first."""
    path = _path(need)
    if path.exists():
        with path.open(encoding="utf-8") as written:
            yield from map(json.loads, written)


def _path(need: str) -> Path:
    return Path(settings.VAR_DIR) / "outbox" / f"{need}.jsonl"
