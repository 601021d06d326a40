from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from heihei_site.api.ids import unguessable_id
from live.ban_models import LiveBan as LiveBan
from live.querysets import LiveQuerySet, MemberQuerySet, MicLinkQuerySet

NEW_LIVE_SCORE = 3  # what a live has that began just now and that nobody has come to yet (ADR 0010)
LEAST_UNLOCKED = 2  # seats of a live that cannot be locked (D23)


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
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="lives", db_index=False, verbose_name="主播"
    )
    title = models.CharField("标题", max_length=64)
    status = models.SmallIntegerField("状态", choices=Status.choices, default=Status.TO_START)
    paused = models.BooleanField("暂停", default=False)
    visible = models.BooleanField("公开", default=True)
    recommended = models.BooleanField("推荐", default=False)  # by operators: before all others in the lists
    recommended_place = models.PositiveSmallIntegerField(
        "推荐顺序", null=True, blank=True, help_text="小的在前；留空：排在最后"
    )
    recommended_until = models.DateTimeField("推荐到", null=True, blank=True, help_text="留空：一直推荐")
    score = models.SmallIntegerField("热度", db_default=NEW_LIVE_SCORE)  # written by services/feeds.py (ADR 0010)
    stream = models.CharField(max_length=64, unique=True)  # the stream's title at the streaming provider
    publisher = models.BigIntegerField(null=True, editable=False)  # our media server's number of who sends the sound
    media_due = models.DateTimeField(null=True, editable=False)  # when to look after what is left of the sound
    lookback_addr = models.CharField("回放地址", max_length=255, blank=True, default="")
    # services/archives.py
    archive = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    archive_due = models.DateTimeField(null=True, editable=False)  # when it is to be written, anew where there is one
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
    is_followed: bool  # on rows of LiveQuerySet.with_followed()
    is_recommended: bool  # on rows of LiveQuerySet.with_recommended()

    objects = LiveQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "直播"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner"], condition=Q(status__in=(0, 1)), name="one_open_live_an_owner"),
            models.CheckConstraint(condition=Q(occupied__gte=0, locked__gte=0), name="live_counts"),
            models.CheckConstraint(condition=Q(seats__gte=F("occupied") + F("locked")), name="live_seats"),
            models.CheckConstraint(condition=Q(seats__gte=F("locked") + LEAST_UNLOCKED), name="live_unlocked_seats"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner_deadline"], condition=Q(status__in=(0, 1)), name="open_lives"),
            models.Index(fields=["-score", "-started_at", "-id"], condition=Q(status=1), name="lives_on_air"),
            models.Index(
                fields=["recommended_place", "-started_at", "-id"],
                condition=Q(status=1, recommended=True),
                name="recommended_lives",
            ),
            models.Index(
                fields=["-ended_at", "-id"], condition=Q(status=2) & ~Q(lookback_addr=""), name="live_replays"
            ),
            models.Index(
                fields=["owner", "-ended_at", "-id"],
                condition=Q(status=2) & ~Q(lookback_addr=""),
                name="replays_of_owner",
            ),
            models.Index(fields=["owner", "-created_at", "-id"], name="lives_of_owner"),
            models.Index(fields=["media_due"], condition=Q(media_due__isnull=False), name="media_due"),
            models.Index(fields=["started_at"], condition=Q(started_at__isnull=False), name="lives_by_time"),
            models.Index(fields=["archive_due"], condition=Q(archive_due__isnull=False), name="archive_due"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.pk})"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def free_seats(self) -> int:
        """Neither taken nor locked. Seats of people who fell silent are taken until somebody counts them out."""
        return self.seats - self.occupied - self.locked


class SeatAllowance(models.Model):
    """How many seats the lives of an owner open with, where operators have said so (D23)."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="seat_allowance",
        verbose_name="主播",
    )  # fmt: skip
    seats = models.IntegerField("座位", validators=[MinValueValidator(LEAST_UNLOCKED)])

    class Meta:
        verbose_name = verbose_name_plural = "主播座位"
        constraints: ClassVar = [models.CheckConstraint(condition=Q(seats__gte=LEAST_UNLOCKED), name="enough_seats")]

    def __str__(self) -> str:
        return f"{self.seats} seats in the lives of {self.owner_id}"


class RecentTickets(models.Model):
    """What a live on air was given lately: each ticket counts half after `TICKETS_HALF_LIFE` (ADR 0010).

    Apart from the live, whose row every gift holds: only the job that ranks writes here.
    """

    live = models.OneToOneField(Live, primary_key=True, on_delete=models.CASCADE, related_name="recent_tickets")
    tickets = models.FloatField()
    counted = models.BigIntegerField()  # `total_tickets` of the live at that moment
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.tickets:.1f} in {self.live_id}"


class Member(models.Model):
    """Somebody in a room, or who was. Their place is a lease that heart-beats renew (D21)."""

    live = models.ForeignKey(Live, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    joined_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    muted: bool  # on rows of `selectors.speaker`
    # On rows of `selectors.audience`: what is under way between them and the owner.
    mic_state: int | None = None
    mic_left: timedelta | None = None

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


class Guest(models.Model):
    """What was said about one person in one live. Most people never have a row: nothing was said about them."""

    live = models.ForeignKey(Live, on_delete=models.CASCADE, related_name="guests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="guest_of")
    knocked_at = models.DateTimeField(null=True)  # the last time (D23)
    invited_at = models.DateTimeField(null=True)
    live_key = models.CharField(max_length=32, blank=True, default="")  # of an invitation that was not used yet (D23)
    kicked_at = models.DateTimeField(null=True)  # null again when they are invited
    muted_at = models.DateTimeField(null=True)
    manager_since = models.DateTimeField(null=True)  # D44

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["live", "user"], name="one_guest_a_live")]
        indexes: ClassVar = [
            models.Index(fields=["live", "-knocked_at"], condition=Q(knocked_at__isnull=False), name="knockers"),
            models.Index(fields=["live"], condition=Q(manager_since__isnull=False), name="managers"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.live_id}"


class ReplayViewer(models.Model):
    """Somebody who opened a replay, and when they did last."""

    live = models.ForeignKey(Live, on_delete=models.CASCADE, related_name="replay_viewers", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="replays_seen")
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["live", "user"], name="one_replay_viewer_a_live")]
        indexes: ClassVar = [models.Index(fields=["live", "-seen_at", "-id"], name="replay_viewers")]

    def __str__(self) -> str:
        return f"{self.user_id} saw {self.live_id}"


class MicLink(models.Model):
    """A viewer's way to the microphone beside the owner's, from the first request to the end (D25)."""

    class State(models.IntegerChoices):
        REQUESTED = 1, "申请中"  # by the viewer
        INVITED = 2, "邀请中"  # by the owner
        JOINING = 3, "接通中"  # agreed; both are to join
        WAITING = 4, "等待中"  # both joined; both are to hear each other
        CONNECTED = 5, "已连麦"
        ENDED = 6, "已结束"

    ASKED: ClassVar = (State.REQUESTED, State.INVITED)
    LINKED: ClassVar = (State.JOINING, State.WAITING, State.CONNECTED)

    live = models.ForeignKey(Live, on_delete=models.CASCADE, related_name="mic_links")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mic_links")
    state = models.SmallIntegerField("状态", choices=State.choices)
    deadline = models.DateTimeField(null=True)  # none once connected: the places of both are leases themselves
    owner_joined = models.BooleanField(default=False)
    user_joined = models.BooleanField(default=False)
    owner_succeeded = models.BooleanField(default=False)
    user_succeeded = models.BooleanField(default=False)
    created_at = models.DateTimeField("申请时间", db_default=Now())
    connected_at = models.DateTimeField("接通时间", null=True)
    ended_at = models.DateTimeField("结束时间", null=True)
    # It is over, and the RTC vendor has not yet said that nobody is in its room any more.
    revocation_due = models.BooleanField(db_default=False)

    over: bool  # these two: on rows of selectors.mic_links
    left: timedelta | None

    objects = MicLinkQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "连麦"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["live"], condition=Q(state__in=(3, 4, 5)), name="one_mic_link_a_live"),
            models.UniqueConstraint(fields=["live", "user"], condition=~Q(state=6), name="one_mic_link_a_viewer"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["deadline"], condition=~Q(state=6) & Q(deadline__isnull=False), name="mic_deadlines"),
            models.Index(fields=["user"], condition=~Q(state=6), name="mic_links_of_a_person"),
            models.Index(fields=["ended_at"], condition=Q(revocation_due=True), name="mic_links_to_revoke"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.live_id}: {self.get_state_display()}"

    @property
    def is_linked(self) -> bool:
        """Both have agreed; they are on their way to each other, or there."""
        return self.state in self.LINKED
