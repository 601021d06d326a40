"""Words for parameters of messages."""

from typing import Annotated, Any

import orjson
from django.conf import settings
from rest_framework import serializers

from heihei_site.api.params import Word, text_field
from messages.services import contents


class ContentField(serializers.JSONField):
    """A JSON object, or its text where parameters are texts. Which one it must be is its kind's to say."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            content = orjson.loads(data) if isinstance(data, str) else data
        except orjson.JSONDecodeError:
            content = None
        if not isinstance(content, dict):
            self.fail("invalid")
        return content


def kind_field(**kwargs: Any) -> serializers.ChoiceField:
    """What people write; the other kinds are ours to write (D45)."""
    return serializers.ChoiceField([kind.value for kind in contents.WRITTEN], **kwargs)


def client_msg_id_field(**kwargs: Any) -> serializers.RegexField:
    """Any name but one of ours: whoever took that of a call's ending first would keep the call out of both lists."""
    not_ours = rf"\A(?!{contents.OUR_NAME})"
    return serializers.RegexField(not_ours, max_length=64, allow_blank=True, trim_whitespace=False, **kwargs)


def _letters(many: int) -> Word:
    return Word(lambda **kwargs: serializers.CharField(max_length=many, allow_blank=True, **kwargs))


Signature = Annotated[str, _letters(128)]
Stamp = Annotated[str, _letters(32)]
Nonce = Annotated[str, _letters(128)]
Text = Annotated[str, Word(text_field(settings.ROOM_TEXT_LENGTH))]
Kind = Annotated[str, Word(kind_field, name="msgType")]
Content = Annotated[dict[str, Any], Word(ContentField)]
ClientMsgId = Annotated[str, Word(client_msg_id_field)]
