from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, F, Q
from django.db.models.functions import Collate, Now

from heihei_site.console.tunables import tunables
from users import ages, names
from users.ban_models import Ban as Ban
from users.ban_models import BannedToken as BannedToken
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
    blocked_count = models.IntegerField("拉黑", db_default=0)  # whom this person blocks
    live_count = models.IntegerField("直播数", default=0)
    rename_count = models.IntegerField("改名次数", default=0)

    username = models.CharField("运营账号", max_length=150, unique=True, null=True, blank=True)
    email = models.EmailField(blank=True, default="")
    is_staff = models.BooleanField("可登录运营台", default=False)
    is_active = models.BooleanField("正常", default=True, help_text="取消即封禁：所有登录立即失效")
    deletion_due_at = models.DateTimeField("注销生效时间", null=True, blank=True)  # asked for; can be undone till then
    erased_at = models.DateTimeField("已清除个人信息", null=True, blank=True)
    date_joined = models.DateTimeField("注册时间", db_default=Now())
    modified_at = models.DateTimeField(db_default=Now())

    objects = UserManager()
    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        verbose_name = verbose_name_plural = "用户"
        permissions = (("find_by_phone", "可以按手机号查找用户"),)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(follower_count__gte=0, following_count__gte=0), name="follow_counts"),
            models.CheckConstraint(condition=Q(blocked_count__gte=0), name="block_counts"),
        ]
        indexes: ClassVar = [
            GinIndex(names.Grams("display_name"), name="people_by_parts_of_name"),
            models.Index(Collate(names.Key("display_name"), "C"), F("id"), name="people_by_name"),
            models.Index(
                fields=["deletion_due_at"],
                condition=Q(deletion_due_at__isnull=False, erased_at=None),
                name="people_to_erase",
            ),
            models.Index(
                fields=["kind", "-date_joined", "-id"],
                condition=Q(is_active=True) & ~Q(display_name=""),
                name="people_by_kind",
            ),
            models.Index(fields=["date_joined"], name="people_by_time"),
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
    def is_here(self) -> bool:
        """Neither banned nor about to be deleted."""
        return self.is_active and self.deletion_due_at is None

    @property
    def profile_complete(self) -> bool:
        """D16: until it is, the phone is told `needRegist`."""
        return bool(self.display_name and self.birthday and self.gender != self.Gender.UNSPECIFIED)

    @property
    def is_minor(self) -> bool:
        return ages.is_minor(self.birthday)

    @property
    def is_protected_minor(self) -> bool:
        """Who may neither broadcast nor spend: under age, or of an age nobody has told us (D19)."""
        return bool(tunables.MINOR_PROTECTION) and self.is_minor


class KindChange(models.Model):
    """One more or fewer listed person of a kind; the sum is how many there are. Rows are only added, by triggers of the
    table of people, so that nobody waits for anybody; a job folds them."""

    kind = models.CharField(max_length=6, db_index=True)
    change = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.change:+} {self.kind}"


class Session(models.Model):
    """One sign-in: one token, any number of connections (D5). The row is the sign-in: deleting it ends it."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of the token; the token itself is not kept
    created_at = models.DateTimeField("登录时间", db_default=Now())
    expires_at = models.DateTimeField("到期")
    # Sign-in, socket, and at most every TOKEN_REFRESH any call.
    active_at = models.DateTimeField("最近使用", db_default=Now())
    client_version = models.CharField("版本", max_length=32, blank=True, default="")
    model = models.CharField("设备", max_length=64, blank=True, default="")
    platform = models.CharField("系统", max_length=16, blank=True, default="")
    uuid = models.CharField("设备号", max_length=128, blank=True, default="")
    address = models.CharField("地址", max_length=45, blank=True, default="")  # written together with active_at
    connection_no = models.BigIntegerField(default=0)  # number of the newest connection (D11),
    connected_at = models.DateTimeField(null=True)  # and since when it is: what came before, its phone has been sent

    class Meta:
        verbose_name = verbose_name_plural = "登录"
        indexes: ClassVar = [
            models.Index(fields=["-active_at", "-id"], name="newest_activity"),
            models.Index(fields=["expires_at"], name="sessions_to_forget"),
        ]

    def __str__(self) -> str:
        return f"session {self.pk} of {self.user_id}"


class PhoneCode(models.Model):
    """The one SMS code a phone number may have outstanding, and how many it was sent today (D15)."""

    phone = models.CharField(max_length=11, primary_key=True)
    digest = models.CharField(max_length=64)  # keyed: six digits alone would be guessed from a plain hash
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries_left = models.SmallIntegerField()
    spent_for = models.CharField(max_length=32, default="")  # the deed it was good for, "" as long as it is unspent
    spent_at = models.DateTimeField(null=True)
    repeated_at = models.DateTimeField(null=True)  # when the phone last sent that deed (D9)
    day = models.DateField()
    sent_that_day = models.SmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"code sent at {self.sent_at:%H:%M:%S}"


class Identity(models.Model):
    """An account elsewhere that a person signs in with. `union_id` names them to all our apps, `open_id` to one."""

    class Source(models.TextChoices):
        WECHAT = "Wechat", "微信"
        WEIBO = "Weibo", "微博"
        FACEBOOK = "Facebook", "Facebook"  # phones send these as Weibo's

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    source = models.CharField("来源", max_length=8, choices=Source.choices)
    open_id = models.CharField(max_length=128)
    union_id = models.CharField(max_length=128, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "第三方账号"
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "open_id"], name="one_person_an_open_id")]
        indexes: ClassVar = [
            models.Index(fields=["source", "union_id"], condition=~Q(union_id=""), name="people_by_union_id")
        ]

    def __str__(self) -> str:
        return f"{self.source} of {self.user_id}"


class Device(models.Model):
    """Where pushes reach a person. A device belongs to whoever signed in on it last, and only while that lasts."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    # Deleted by who deletes sessions (users.auth): Django would read them first.
    session = models.ForeignKey(Session, on_delete=models.DO_NOTHING, related_name="devices", null=True)
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
    follower = models.ForeignKey(User, on_delete=models.CASCADE, related_name="following", db_index=False)
    followee = models.ForeignKey(User, on_delete=models.CASCADE, related_name="followers", db_index=False)
    live_id = models.BigIntegerField(null=True)  # the room it happened in
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["follower", "followee"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followee")), name="nobody_follows_themselves"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["followee", "follower"], name="followers_in_order"),
            models.Index(fields=["followee", "-created_at", "-id"], name="newest_followers"),
            models.Index(fields=["follower", "-created_at", "-id"], name="newest_following"),
        ]

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.followee_id}"


class Block(models.Model):
    """`user` wants nothing to do with `target`; it works both ways everywhere (D18)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    target = models.ForeignKey(User, on_delete=models.CASCADE, related_name="blocked_by")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "target"], name="block_once")]
        indexes: ClassVar = [models.Index(fields=["user", "-created_at", "-id"], name="newest_blocks")]

    def __str__(self) -> str:
        return f"{self.user_id} blocks {self.target_id}"


class Report(models.Model):
    """A person tells operators about another (D17)."""

    class Kind(models.IntegerChoices):
        GENDER = 1, "性别不符"
        FRAUD = 2, "欺诈广告"
        HARASSMENT = 3, "骚扰"
        PORN = 4, "色情"

    reporter = models.ForeignKey(User, on_delete=models.CASCADE, related_name="reports_made", verbose_name="举报人")
    target = models.ForeignKey(User, on_delete=models.CASCADE, related_name="reports", verbose_name="被举报人")
    kind = models.SmallIntegerField("原因", choices=Kind.choices)
    evidence = models.JSONField("证据", default=dict)  # as it was at that moment: `services/reports.py`
    handled = models.BooleanField("已处理", default=False)
    created_at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "举报"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reporter", "target", "kind"], condition=Q(handled=False), name="one_open_report"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["target", "reporter"], condition=Q(handled=False), name="open_reports")
        ]

    def __str__(self) -> str:
        return f"{self.reporter_id} → {self.target_id}: {self.get_kind_display()}"


class SuspectManager(UserManager):
    use_in_migrations = False

    def get_queryset(self) -> UserQuerySet:
        reported = (
            Report.objects.filter(handled=False).values("target").annotate(people=Count("reporter", distinct=True))
        )
        often = reported.filter(people__gte=tunables.REPORTS_FOR_QUEUE).values("target")
        suspects: UserQuerySet = super().get_queryset().people().filter(pk__in=often)
        return suspects


class Suspect(User):
    """Somebody whom enough people have reported: the operators' queue (D17)."""

    objects: ClassVar = SuspectManager()

    class Meta:
        proxy = True
        verbose_name = verbose_name_plural = "待处理举报"


class BlockedWord(models.Model):
    """What no name or title may contain (D16), and what is masked where people write. Compared by its `key`: however
    it is written."""

    KEY_LENGTH: ClassVar = 128  # some characters are folded into eighteen

    word = models.CharField("词", max_length=64)
    key = models.CharField(max_length=KEY_LENGTH, unique=True, editable=False)
    added_at = models.DateTimeField("添加时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "屏蔽词"

    def __str__(self) -> str:
        return self.word

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.key = names.bare(self.word)
        super().save(*args, **kwargs)

    def clean(self) -> None:
        key = names.bare(self.word)
        if not key:
            raise ValidationError({"word": "至少要有一个文字或数字"})
        if len(key) > self.KEY_LENGTH:
            raise ValidationError({"word": "太长"})
        if BlockedWord.objects.filter(key=key).exclude(pk=self.pk).exists():
            raise ValidationError({"word": "已经有这个词"})


class DataExport(models.Model):
    """A person's own data, asked for once: written by a job, kept in private storage until `expires_at`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports")
    created_at = models.DateTimeField(db_default=Now())
    working_until = models.DateTimeField(null=True)  # a job has it in hand; past that another may
    file = models.CharField(max_length=64, blank=True, default="")  # its name in storage, "" until it is written
    expires_at = models.DateTimeField(null=True)  # set when it is written

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user"], condition=Q(file=""), name="one_export_at_a_time")
        ]

    def __str__(self) -> str:
        return f"export {self.pk} of {self.user_id}"
