"""What a development twin would have sent: JSON lines under `$HEIHEI_VAR/outbox/`."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings


def append(need: str, line: dict[str, Any]) -> None:
    """Add one line to `<need>.jsonl` in a single write, so that lines of several processes never mix."""
    path = Path(settings.VAR_DIR) / "outbox" / f"{need}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, data)
    finally:
        os.close(file)
