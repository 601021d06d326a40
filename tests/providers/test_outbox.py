import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from heihei_site.providers import outbox, registry


@pytest.fixture
def outbox_folder(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "outbox"


def test_a_code_can_be_read_from_the_sms_outbox(settings: Any, outbox_folder: Path) -> None:
    settings.PROVIDERS = {"sms": "heihei_site.providers.sms.outbox.OutboxSms"}
    registry.sms().send_code("13800000000", "012345")
    [line] = (outbox_folder / "sms.jsonl").read_text().splitlines()
    sms = json.loads(line)
    assert sms.keys() == {"time", "phone", "code", "text"}
    assert (sms["phone"], sms["code"]) == ("13800000000", "012345")
    assert "012345" in sms["text"]


def test_lines_written_at_once_never_mix(outbox_folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: outbox.append("push", {"n": number, "text": "好" * 2000}), range(200)))
    lines = (outbox_folder / "push.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["n"] for line in lines) == list(range(200))


def test_others_on_the_machine_cannot_read_the_codes(outbox_folder: Path) -> None:
    outbox.append("sms", {"code": "123456"})
    assert (outbox_folder / "sms.jsonl").stat().st_mode & 0o077 == 0
