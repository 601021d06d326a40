"""The few marks operators may use in a page. Everything else, HTML included, is shown as it was typed."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

_INLINE = re.compile(
    r"\*\*(?P<strong>[^*\n]+)\*\*"
    r"|(?P<address>https?://[A-Za-z0-9\-._~/?#@&=+%:,]*[A-Za-z0-9/])"
    r"|(?P<mail>[A-Za-z0-9._+\-]+@[A-Za-z0-9\-]+\.[A-Za-z0-9.\-]*[A-Za-z])"
)
_BLOCKS = (("## ", "h2"), ("### ", "h3"), ("- ", "ul"), ("> ", "aside"))
_NUMBERED = re.compile(r"([0-9]{1,3})\. ")


def html(text: str) -> SafeString:
    """Paragraphs, headings, lists, notes, bold, and links out of addresses."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    return mark_safe("\n".join(block for paragraph in paragraphs for block in _blocks(paragraph.splitlines())))


def _blocks(lines: Iterable[str]) -> Iterator[SafeString]:
    for kind, group in groupby(map(str.strip, lines), key=_kind):
        yield _block(kind, list(group))


def _block(kind: str, lines: list[str]) -> SafeString:
    """Of lines that have the same mark."""
    inside = [_inline(_marked(line)) for line in lines]
    if kind == "ul":
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in inside)))
    if kind == "ol":
        numbers = (line.partition(".")[0] for line in lines)
        items = format_html_join("", '<li value="{}">{}</li>', zip(numbers, inside, strict=True))
        return format_html("<ol>{}</ol>", items)
    if kind in ("h2", "h3"):
        return format_html_join("", f"<{kind}>{{}}</{kind}>", ((line,) for line in inside))
    return format_html("<{0}>{1}</{0}>", kind, mark_safe("<br>".join(inside)))


def _kind(line: str) -> str:
    if _NUMBERED.match(line):
        return "ol"
    return next((kind for mark, kind in _BLOCKS if line.startswith(mark)), "p")


def _marked(line: str) -> str:
    """The line without its mark."""
    if match := _NUMBERED.match(line):
        return line[match.end() :]
    return next((line[len(mark) :] for mark, _ in _BLOCKS if line.startswith(mark)), line)


def _inline(line: str) -> SafeString:
    pieces: list[str] = []
    end = 0
    for match in _INLINE.finditer(line):
        pieces += [escape(line[end : match.start()]), _link_or_bold(match)]
        end = match.end()
    return mark_safe("".join([*pieces, escape(line[end:])]))


def _link_or_bold(match: re.Match[str]) -> SafeString:
    if match["strong"]:
        return format_html("<strong>{}</strong>", match["strong"])
    target = match["address"] or f"mailto:{match['mail']}"
    return format_html('<a href="{}">{}</a>', target, match[0])
