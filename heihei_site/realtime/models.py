"""What was told: the numbered messages of every person and every room (D12, docs/adr/0007-what-is-durable.md)."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class StreamKind(models.IntegerChoices):
    PERSON = 1, "个人"
    ROOM = 2, "房间"


class Stream(models.Model):
    """The counter of one person's or one room's messages. `first_seq` is the oldest that is still kept.

    `owner_id` is the id of the person or the room; no foreign key, since people and rooms live in the apps above.
    """

    pk = models.CompositePrimaryKey("kind", "owner_id")
    kind = models.PositiveSmallIntegerField(choices=StreamKind)
    owner_id = models.BigIntegerField()
    last_seq = models.BigIntegerField(default=0)
    first_seq = models.BigIntegerField(default=1)


class Message(models.Model):
    """One element of a frame as it travels, but for its number; written in the transaction that caused it."""

    pk = models.CompositePrimaryKey("kind", "owner_id", "seq")
    kind = models.PositiveSmallIntegerField(choices=StreamKind)
    owner_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    element = models.TextField()
    needs = models.PositiveIntegerField(default=0)  # the oldest generation of clients that gets it (events.needs)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="told_by_time")]


class MassMessage(models.Model):
    """A personal message to an audience, until everyone in it has been told (mass.py)."""

    audience = models.CharField(max_length=32)  # a name in audiences.py
    source_id = models.BigIntegerField()
    element = models.TextField()
    needs = models.PositiveIntegerField(default=0)
    push = models.JSONField(null=True)  # what is pushed of it (pushing.as_json), if anything
    expires_at = models.DateTimeField(null=True)  # after that nobody else is told
    told_until = models.BigIntegerField(default=0)  # the people up to this id have it
    last_turn = models.DateTimeField(db_default=Now())  # of its last batch: who has waited longest is next
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    remaining: timedelta | None  # of its time, on rows that mass.py reads

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["last_turn"], condition=Q(finished_at=None), name="mass_messages_waiting")
        ]
