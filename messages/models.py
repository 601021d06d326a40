from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from heihei_site.api.ids import unguessable_id


class InstantMessage(models.Model):
    """What one person said to another. How it reached their phones is `realtime`'s to keep."""

    class Kind(models.TextChoices):
        TEXT = "text", "文字"

    msg_id = models.BigIntegerField("msgId", primary_key=True, default=unguessable_id)
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="发送人"
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="接收人"
    )
    kind = models.CharField("类型", max_length=16, choices=Kind.choices)
    content = models.JSONField("内容")
    client_msg_id = models.CharField(max_length=64, blank=True, default="")  # the phone's own name for it
    created_at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "私信"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sender", "client_msg_id"], condition=~Q(client_msg_id=""), name="one_message_a_client_msg_id"
            ),
            models.CheckConstraint(condition=~Q(sender=F("recipient")), name="nobody_writes_to_themselves"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["sender", "recipient", "created_at"], name="messages_between_two"),
            models.Index(fields=["recipient", "created_at"], name="messages_received"),
        ]

    def __str__(self) -> str:
        return f"{self.sender_id} → {self.recipient_id}"
