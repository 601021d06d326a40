"""Words for parameters about topics and what is said in them."""

import re
from typing import Annotated

from django.conf import settings
from rest_framework import serializers

from heihei_site.api.callers import Caller
from heihei_site.api.errors import InvalidParameter, NotPermitted, PostUnknown
from heihei_site.api.params import IdField, Word, number_field, text_field
from topics import selectors
from topics.models import Subject, Topic
from topics.services import topics
from users.params import title_of

SAMPLES = re.compile(r"\[?\s*[0-9]{1,6}(\s*,\s*[0-9]{1,6})*\s*\]?")


def _topic(caller: Caller, topic_id: int) -> Topic:
    topic = topics.find(topic_id)
    if topic is None:
        raise PostUnknown
    return topic


def _subject(caller: Caller, subject_id: int) -> Subject:
    subject = selectors.find(subject_id, caller.person)
    if subject is None:
        raise PostUnknown
    return subject


def _any_subject(caller: Caller, subject_id: int) -> Subject:
    """Also one that is gone: something may have been paid for it (`deeds.give`)."""
    subject = Subject.objects.filter(pk=subject_id).first()
    if subject is None:
        raise PostUnknown
    return subject


def _own_subject(caller: Caller, subject_id: int) -> Subject:
    """Also one that is not shown any more. Others' that the caller sees are refused, what nobody sees is unknown."""
    own = Subject.objects.filter(pk=subject_id, creator=caller.person).first()
    if own is not None:
        return own
    _subject(caller, subject_id)
    raise NotPermitted


def _samples(caller: Caller, samples: str) -> str:
    """Numbers in either notation, kept as they come."""
    if SAMPLES.fullmatch(samples) is None:
        raise InvalidParameter
    return samples


TopicParam = Annotated[Topic, Word(IdField, name="topicId", find=_topic, refuses=(PostUnknown,))]
SubjectParam = Annotated[Subject, Word(IdField, name="subjectId", find=_subject, refuses=(PostUnknown,))]
AnySubject = Annotated[Subject, Word(IdField, name="subjectId", find=_any_subject, refuses=(PostUnknown,))]
OwnSubject = Annotated[Subject, Word(IdField, name="subjectId", find=_own_subject, refuses=(PostUnknown, NotPermitted))]
Order = Annotated[  # whether the newest come first: 0 and hot, 1 and new
    bool,
    Word(
        lambda **kwargs: serializers.ChoiceField(["0", "1", "hot", "new"], **kwargs),
        name="type",
        find=lambda _, kind: kind in ("1", "new"),
    ),
]
Sign = Annotated[str, Word(text_field(255))]
Samples = Annotated[str, Word(text_field(settings.SUBJECT_SAMPLES_LENGTH), find=_samples)]
Length = Annotated[int, Word(number_field(0, settings.SUBJECT_LENGTH))]
Title = Annotated[str, title_of(settings.SUBJECT_TITLE_LENGTH)]
OptionalTitle = Annotated[str, title_of(settings.SUBJECT_TITLE_LENGTH, blank=True)]
