"""The words that no name and no title may contain (D16), and that are masked in what is said to a room or to a person.
Operators edit them; every process follows within KEPT_SECONDS."""

from collections.abc import Iterable

import ahocorasick
from django.conf import settings
from django.db import connection

from heihei_site.postgres.kept import Kept
from users import names
from users.models import BlockedWord

Stamp = tuple[int, int]

_STAMP = "SELECT count(*), coalesce(sum(hashtextextended(key, 0)), 0)::text FROM users_blockedword"


class _Words:
    """All of them in one automaton, made anew only when the list is another one."""

    def __init__(self) -> None:
        self._made: tuple[Stamp | None, ahocorasick.Automaton | None] = (None, None)

    def automaton(self) -> "ahocorasick.Automaton | None":
        with connection.cursor() as cursor:
            cursor.execute(_STAMP)
            stamp = cursor.fetchone()
        if self._made[0] != stamp:
            self._made = (stamp, _compile(BlockedWord.objects.values_list("key", flat=True)))
        return self._made[1]


def _compile(keys: Iterable[str]) -> "ahocorasick.Automaton | None":
    made = ahocorasick.Automaton()
    for key in keys:
        made.add_word(key, key)
    if not len(made):
        return None
    made.make_automaton()
    return made


listed = Kept(_Words().automaton)


def blocked_in(text: str) -> bool:
    """Whether one of the words is in it, however it is written: case, full width, anything between the letters."""
    automaton = listed()
    return automaton is not None and next(automaton.iter(names.bare(text)), None) is not None


def masked(text: str) -> str:
    """The text with a star for every character of each of the words, and for what stands between their letters."""
    automaton = listed()
    if automaton is None or next(automaton.iter(names.bare(text)), None) is None:
        return text
    letters, places = names.placed(text)
    said = list(text)
    for last, word in automaton.iter(letters):
        start, end = places[last - len(word) + 1][0], places[last][1]
        said[start:end] = "*" * (end - start)
    return "".join(said)


def add(words: Iterable[str]) -> int:
    """Those that are not there yet; returns how many."""
    new = {names.bare(word): BlockedWord(word=word.strip(), key=names.bare(word)) for word in words}
    new.pop("", None)
    there = set(BlockedWord.objects.filter(key__in=new).values_list("key", flat=True))
    BlockedWord.objects.bulk_create([row for key, row in new.items() if key not in there], ignore_conflicts=True)
    listed.changed()
    return len(new.keys() - there)


def seed() -> None:
    """A first list, where there is none."""
    if not BlockedWord.objects.exists():
        add(settings.FIRST_BLOCKED_WORDS)
