"""Names: how wide they are, and the forms in which they are compared and found (D16, D20)."""

import unicodedata

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Func, TextField

JOINER = "\u200d"  # holds an emoji of several together
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
    """Neither empty nor holding what nobody can see."""
    return bool(name.replace(JOINER, "").strip()) and not any(map(_is_control, name))


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") and character != JOINER


def searched_as(text: str) -> str:
    """Case and full width make no difference."""
    return unicodedata.normalize("NFKC", text).lower()


def bare(text: str) -> str:
    """Letters and digits only, for blocked words: case, full width and whatever stands between make no difference."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] in "LMN")


def grams(text: str) -> list[str]:
    """What a name must have to contain the text; for up to three characters that is enough."""
    if len(text) <= GRAM:
        return [text]
    return sorted({text[first : first + GRAM] for first in range(len(text) - GRAM + 1)})
