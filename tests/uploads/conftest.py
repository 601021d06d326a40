"""Uploads on a disk of each test's own, and a phone that puts them there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.answers import ok


@pytest.fixture(autouse=True)
def disk(settings: Any, tmp_path: Path) -> Path:
    options = {**settings.STORAGES["uploads"], "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "uploads": options}
    return tmp_path


@pytest.fixture
def ask(api: Callable[..., Any]) -> Callable[..., dict[str, str]]:
    """`FileInfo` of a fresh oss-token."""

    def asked(user: Any, format: str = "jpg", module: str = "message") -> dict[str, str]:
        answer = ok(api(user).post("sys/oss-token", format=format, module=module))
        return dict(answer["FileInfo"])

    return asked


@pytest.fixture
def put() -> Callable[[str, bytes], int]:
    """The HTTP status of putting bytes there."""

    def sent(url: str, content: bytes) -> int:
        address = urlsplit(url)
        return int(Client().put(f"{address.path}?{address.query}", content, content_type="text/html").status_code)

    return sent


@pytest.fixture
def uploaded(ask: Any, put: Any) -> Callable[..., str]:
    """The sign of a file that is there."""

    def there(user: Any, content: bytes, format: str = "jpg", module: str = "message") -> str:
        file = ask(user, format, module)
        assert put(file["uploadUrl"], content) == 200
        return str(file["sign"])

    return there


def files(disk: Path) -> list[str]:
    return sorted(str(path.relative_to(disk)) for path in disk.rglob("*") if path.is_file())
