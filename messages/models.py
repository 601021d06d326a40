from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from heihei_site.api.ids import unguessable_id
from users.models import Device


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


class Notice(models.Model):
    """What is pushed about one message, to however many devices."""

    msg_id = models.BigIntegerField("msgId", primary_key=True)  # of the message
    title = models.TextField("标题")
    text = models.TextField("内容")
    action = models.CharField("动作", max_length=32)
    links = models.JSONField("链接")  # [[[major, minor], link], ...], from the oldest clients on
    from_user_id = models.BigIntegerField("发起人")  # 0 for us
    from_user_name = models.TextField()
    gender = models.CharField(max_length=11)
    rings = models.BooleanField("来电")
    expires_at = models.DateTimeField("失效时间")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="notices_to_forget")]

    def __str__(self) -> str:
        return self.title


class Push(models.Model):
    """A notice on its way to one device, or what became of it (docs/adr/0011-push-outbox.md).

    Neither person nor device is a constraint of the database: rows come in thousands, and devices go when they like.
    """

    class Lane(models.IntegerChoices):
        ONE = 1, "单人"
        MANY = 2, "群发"  # to an audience, and what waited through the night: nobody waits behind these

    class Outcome(models.IntegerChoices):
        WAITING = 0, "等待"
        SENT = 1, "已发送"
        REACHED = 2, "已在线送达"  # over a socket, or by connecting since
        COLLAPSED = 3, "已合并"  # into a newer one
        LIMITED = 4, "过于频繁"
        EXPIRED = 5, "已过期"
        SWITCHED_OFF = 6, "用户已关闭"
        GONE = 7, "设备已离开"  # signed out, or somebody else's since
        UNFIT = 8, "版本不支持"  # the client bears no pushes (B65), or knows none of the links
        DEAD = 9, "设备失效"  # says the vendor
        FAILED = 10, "失败"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="pushes", verbose_name="消息")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name="收件人",
    )
    device = models.ForeignKey(
        Device, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False, verbose_name="设备"
    )
    lane = models.SmallIntegerField("通道", choices=Lane.choices)
    collapse = models.CharField(max_length=64)
    outcome = models.SmallIntegerField("结果", choices=Outcome.choices, default=Outcome.WAITING)
    due_at = models.DateTimeField("下次处理")  # moved on by a worker that has it in hand, in case that dies
    tries = models.IntegerField("次数", default=0)  # so often a vendor was given it
    reason = models.CharField("原因", max_length=64, default="")  # the vendor's word
    created_at = models.DateTimeField("时间")
    finished_at = models.DateTimeField("完成时间", null=True)

    superseded: bool  # on rows that the sender reads: there is a newer one
    now: datetime  # the database's

    class Meta:
        verbose_name = verbose_name_plural = "推送"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notice", "device"], name="one_push_a_message_and_device")
        ]
        indexes: ClassVar = [
            models.Index(fields=["lane", "due_at"], condition=Q(outcome=0), name="pushes_waiting"),
            models.Index(
                fields=["device", "collapse"], condition=Q(outcome=0) & ~Q(collapse=""), name="pushes_to_collapse"
            ),
            models.Index(fields=["user", "-finished_at"], name="pushes_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} → {self.user_id}"


class PushTally(models.Model):
    """How many pushes ever ended in one way: rows of pushes are forgotten, counters of monitors only grow."""

    outcome = models.SmallIntegerField(primary_key=True, choices=Push.Outcome.choices)
    many = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.many}"
