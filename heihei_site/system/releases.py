"""Version numbers of the apps, compared as numbers: 1.10 is newer than 1.9, and 1.2 is 1.2.0."""

import re

Release = tuple[int, ...]

PATTERN = r"^[vV]?[0-9]{1,9}(\.[0-9]{1,9}){0,5}([-+ _(][-+ ._A-Za-z0-9()]*)?$"
_NUMBERS = re.compile(r"[vV]?([0-9]{1,9}(?:\.[0-9]{1,9}){0,5})")


def release(text: str) -> Release:
    """The numbers of a version text, trailing zeros dropped; what follows them (`-beta`, a build) does not count.

    Only for texts that match PATTERN.
    """
    match = _NUMBERS.match(text)
    if match is None:
        raise ValueError("not a version number")
    numbers = [int(part) for part in match[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
