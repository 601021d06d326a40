from collections.abc import Collection
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from payment.models import Gift, is_reachable

NOTHING = 0  # the subject or topic of a tally that changes none


class Topic(models.Model):
    """What people talk about in voices. Operators make, order and hide them."""

    class Type(models.IntegerChoices):
        NORMAL = 0, "普通"
        DUE_CHAT = 1, "约聊专区"

    name = models.CharField("名称", max_length=40)
    img = models.CharField("图片", max_length=255, blank=True, help_text="静态文件（如 gifts/101.png）或 http(s) 地址")
    content = models.TextField("内容", max_length=1000, blank=True)
    cat_name = models.CharField("分类", max_length=20, blank=True)
    type = models.SmallIntegerField("类型", choices=Type.choices, default=Type.NORMAL)
    is_top = models.BooleanField("置顶", default=False)
    order = models.IntegerField("排序", default=0, help_text="小的在前；相同的按热度")
    shown = models.BooleanField("显示", default=True)
    created_at = models.DateTimeField("创建时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "话题"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["type"],
                condition=Q(type=1),
                name="one_due_chat_area",
                violation_error_message="已经有约聊专区，请用列表里的操作来更换",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        super().clean_fields(exclude)
        if "img" not in set(exclude or ()) and self.img and not is_reachable(self.img):
            raise ValidationError({"img": "没有这个静态文件，也不是 http(s) 地址"})


class Subject(models.Model):
    """A voice in a topic: a post, or a reply in the thread of one. Its counts are `Standing`'s: so its row is written
    seldom, and held only against its deletion."""

    class State(models.IntegerChoices):
        SHOWN = 1, "显示"
        HIDDEN = 2, "已屏蔽"  # by operators
        DELETED = 3, "已删除"  # by who wrote it
        REFUSED = 4, "文件无效"  # says who looked into the file

    topic = models.ForeignKey(
        Topic, on_delete=models.PROTECT, related_name="subjects", db_index=False, verbose_name="话题"
    )
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="作者"
    )
    main = models.ForeignKey(  # the post whose thread it is in; none for a post
        "self", on_delete=models.PROTECT, related_name="thread", db_index=False, null=True, verbose_name="帖子"
    )
    replied = models.ForeignKey(  # what is answered: the post, or another reply
        "self", on_delete=models.PROTECT, related_name="+", db_index=False, null=True, verbose_name="回复"
    )
    reply_user_id = models.BigIntegerField("回复谁", default=0)
    title = models.CharField("标题", max_length=settings.SUBJECT_TITLE_LENGTH, blank=True, default="")
    path = models.CharField("声音", max_length=500)
    length = models.IntegerField("时长（秒）")  # as the phone says, until somebody has listened to the file
    samples = models.TextField(blank=True, default="")  # the phone's own picture of the sound
    sign = models.CharField(max_length=255)  # of the upload: the same one again is the same post
    upload_id = models.BigIntegerField(default=0)
    state = models.SmallIntegerField("状态", choices=State.choices, default=State.SHOWN)
    created_at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "帖子"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creator", "sign"], name="one_subject_an_upload"),
            models.CheckConstraint(
                condition=Q(main=None, replied=None) | Q(main__isnull=False, replied__isnull=False),
                name="reply_answers_in_a_thread",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["topic", "-id"], condition=Q(main=None, state=1), name="newest_posts"),
            models.Index(fields=["main", "-id"], condition=Q(main__isnull=False), name="newest_replies"),
            models.Index(fields=["creator", "-id"], name="subjects_of_a_person"),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.pk}"

    @property
    def is_post(self) -> bool:
        return self.main_id is None

    @property
    def post_id(self) -> int:
        """The post whose thread it is in, which it may be itself."""
        return self.main_id or self.pk


class Standing(models.Model):
    """What folding has counted for a subject so far. What it is now is that and the tallies not yet folded
    (docs/adr/0017-counting-and-heat.md)."""

    subject = models.OneToOneField(Subject, on_delete=models.CASCADE, related_name="standing", primary_key=True)
    topic_id = models.BigIntegerField()
    listed = models.BooleanField()  # a post that is shown: it is in its topic's hot list
    views = models.BigIntegerField(default=0)
    replies = models.BigIntegerField(default=0)
    likes = models.BigIntegerField(default=0)
    gifts = models.BigIntegerField(default=0)
    heat = models.FloatField()  # services/heat.py

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["topic_id", "-heat", "-subject"], condition=Q(listed=True), name="hottest_posts")
        ]

    def __str__(self) -> str:
        return f"{self.subject_id}: {self.heat:.2f}"


class TopicStanding(models.Model):
    """The same for a topic."""

    topic = models.OneToOneField(Topic, on_delete=models.CASCADE, related_name="standing", primary_key=True)
    views = models.BigIntegerField(default=0)
    replies = models.BigIntegerField(default=0)
    likes = models.BigIntegerField(default=0)
    heat = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"{self.topic_id}: {self.heat:.2f}"


class Tally(models.Model):
    """One deed that counts, for a subject, its topic, or both. Rows are only added, so that nobody waits for anybody; a
    job folds them into the standings."""

    subject_id = models.BigIntegerField(default=NOTHING)
    topic_id = models.BigIntegerField(default=NOTHING)
    user_id = models.BigIntegerField(default=0)  # who did it; 0 where nobody is to be told
    views = models.IntegerField(default=0)
    replies = models.IntegerField(default=0)
    likes = models.IntegerField(default=0)
    gifts = models.IntegerField(default=0)
    gift_id = models.BigIntegerField(default=0)
    warmth = models.FloatField(default=0)
    warm_at = models.DateTimeField(db_default=Now())  # as of when it warms: of a like taken back, when it was given

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject_id"], name="tallies_of_a_subject"),
            models.Index(fields=["topic_id"], condition=~Q(topic_id=NOTHING), name="tallies_of_a_topic"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} by {self.user_id}"


class News(models.Model):
    """What its author is still to be told about a subject, and when they were last told of the like."""

    class Kind(models.TextChoices):
        LIKE = "like", "点赞"
        REPLY = "reply", "回复"
        GIFT = "gift", "礼物"

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    many = models.IntegerField(default=0)  # people since
    actor_id = models.BigIntegerField()  # who did it last
    people = ArrayField(models.BigIntegerField(), null=True)  # all of them, of what one may do again
    gift = models.ForeignKey(Gift, on_delete=models.SET_NULL, related_name="+", db_index=False, null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["subject", "kind"], name="one_news_a_kind")]
        indexes: ClassVar = [models.Index(fields=["told_at"], condition=Q(many__gt=0), name="news_to_tell")]

    def __str__(self) -> str:
        return f"{self.subject_id}: {self.many} {self.kind}"


class Like(models.Model):
    """Neither side is a constraint of the database: a constraint locks the subject's row, which a thousand like at
    once."""

    pk = models.CompositePrimaryKey("subject", "user")
    subject = models.ForeignKey(
        Subject, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.subject_id}"


class Listen(models.Model):
    """Who has heard a subject, and when it last counted. Without constraints for the same reason."""

    pk = models.CompositePrimaryKey("subject", "user")
    subject = models.ForeignKey(
        Subject, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    created_at = models.DateTimeField(db_default=Now())
    counted_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.user_id} heard {self.subject_id}"
