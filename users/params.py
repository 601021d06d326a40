"""Words for parameters about people."""

from datetime import date
from typing import Annotated, Any

from django.db.models import QuerySet
from rest_framework import serializers

from heihei_site.api.callers import Caller
from heihei_site.api.errors import MinorRefused, TitleIllegal, UserUnknown
from heihei_site.api.params import IdField, Word, number_field, text_field
from heihei_site.postgres.compiled import Compiled, Given
from users.models import Identity, Report, User
from users.services import words


@Compiled
def _people(number: Given) -> QuerySet[User]:
    people: QuerySet[User] = User.objects.people().filter(pk=number)
    return people


def _person(caller: Caller, user_id: int) -> User:
    """A person who is not there, and one who is banned, is unknown."""
    own = caller.anyone
    if own is not None and own.pk == user_id:
        return own
    for person in _people(user_id):
        return person
    raise UserUnknown


def title_of(length: int, *, blank: bool = False) -> Word:
    """What a live or a post is called: no blocked word is in it (D16)."""
    return Word(text_field(length, blank=blank), name="title", find=_title, refuses=(TitleIllegal,))


def _title(caller: Caller, title: str) -> str:
    if words.blocked_in(title):
        raise TitleIllegal
    return title


def _phone_field(**kwargs: Any) -> serializers.Field[Any, Any, Any, Any]:
    return serializers.RegexField(r"^(\+?86)?1[3-9][0-9]{9}$", max_length=14, **kwargs)


class _BirthdayField(serializers.DateField):
    """`yyyy-MM-dd`. A text that is no date is not the birthday of a living person: 501, as a date in the future."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def to_internal_value(self, value: Any) -> Any:
        try:
            return super().to_internal_value(value)
        except serializers.ValidationError:
            raise MinorRefused from None


Person = Annotated[User, Word(IdField, name="userId", find=_person, refuses=(UserUnknown,))]
Target = Annotated[User, Word(IdField, name="targetId", find=_person, refuses=(UserUnknown,))]
Uid = Annotated[User, Word(IdField, name="uid", find=_person, refuses=(UserUnknown,))]
Phone = Annotated[str, Word(_phone_field, find=lambda _, phone: phone[-11:])]
NewPhone = Annotated[str, Word(_phone_field, name="phone", find=lambda _, phone: phone[-11:])]
SmsCode = Annotated[str, Word(text_field(16))]
AccountSource = Annotated[
    str,
    Word(lambda **kwargs: serializers.ChoiceField([Identity.Source.WECHAT, Identity.Source.WEIBO], **kwargs)),
]
AccountToken = Annotated[str, Word(text_field(1024))]
OpenId = Annotated[str, Word(text_field(128))]
UnionId = Annotated[str, Word(text_field(128, blank=True))]
DisplayName = Annotated[str, Word(text_field(255, blank=True))]
Gender = Annotated[str, Word(lambda **kwargs: serializers.ChoiceField(User.Gender.values, **kwargs))]
Birthday = Annotated[date, Word(_BirthdayField, refuses=(MinorRefused,))]
Description = Annotated[str, Word(text_field(255, blank=True))]
Address = Annotated[str, Word(text_field(64, blank=True))]
ReportKind = Annotated[int, Word(number_field(min(Report.Kind.values), max(Report.Kind.values)))]
Switch = Annotated[str, Word(lambda **kwargs: serializers.ChoiceField(["0", "1"], **kwargs), name="push_enable")]
Kind = Annotated[str, Word(lambda **kwargs: serializers.ChoiceField(User.Kind.values, **kwargs), name="type")]
SearchText = Annotated[str, Word(text_field(64), name="queryParameter")]
Sign = Annotated[str, Word(text_field(1024, blank=True))]
PushKind = Annotated[
    str, Word(lambda **kwargs: serializers.ChoiceField(["apns", "getui", "gcm"], **kwargs), name="apnsType")
]
PushToken = Annotated[str, Word(text_field(255), name="apnsToken")]
DeviceUuid = Annotated[str, Word(text_field(128, blank=True), name="uuid")]
Platform = Annotated[str, Word(lambda **kwargs: serializers.ChoiceField(["android", "ios"], **kwargs))]
