from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from heihei_site.console.acts import act
from heihei_site.console.admin import ConsoleAdmin, ShownToEverybody
from heihei_site.uploads.listening import player
from payment.selectors import address_of
from topics.models import Subject, Topic
from topics.services import counting, showing, topics


@admin.register(Topic)
class TopicAdmin(ShownToEverybody):
    """Pinned, ordered, hidden in the list itself."""

    kept = topics.shown
    list_display = ("picture", "name", "cat_name", "area", "is_top", "order", "shown", "heard", "said", "liked")
    list_display_links = ("picture", "name")
    list_editable = ("is_top", "order", "shown")
    list_filter = ("shown", "is_top", "type")
    search_fields = ("name", "cat_name")
    ordering = ("-is_top", "order", "id")
    fields = ("name", "img", "cat_name", "content", "type", "is_top", "order", "shown")
    actions = ("make_due_chat", "hide", "show")

    @display(description="图片")
    def picture(self, topic: Topic) -> SafeString:
        if not topic.img:
            return SafeString("—")
        return format_html(
            '<img src="{}" alt="" height="40" style="max-width:120px;border-radius:6px">', address_of(topic.img, "")
        )

    @display(description="专区", label={"约聊专区": "info"})
    def area(self, topic: Topic) -> str:
        return topic.get_type_display() if topic.type else ""

    @display(description="收听")
    def heard(self, topic: Topic) -> int:
        return counting.of_topics([topic.pk])[topic.pk].views

    @display(description="声音")
    def said(self, topic: Topic) -> int:
        return counting.of_topics([topic.pk])[topic.pk].replies

    @display(description="点赞")
    def liked(self, topic: Topic) -> int:
        return counting.of_topics([topic.pk])[topic.pk].likes

    @act("设为约聊专区", permissions=["change"])
    def make_due_chat(self, request: HttpRequest, queryset: QuerySet[Topic]) -> None:
        """There is one: what was it is an ordinary topic again."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, "请只选一个话题", messages.WARNING)
            return
        topics.make_due_chat(chosen[0])
        self.message_user(request, f"{chosen[0]} 现在是约聊专区", messages.SUCCESS)

    @act("隐藏所选话题", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Topic]) -> None:
        self.message_user(request, f"已隐藏 {topics.set_shown(queryset, False)} 个话题", messages.SUCCESS)

    @act("显示所选话题", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Topic]) -> None:
        self.message_user(request, f"已显示 {topics.set_shown(queryset, True)} 个话题", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        topics.save(obj)


@admin.register(Subject)
class SubjectAdmin(ConsoleAdmin):
    """To hear, hide and show again."""

    list_display = ("id", "topic", "creator", "title", "kind", "how_it_is", "sound", "created_at")
    list_display_links = ("id", "title")
    list_filter = ("state", "topic")
    list_select_related = ("topic", "creator")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", "=creator__id", "=main__id")
    search_help_text = "帖子、作者或主帖的 id"
    ordering = ("-id",)
    actions = ("hide", "show")
    actions_detail = ("hide", "show")  # type: ignore[assignment]  # any number of them
    fields = ("id", "topic", "creator", "main", "replied", "title", "sound", "length", "counts", "state", "created_at")
    readonly_fields = fields

    @display(description="类型")
    def kind(self, subject: Subject) -> str:
        return "帖子" if subject.is_post else f"回复 {subject.main_id}"

    @display(description="状态", label={"显示": "success", "已屏蔽": "danger", "文件无效": "warning"})
    def how_it_is(self, subject: Subject) -> str:
        return subject.get_state_display()

    @display(description="声音")
    def sound(self, subject: Subject) -> SafeString:
        return player(subject.path)

    @display(description="收听 / 回复 / 点赞 / 礼物")
    def counts(self, subject: Subject) -> str:
        now = counting.of_subjects([subject.pk])[subject.pk]
        return f"{now.views} / {now.replies} / {now.likes} / {now.gifts}"

    @act("屏蔽所选帖子", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Subject]) -> None:
        many = sum(showing.hide(subject.pk) for subject in queryset)
        self.message_user(request, f"已屏蔽 {many} 条", messages.SUCCESS if many else messages.WARNING)

    @act("恢复所选帖子", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Subject]) -> None:
        """What operators hid; what its author deleted stays deleted."""
        many = sum(showing.show(subject.pk) for subject in queryset)
        self.message_user(request, f"已恢复 {many} 条", messages.SUCCESS if many else messages.WARNING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
