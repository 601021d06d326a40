"""Words for parameters about orders."""

from typing import Annotated

from rest_framework import serializers

from heihei_site.api.params import Word, number_field, text_field
from payment.order_models import Channel

MOST_SIGNED = 400_000  # characters: a dozen of Apple's signed transactions


def _channel_field(**kwargs: object) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=Channel.values, **kwargs)  # type: ignore[arg-type]


ChannelName = Annotated[str, Word(_channel_field)]
PackageId = Annotated[int, Word(number_field(0, 2**53 - 1))]
OrderNumber = Annotated[str, Word(text_field(64), name="order")]
Outcome = Annotated[int, Word(number_field(0, 9), name="status")]
SdkAnswer = Annotated[str, Word(text_field(MOST_SIGNED, blank=True), name="data")]
