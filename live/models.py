from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from heihei_site.api.ids import unguessable_id
from live.querysets import LiveQuerySet, MemberQuerySet


class Live(models.Model):
    """A live voice room. `liveId` and `roomId` are its primary key (D6)."""

    class Status(models.IntegerChoices):
        TO_START = 0, "待开始"
        PLAYING = 1, "直播中"
        STOPPED = 2, "已结束"
        BANNED = 3, "已封禁"
        DELETED = 4, "已删除"

    OPEN: ClassVar = (Status.TO_START, Status.PLAYING)
    GONE: ClassVar = (Status.BANNED, Status.DELETED)

    id = models.BigIntegerField("liveId", primary_key=True, default=unguessable_id)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="lives", verbose_name="主播"
    )
    title = models.CharField("标题", max_length=64)
    status = models.SmallIntegerField("状态", choices=Status.choices, default=Status.TO_START)
    paused = models.BooleanField("暂停", default=False)
    visible = models.BooleanField("公开", default=True)
    recommended = models.BooleanField("推荐", default=False)
    stream = models.CharField(max_length=64)  # the stream's title at the streaming provider
    lookback_addr = models.CharField("回放地址", max_length=255, blank=True, default="")
    device_type = models.CharField(max_length=16, blank=True, default="")
    address = models.CharField("城市", max_length=64, blank=True, default="")

    created_at = models.DateTimeField("创建时间", db_default=Now())
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)
    owner_deadline = models.DateTimeField()  # the live ends when the owner's heart-beat has not come by then (D21)

    seats = models.IntegerField("座位")  # D23; the owner's included
    locked = models.IntegerField("锁定座位", default=0)
    occupied = models.IntegerField("在线", default=0)  # members inside, the owner included
    presence_no = models.BigIntegerField(default=0)  # grows with every coming and going: orders list-live-users
    total_users = models.IntegerField("累计观众", default=0)
    total_tickets = models.BigIntegerField("黑票", default=0)
    likes = models.BigIntegerField("点亮", default=0)

    overdue: bool  # on rows of LiveQuerySet.with_overdue()

    objects = LiveQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "直播"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner"], condition=Q(status__in=(0, 1)), name="one_open_live_an_owner"),
            models.CheckConstraint(condition=Q(occupied__gte=0, locked__gte=0), name="live_counts"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner_deadline"], condition=Q(status__in=(0, 1)), name="open_lives"),
            models.Index(fields=["-recommended", "-started_at", "-id"], condition=Q(status=1), name="lives_on_air"),
            models.Index(
                fields=["-ended_at", "-id"], condition=Q(status=2) & ~Q(lookback_addr=""), name="live_replays"
            ),
            models.Index(fields=["owner", "-created_at", "-id"], name="lives_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.pk})"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class Member(models.Model):
    """Somebody in a room, or who was. Their place is a lease that heart-beats renew (D21)."""

    live = models.ForeignKey(Live, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    joined_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["live", "user"], name="one_membership_a_live")]
        indexes: ClassVar = [
            models.Index(fields=["live", "-joined_at"], condition=Q(left_at=None), name="members_inside"),
            models.Index(fields=["lease_until"], condition=Q(left_at=None), name="members_leases"),
            models.Index(fields=["user"], condition=Q(left_at=None), name="rooms_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.live_id}"
