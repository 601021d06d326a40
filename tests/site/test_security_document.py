"""docs/security.md names tests; they exist. And one of its claims has no better place than here."""

import ast
import re

from tests.processes import ROOT

NAMED = re.compile(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`")


def test_every_test_that_is_named_exists():
    named = NAMED.findall((ROOT / "docs" / "security.md").read_text())
    assert len(named) > 30
    for path, name in named:
        assert (ROOT / path).exists(), path
        if name:
            assert re.search(rf"^ *(async )?def {name}\(", (ROOT / path).read_text(), re.M), f"{path}::{name}"


def test_whom_we_ask_never_comes_from_a_caller():
    """Only modules of `providers` (whose hosts are settings) know an HTTP client; commands and the supervisor ask
    127.0.0.1. No view, service or model can ask an address, whatever it was sent."""
    allowed = ("heihei_site/providers/",)
    for path in ROOT.glob("*/**/*.py"):
        where = str(path.relative_to(ROOT))
        if where.startswith(("tests/", ".venv/", "var/", *allowed)) or "/management/commands/" in where:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                client = name in ("http.client", "urllib.request", "requests") or name.split(".")[0] in (
                    "httpx",
                    "aiohttp",
                )
                assert not client, f"{where} imports {name}"
