"""Names: how wide they are, and the forms in which they are compared and found (D16, D20)."""

import unicodedata
from collections.abc import Iterator

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Func, TextField

JOINER = "\u200d"  # holds an emoji of several together
BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters, marks and a symbol that show nothing
GRAM = 3  # characters of the longest


class Grams(Func):
    """What a name is found by: every one, two and three characters of it that stand together (ADR 0009)."""

    function = "users_name_grams"
    output_field = ArrayField(TextField())


class Key(Func):
    """The form in which names are searched: as `searched_as`, in the database."""

    function = "users_name_key"
    output_field = CharField()


def width(name: str) -> int:
    """Bytes as the phone counts them: a Chinese character is two."""
    return sum(1 if ord(character) < 128 else 2 for character in name)


def is_legible(name: str) -> bool:
    """Neither empty nor holding what nobody can see. A mark alone, as those that choose the look of an emoji, is
    nothing."""
    return any(map(_is_seen, name)) and not any(map(_is_hidden, name))


def _is_seen(character: str) -> bool:
    return character != JOINER and unicodedata.category(character)[0] not in "MZ"


def _is_hidden(character: str) -> bool:
    if character == JOINER:
        return False
    return character in BLANKS or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def searched_as(text: str) -> str:
    """Case and full width make no difference."""
    return unicodedata.normalize("NFKC", text).lower()


def bare(text: str) -> str:
    """Letters and digits only, for blocked words: case, full width and whatever stands between or above makes no
    difference."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(_is_bare, folded))


def _is_bare(character: str) -> bool:
    """A mark that has a width of its own is a letter; others may be put on anything, and some show nothing."""
    category = unicodedata.category(character)
    return (category[0] in "LN" or category == "Mc") and character not in BLANKS


def placed(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`bare`, and for each of its characters the stretch of the text that it was made of."""
    letters, places, start = "", [], 0
    for end in _seams(text):
        part = bare(text[start:end])
        letters += part
        places += [(start, end)] * len(part)
        start = end
    return letters, places


def _seams(text: str) -> Iterator[int]:
    """Where the text can be cut so that its parts are folded as the whole is."""
    start = 0
    for end in range(1, len(text)):
        before, after = (unicodedata.normalize("NFKC", part) for part in (text[start:end], text[end]))
        if (
            not unicodedata.combining(after[0])
            and unicodedata.normalize("NFKC", text[start : end + 1]) == before + after
        ):
            yield end
            start = end
    if text:
        yield len(text)


def grams(text: str) -> list[str]:
    """What a name must have to contain the text; for up to three characters that is enough."""
    if len(text) <= GRAM:
        return [text]
    return sorted({text[first : first + GRAM] for first in range(len(text) - GRAM + 1)})
