from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from heihei_site.api.ids import unguessable_id
from users.models import Device


class InstantMessage(models.Model):
    """What one person said to another. How it reached their phones is `realtime`'s to keep."""

    class Kind(models.TextChoices):
        TEXT = "text", "文字"
        IMAGE = "image", "图片"
        AUDIO = "audio", "语音"
        VIDEO = "video", "视频"
        GIFT = "gift", "礼物"
        # Written by us (D45):
        TOPIC = "systopic", "话题"  # when two begin to write to each other
        DUE_CHAT = "dueChat", "约聊"  # when a call ends
        NOTICE = "sysnotify", "通知"  # of likes, gifts and replies

    msg_id = models.BigIntegerField("msgId", primary_key=True, default=unguessable_id)
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="发送人"
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="接收人"
    )
    kind = models.CharField("类型", max_length=16, choices=Kind.choices)
    content = models.JSONField("内容")
    jump = models.JSONField("跳转", null=True)  # of a notice
    collapse = models.CharField(max_length=64, blank=True, default="")  # notices of one name are one while it is unread
    client_msg_id = models.CharField(max_length=64, blank=True, default="")  # the phone's own name for it
    created_at = models.DateTimeField("时间", db_default=Now())
    recalled_at = models.DateTimeField("撤回时间", null=True)  # its content stays for reports

    now: datetime  # the database's, on rows that are held to be taken back

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
            models.Index(
                fields=["recipient", "collapse", "created_at"], condition=~Q(collapse=""), name="notices_to_collapse"
            ),
            # Rows are only added: a few bytes for each megabyte of them, and writing one costs nothing.
            BrinIndex(fields=["created_at"], autosummarize=True, name="messages_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.sender_id} → {self.recipient_id}"


class Entry(models.Model):
    """A row of a person's message list: all that passed between them and one other, shown by what came last.

    Counters grow until the row is deleted by its owner. Neither person is a constraint of the database: a list of
    somebody erased goes with them, and what others have of them is without a name.
    """

    class Kind(models.TextChoices):
        POST = "post", "未接通"  # the owner called, and nobody answered
        CALLING = "calling", "未接来电"
        CALL = "call", "通话"
        IM = "text", "私信"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    peer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    posts = models.IntegerField(default=0)  # so often each kind happened
    callings = models.IntegerField(default=0)
    calls = models.IntegerField(default=0)
    seconds = models.IntegerField(default=0)  # of the last call that was one
    message = models.ForeignKey(
        InstantMessage, on_delete=models.SET_NULL, related_name="+", db_index=False, db_constraint=False, null=True
    )  # the last one
    unread = models.IntegerField(default=0)
    read_until = models.BigIntegerField(default=0)  # the msgId of the other one's newest message that the owner read
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "peer"], name="one_entry_a_pair"),
            models.CheckConstraint(condition=Q(unread__gte=0), name="entry_unread_counts"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-changed_at", "-peer"], name="entries_in_order"),
            models.Index(fields=["owner", "peer"], condition=Q(unread__gt=0), name="entries_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.peer_id}"


class Mailbox(models.Model):
    """What is unread of a person's list, in all, and how far they have read what they were told. Locked after the
    entries, before the counters of streams."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, primary_key=True
    )
    unread = models.IntegerField(default=0)
    version = models.BigIntegerField(default=0)  # grows with every change of `unread`
    read_until = models.BigIntegerField(default=0)  # a `seq` of their stream

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(unread__gte=0), name="mailbox_unread_counts")]

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.unread}"


class HistoryMark(models.Model):
    """One message of a person's stream that they have read before its turn, or deleted."""

    pk = models.CompositePrimaryKey("owner", "seq")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    seq = models.BigIntegerField()
    deleted = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.seq}"


class ServerCall(models.Model):
    """A call of another server of ours that was let in, so that nobody can repeat it (server_views.py)."""

    nonce = models.CharField(max_length=64, primary_key=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="server_calls_to_forget")]

    def __str__(self) -> str:
        return self.nonce


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
        RECALLED = 11, "消息已撤回"

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


# A model of its own module; Django looks for it here.
from messages.announcement_models import Announcement  # noqa: E402, F401
