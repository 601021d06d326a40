"""Words for parameters about gifts, wherever they are given."""

from typing import Annotated

from django.db.models import QuerySet

from heihei_site.api.callers import Caller
from heihei_site.api.errors import GiftUnknown
from heihei_site.api.params import IdField, Word, number_field, text_field
from heihei_site.postgres.compiled import Compiled, Given
from payment.models import Gift


@Compiled
def _gifts(number: Given) -> QuerySet[Gift]:
    return Gift.objects.filter(pk=number).order_by()


def _gift(caller: Caller, gift_id: int) -> Gift:
    """Also one that is sold no more: it may have been paid for (`users.services.giving`)."""
    for gift in _gifts(gift_id):
        return gift
    raise GiftUnknown


GiftParam = Annotated[Gift, Word(IdField, name="giftId", find=_gift, refuses=(GiftUnknown,))]
Count = Annotated[int, Word(number_field(1, 2**31 - 1))]
ComboKey = Annotated[str, Word(text_field(128, blank=True))]
