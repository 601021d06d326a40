from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from chat.querysets import ChatQuerySet, SideQuerySet
from heihei_site.api.ids import unguessable_id


class ChatTopic(models.Model):
    """Something two people could talk about: shown at the start of a call, and whenever one of them wants another."""

    text = models.CharField("话题", max_length=100, unique=True)
    active = models.BooleanField("启用", default=True)
    created_at = models.DateTimeField("添加时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "约聊话题"

    def __str__(self) -> str:
        return self.text


class Chat(models.Model):
    """A call of two people, from the first ring to the end. `chatId` and `roomId` are its primary key (D6)."""

    class Kind(models.TextChoices):
        DUE = "due", "约聊"
        MATCH = "match", "匹配"

    class State(models.IntegerChoices):
        RINGING = 1, "呼叫中"
        MISSED = 2, "未接"  # nobody answered in time; who was called may still call back
        RINGING_BACK = 3, "回拨中"
        RUNNING = 4, "通话中"
        ENDED = 5, "已结束"

    class Outcome(models.TextChoices):
        TALKED = "talked", "已通话"
        MISSED = "missed", "未接"
        REFUSED = "refused", "已拒绝"
        CANCELLED = "cancelled", "已取消"

    PENDING: ClassVar = (State.RINGING, State.RINGING_BACK)

    id = models.BigIntegerField("chatId", primary_key=True, default=unguessable_id)
    caller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="主叫"
    )
    callee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="被叫"
    )
    kind = models.CharField("类型", max_length=5, choices=Kind.choices)
    state = models.SmallIntegerField("状态", choices=State.choices)
    outcome = models.CharField("结果", max_length=9, choices=Outcome.choices, blank=True, default="")
    called_back = models.BooleanField("回拨", default=False)  # the callee rang, and the caller was rung
    deadline = models.DateTimeField(null=True)  # of what rings or can be called back; a running call has its leases
    topic = models.ForeignKey(ChatTopic, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name="话题")
    changes = models.BigIntegerField(default=0)  # grows with every change of a side: orders chat-user-status
    created_at = models.DateTimeField("创建时间", db_default=Now())
    answered_at = models.DateTimeField("接听时间", null=True)
    started_at = models.DateTimeField("开始时间", null=True)  # when the second of the two was there
    ended_at = models.DateTimeField("结束时间", null=True)
    # It is over, and the RTC vendor has not yet said that nobody is in its room any more.
    revocation_due = models.BooleanField(db_default=False)

    overdue: bool  # these two: on rows of ChatQuerySet.with_overdue()
    now: datetime

    objects = ChatQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "通话"
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(caller=F("callee")), name="nobody_calls_themselves")
        ]
        indexes: ClassVar = [
            models.Index(fields=["deadline"], condition=Q(deadline__isnull=False), name="chat_deadlines"),
            models.Index(fields=["caller", "callee", "-created_at"], name="calls_between_two"),
            models.Index(fields=["callee", "-created_at"], name="calls_received"),
            models.Index(fields=["-created_at"], name="newest_calls"),
            models.Index(fields=["ended_at"], condition=Q(revocation_due=True), name="chats_to_revoke"),
        ]

    def __str__(self) -> str:
        return f"{self.caller_id} → {self.callee_id} ({self.pk})"

    @property
    def is_current(self) -> bool:
        """It rings, or it runs: both are busy with it."""
        return self.state in (*self.PENDING, self.State.RUNNING)

    @property
    def people(self) -> tuple[int, int]:
        return self.caller_id, self.callee_id

    def other(self, user_id: int) -> int:
        return self.callee_id if user_id == self.caller_id else self.caller_id

    @property
    def rings_for(self) -> int:
        """Who is to answer."""
        return self.caller_id if self.called_back else self.callee_id

    @property
    def waits_for_answer(self) -> int:
        """Who has called: the callee where they called back."""
        return self.callee_id if self.called_back else self.caller_id

    @property
    def length(self) -> timedelta:
        """How long both were there."""
        return self.ended_at - self.started_at if self.ended_at and self.started_at else timedelta()


class Side(models.Model):
    """One of the two in a call. Who is `busy` rings, is rung, or talks; the database lets nobody be so twice (I7)."""

    class Status(models.IntegerChoices):
        ENTERING = 0, "正在进入"
        NORMAL = 1, "正常"
        AWAY = 2, "离开"
        LOST = 3, "断线"
        GONE = 4, "已挂断"

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="sides")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    busy = models.BooleanField(default=True)
    status = models.SmallIntegerField("状态", choices=Status.choices, default=Status.ENTERING)
    joined_at = models.DateTimeField("进入时间", null=True)
    lease_until = models.DateTimeField(null=True)  # while the call runs, renewed by heart-beats

    is_silent: bool  # these two: on rows of calls.sides_of
    is_lost: bool

    objects = SideQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chat", "user"], name="one_side_a_chat"),
            models.UniqueConstraint(fields=["user"], condition=Q(busy=True), name="nobody_in_two_calls"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["lease_until"], condition=Q(busy=True, lease_until__isnull=False), name="chat_leases"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.chat_id}: {self.get_status_display()}"


class Seeker(models.Model):
    """Somebody who looks for anybody to talk to, until the deadline. The row is deleted by who pairs them."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", primary_key=True)
    gender = models.CharField(max_length=11)
    since = models.DateTimeField()
    deadline = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["gender", "since"], name="seekers_by_gender"),
            models.Index(fields=["since"], name="seekers_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} since {self.since:%H:%M:%S}"


class MatchTip(models.Model):
    """A line to read while a phone looks for somebody."""

    text = models.CharField("提示", max_length=100, unique=True)
    active = models.BooleanField("启用", default=True)
    created_at = models.DateTimeField("添加时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "匹配提示"

    def __str__(self) -> str:
        return self.text
