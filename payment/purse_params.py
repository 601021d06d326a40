"""Words for parameters about exchange, withdrawal and the statement."""

from typing import Annotated

from django.db.models import QuerySet
from rest_framework import serializers

from heihei_site.api.callers import Caller
from heihei_site.api.errors import PackageInvalid
from heihei_site.api.params import IdField, Word, number_field, text_field
from heihei_site.postgres.compiled import Compiled, Given
from payment.exchange_models import P2gPackage
from payment.models import LARGEST_WIRE_INT, Currency


@Compiled
def _packages(number: Given) -> QuerySet[P2gPackage]:
    return P2gPackage.objects.filter(pk=number).order_by()


def _package(caller: Caller, package_id: int) -> P2gPackage:
    """A retired one too: who repeats an exchange gets its answer."""
    for package in _packages(package_id):
        return package
    raise PackageInvalid


P2gPackageParam = Annotated[P2gPackage, Word(IdField, name="packageId", find=_package, refuses=(PackageInvalid,))]
# An e-mail address, a phone number, a number of Alipay's own, or a name of the old days; as we show it, with stars.
AlipayCode = Annotated[str, Word(text_field(100, pattern=r"^[\w.@+*-]+$"), name="alipaycode")]
UserName = Annotated[str, Word(text_field(50), name="username")]
IdCard = Annotated[str, Word(text_field(32), name="idcard", find=lambda _, idcard: idcard.upper())]
Phone = Annotated[
    str, Word(text_field(14, pattern=r"^(\+?86)?1[3-9][0-9]{9}$"), name="phone", find=lambda _, phone: phone[-11:])
]
Fen = Annotated[int, Word(number_field(1, LARGEST_WIRE_INT), name="payamount")]
Before = Annotated[int, Word(IdField, name="before")]
OneCurrency = Annotated[str, Word(lambda **kwargs: serializers.ChoiceField(Currency.values, **kwargs))]
