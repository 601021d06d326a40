"""Words for parameters about calls."""

from typing import Annotated

from heihei_site.api.params import Word, number_field

AcceptKind = Annotated[int, Word(number_field(0, 1), name="type")]
