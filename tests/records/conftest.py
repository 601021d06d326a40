"""People who introduce themselves, and files on a disk of each test's own."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.answers import ok
from tests.conftest import Api
from tests.uploads import samples
from users.models import User


@pytest.fixture(autouse=True)
def disk(settings: Any, tmp_path: Path) -> Path:
    options = {**settings.STORAGES["uploads"], "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "uploads": options}
    return tmp_path


@pytest.fixture
def files(disk: Path) -> Callable[[], list[Path]]:
    return lambda: [path for path in disk.rglob("*") if path.is_file()]


def send(phone: Api, content: bytes, **changes: Any) -> dict[str, Any]:
    """As the app does: multipart, with the digest of what it sends."""
    file = io.BytesIO(content)
    file.name = "a.amr"
    digest = hashlib.md5(content).hexdigest()
    said = {"file": file, "fileName": "a.amr", "fileMd5": digest, "recordLength": 5, **changes}
    return phone.post("record/upload-record", **{key: value for key, value in said.items() if value is not None})


@pytest.fixture
def rain(db: None) -> User:
    return factories.person("小雨", region="zh_CN", experience=2404)


@pytest.fixture
def south(db: None) -> User:
    return factories.person("阿南", gender="Male")


def recorded(phone: Api, seconds: float = 5) -> int:
    return int(ok(send(phone, samples.amr(seconds)))["recordId"])
