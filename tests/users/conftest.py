import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def texts(settings: Any, tmp_path: Path) -> Callable[[], list[dict[str, str]]]:
    """The text messages sent so far, as the development twin wrote them."""
    settings.VAR_DIR = tmp_path
    outbox = tmp_path / "outbox" / "sms.jsonl"
    return lambda: [json.loads(line) for line in outbox.read_text().splitlines()] if outbox.exists() else []


@pytest.fixture
def code_for(api: Any, texts: Callable[[], list[dict[str, str]]]) -> Callable[[str], str]:
    """Asks for a code as a phone does and reads it off the screen."""

    def ask(phone: str) -> str:
        assert api().post("user/get-sms-verification-code", phoneNo=phone)["errorcode"] == 0
        return texts()[-1]["code"]

    return ask
