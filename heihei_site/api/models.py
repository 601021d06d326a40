from typing import ClassVar

from django.conf import settings
from django.db import models


class Repeat(models.Model):
    """The last time a person asked for the same thing in the same words (D26): see `repeats.py`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    key = models.CharField(max_length=32)

    class Meta:
        db_table = "users_repeat"  # as it was named by releases that still run while this one is rolled out
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "digest"], name="one_row_a_request")]

    def __str__(self) -> str:
        return self.key
