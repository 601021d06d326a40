"""What was told: the numbered messages of every person and every room (D12, docs/adr/0007-what-is-durable.md)."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
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
        indexes: ClassVar = [BrinIndex(fields=["created_at"], name="message_age")]
