from datetime import date
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from users.levels import level
from users.querysets import UserQuerySet

HEI_NUM_OFFSET = 990_000  # heiNum runs from 1000001 as ids run from 10001 (D6)


class UserManager(DjangoUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Staff are made with createsuperuser and sign in by username; people are made by signing in with a phone."""

    def _create_user(self, username: str, email: str | None, password: str | None, **extra: object) -> "User":
        user: User = self.model(username=username, email=self.normalize_email(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person, or a member of staff, or both."""

    class Gender(models.TextChoices):
        MALE = "Male", "男"
        FEMALE = "Female", "女"
        UNSPECIFIED = "Unspecified", "未设置"

    class Kind(models.TextChoices):
        NORMAL = "Normal", "普通"
        ANCHOR = "Anchor", "主播"

    id = models.AutoField(primary_key=True)  # 32 bits: the 1.1 app compares ids as int
    phone = models.CharField("手机号", max_length=11, unique=True, null=True, blank=True)
    display_name = models.CharField("昵称", max_length=32, blank=True, default="")
    gender = models.CharField("性别", max_length=11, choices=Gender.choices, default=Gender.UNSPECIFIED)
    birthday = models.DateField("生日", null=True, blank=True)
    description = models.CharField("签名", max_length=255, blank=True, default="")
    cover_url = models.CharField("头像", max_length=255, blank=True, default="")
    address = models.CharField("城市", max_length=64, blank=True, default="")
    latlng = models.CharField(max_length=64, blank=True, default="")
    region = models.CharField(max_length=64, blank=True, default="")
    kind = models.CharField("类型", max_length=6, choices=Kind.choices, default=Kind.NORMAL)
    push_enable = models.BooleanField(default=True)

    experience = models.BigIntegerField("经验", default=0)
    points_earned = models.BigIntegerField("累计黑票", default=0)
    gold_given = models.BigIntegerField("累计送出钻石", default=0)
    follower_count = models.IntegerField("粉丝", default=0)
    following_count = models.IntegerField("关注", default=0)
    live_count = models.IntegerField("直播数", default=0)
    rename_count = models.IntegerField("改名次数", default=0)

    username = models.CharField("运营账号", max_length=150, unique=True, null=True, blank=True)
    email = models.EmailField(blank=True, default="")
    is_staff = models.BooleanField("可登录运营台", default=False)
    is_active = models.BooleanField("正常", default=True, help_text="取消即封禁：所有登录立即失效")
    date_joined = models.DateTimeField("注册时间", db_default=Now())
    modified_at = models.DateTimeField(db_default=Now())

    objects = UserManager()
    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        verbose_name = verbose_name_plural = "用户"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(follower_count__gte=0, following_count__gte=0), name="follow_counts")
        ]

    def __str__(self) -> str:
        return f"{self.display_name or '—'} ({self.pk})"

    @property
    def hei_num(self) -> int:
        return self.pk + HEI_NUM_OFFSET

    @property
    def birth_day(self) -> str:
        """`yyyy-MM-dd` as phones read it, "" while unknown."""
        return self.birthday.isoformat() if self.birthday else ""

    @property
    def level(self) -> int:
        return level(self.experience)

    @property
    def profile_complete(self) -> bool:
        """D16: until it is, the phone is told `needRegist`."""
        return bool(self.display_name and self.birthday and self.gender != self.Gender.UNSPECIFIED)

    def is_minor(self, today: date, adult_age: int) -> bool:
        """Under age, or of an age nobody has told us (D19)."""
        if self.birthday is None:
            return True
        born = self.birthday
        had_birthday = (today.month, today.day) >= (born.month, born.day)
        return today.year - born.year - (0 if had_birthday else 1) < adult_age


class Session(models.Model):
    """One sign-in: one token, any number of connections (D5). The row is the sign-in: deleting it ends it."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of the token; the token itself is not kept
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    client_version = models.CharField(max_length=32, blank=True, default="")
    connection_no = models.BigIntegerField(default=0)  # number of the newest connection (D11)

    class Meta:
        verbose_name = verbose_name_plural = "登录"

    def __str__(self) -> str:
        return f"session {self.pk} of {self.user_id}"


class PhoneCode(models.Model):
    """The one SMS code a phone number may have outstanding, and how many it was sent today (D15)."""

    phone = models.CharField(max_length=11, primary_key=True)
    digest = models.CharField(max_length=64)  # keyed: six digits alone would be guessed from a plain hash
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries_left = models.SmallIntegerField()
    day = models.DateField()
    sent_that_day = models.SmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"code sent at {self.sent_at:%H:%M:%S}"


class Device(models.Model):
    """Where pushes reach a person. A device belongs to whoever signed in on it last."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    push_kind = models.CharField(max_length=16)  # apns, getui, gcm
    push_token = models.CharField(max_length=255)
    platform = models.CharField(max_length=16)  # android, ios
    uuid = models.CharField(max_length=128, blank=True, default="")
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["push_kind", "push_token"], name="one_owner_a_device")]

    def __str__(self) -> str:
        return f"{self.platform} of {self.user_id}"


class Follow(models.Model):
    follower = models.ForeignKey(User, on_delete=models.CASCADE, related_name="following")
    followee = models.ForeignKey(User, on_delete=models.CASCADE, related_name="followers", db_index=False)
    live_id = models.BigIntegerField(null=True)  # the room it happened in
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["follower", "followee"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followee")), name="nobody_follows_themselves"),
        ]
        indexes: ClassVar = [models.Index(fields=["followee", "follower"], name="followers_in_order")]

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.followee_id}"


class Block(models.Model):
    """`user` wants nothing to do with `target`; it works both ways everywhere (D18)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="blocks")
    target = models.ForeignKey(User, on_delete=models.CASCADE, related_name="blocked_by")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "target"], name="block_once")]

    def __str__(self) -> str:
        return f"{self.user_id} blocks {self.target_id}"


class Report(models.Model):
    """A person tells operators about another (D17)."""

    class Kind(models.IntegerChoices):
        GENDER = 1, "性别不符"
        FRAUD = 2, "欺诈广告"
        HARASSMENT = 3, "骚扰"
        PORN = 4, "色情"

    reporter = models.ForeignKey(User, on_delete=models.CASCADE, related_name="reports_made")
    target = models.ForeignKey(User, on_delete=models.CASCADE, related_name="reports")
    kind = models.SmallIntegerField("原因", choices=Kind.choices)
    handled = models.BooleanField("已处理", default=False)
    created_at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "举报"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reporter", "target", "kind"], condition=Q(handled=False), name="one_open_report"
            )
        ]

    def __str__(self) -> str:
        return f"{self.reporter_id} → {self.target_id}: {self.get_kind_display()}"


class Repeat(models.Model):
    """The last time a person asked for the same thing in the same words (D26): see `services/repeats.py`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    key = models.CharField(max_length=32)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "digest"], name="one_row_a_request")]

    def __str__(self) -> str:
        return self.key
