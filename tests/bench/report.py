"""The figures of `make bench` in docs/benchmarks.md: each kind of measurement owns the text between its two markers."""

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.bench.phones import instance
from tests.processes import Instance

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def write(section: str, markdown: str) -> None:
    """Replaces what stands between `<!-- section -->` and `<!-- /section -->`; a new section goes to the end."""
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    page = PAGE.read_text() if PAGE.exists() else "# Benchmarks\n"
    block = f"{begin}\n\n{markdown.strip()}\n\n{end}"
    found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    page = found.sub(lambda _: block, page, count=1) if found.search(page) else f"{page.rstrip()}\n\n{block}\n"
    PAGE.write_text(page)


def run(section: str, given: argparse.Namespace, measure: Callable[[Instance], str]) -> None:
    """Prints what was measured on an instance of its own, and writes it where `--write` says so."""
    with instance() as running:
        text = measure(running)
    print(text)
    if given.write:
        write(section, text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table: the first column to the left, figures to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
