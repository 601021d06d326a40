"""Words for parameters of the calls at the start."""

from typing import Annotated, Any

from rest_framework import serializers

from heihei_site.api.params import Word, text_field
from heihei_site.system import releases
from heihei_site.system.models import AppVersion
from heihei_site.uploads.kinds import FORMATS
from heihei_site.uploads.models import Upload


class _LogField(serializers.CharField):
    """As phones write logs: a NUL in it is no reason to lose it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data.replace("\0", "") if isinstance(data, str) else data)


AppName = Annotated[str, Word(lambda **kwargs: serializers.ChoiceField([("heihei", "heihei")], **kwargs), name="ap")]
InstalledVersion = Annotated[str, Word(text_field(64, pattern=releases.PATTERN))]
Platform = Annotated[
    str, Word(lambda **kwargs: serializers.ChoiceField(AppVersion.Platform.values, **kwargs), name="devicesType")
]
LogText = Annotated[str, Word(_LogField)]
UploadFormat = Annotated[str, Word(lambda **kwargs: serializers.ChoiceField(list(FORMATS), **kwargs), name="format")]
UploadModule = Annotated[
    str,
    Word(
        lambda **kwargs: serializers.ChoiceField([*Upload.Module.values, "avator"], **kwargs),
        name="module",
        find=lambda _, module: Upload.Module.AVATAR if module == "avator" else module,
    ),
]
