"""Words for parameters about records."""

from typing import Annotated, Any

from rest_framework import serializers

from heihei_site.api.params import Word, number_field, text_field

File = Annotated[Any, Word(lambda **kwargs: serializers.FileField(allow_empty_file=True, **kwargs), name="file")]
FileName = Annotated[str, Word(text_field(255))]
FileMd5 = Annotated[str, Word(text_field(32, pattern=r"^[0-9a-fA-F]{32}$"), name="fileMd5")]
RecordLength = Annotated[int, Word(number_field(0, 24 * 3600), name="recordLength")]
Score = Annotated[int, Word(number_field(0, 2**53 - 1))]
