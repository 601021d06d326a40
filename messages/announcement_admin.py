"""公告: what operators have to say to many people, written, looked at, sent and stopped."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.dataclasses import UnfoldAction
from unfold.decorators import display

from heihei_site.console.acts import act, operator_of
from heihei_site.console.admin import ConsoleAdmin
from messages.announcement_models import Announcement
from messages.services import announcements, announcing, official
from messages.services.notices import LOOK

State = Announcement.State
MAY_SEND = ("inbox.send_announcement",)
WRITTEN = ("title", "text", "link", "picture", "platform", "active_days", "send_at")


@admin.register(Announcement)
class AnnouncementAdmin(ConsoleAdmin):
    """A draft is edited; what has been proposed is as the second operator read it."""

    BUTTONS: ClassVar[dict[int, set[str]]] = {
        State.DRAFT: {"propose", "stop"},
        State.PROPOSED: {"confirm", "stop"},
        State.SENDING: {"stop"},
    }

    list_display = ("title", "how", "whom", "progress", "send_at", "author", "created_at")
    list_filter = ("state", "platform")
    list_select_related = ("author",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("title", "text")
    ordering = ("-pk",)
    actions_detail = ("propose", "confirm", "stop")  # type: ignore[assignment]  # buttons above the form
    fieldsets = (
        ("内容", {"fields": ("title", "text", "link", "picture", "preview")}),
        ("对象和时间", {"fields": ("platform", "active_days", "how_many", "send_at")}),
        ("发送", {"fields": ("how", "progress", "author", "proposed_by", "confirmed_by", "finished_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Announcement | None = None) -> tuple[str, ...]:
        told = ("preview", "how_many", "how", "progress", "author", "proposed_by", "confirmed_by", "finished_at")
        return told if obj is None or obj.state == State.DRAFT else (*WRITTEN, *told)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Of what is not written yet there is nothing to tell."""
        if obj is not None:
            return self.fieldsets
        return [("", {"fields": WRITTEN})]

    @display(
        description="状态",
        ordering="state",
        label={"已发完": "success", "发送中": "info", "待复核": "warning", "已停止": "danger"},
    )
    def how(self, announcement: Announcement) -> str:
        return announcement.get_state_display()

    @display(description="对象")
    def whom(self, announcement: Announcement) -> str:
        people = f"{announcement.get_platform_display() or '全部'}用户"
        return f"{people}，{announcement.active_days} 天内活跃" if announcement.active_days else people

    @display(description="已发送 / 预计")
    def progress(self, announcement: Announcement) -> str:
        return "—" if announcement.expected is None else f"{announcement.told:,} / {announcement.expected:,} 人"

    @display(description="现在符合条件")
    def how_many(self, announcement: Announcement) -> str:
        return f"{announcing.audience(announcement).count():,} 人"

    @display(description="预览")
    def preview(self, announcement: Announcement) -> SafeString:
        picture = format_html('<img src="{}" alt="" class="mt-2 max-w-full rounded">', announcement.picture)
        return format_html(
            '<div class="max-w-sm rounded-default border border-base-200 p-3 dark:border-base-700">'
            '<p class="font-semibold">{}</p><p class="mt-1 whitespace-pre-wrap">{}</p>{}'
            '<p class="mt-2 text-primary-600 dark:text-primary-500" title="{}">{} ›</p></div>',
            official.account().display_name,
            announcement.whole_text,
            picture if announcement.picture else "",
            announcement.link,
            LOOK,
        )

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """A draft that is being saved cannot be proposed; what has been since its page was opened is not saved."""
        with transaction.atomic():
            if request.method == "POST" and object_id is not None and not self._is_draft(request, object_id):
                self.message_user(request, "没有保存：这条公告已经提交", messages.ERROR)
                return HttpResponseRedirect(request.path)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def _is_draft(self, request: HttpRequest, object_id: str) -> bool:
        """Its row is held. What is not there is the page's own business."""
        row = self.get_object(request, unquote(object_id))
        return row is None or Announcement.objects.select_for_update(no_key=True).get(pk=row.pk).state == State.DRAFT

    def save_model(self, request: HttpRequest, obj: Model, form: Form, change: bool) -> None:
        if not change:
            obj.author = operator_of(request)  # type: ignore[attr-defined]  # an Announcement
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Announcement | None = None) -> bool:
        return False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        found: list[UnfoldAction] = super().get_actions_detail(request, object_id)
        announcement = self.get_object(request, object_id)
        fitting = self.BUTTONS.get(announcement.state, set()) if announcement else set()
        return [button for button in found if getattr(button.method, "__name__", "") in fitting]

    @act("提交发送", permissions=MAY_SEND, note="人数较多时，须由另一位运营复核后才会发送。")
    def propose(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        self._each(request, queryset, lambda pk: announcements.propose(pk, operator=operator_of(request)))

    @act("复核发送", permissions=MAY_SEND, note="请先看过预览和人数。确认后到时间就会发送。")
    def confirm(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        self._each(request, queryset, lambda pk: announcements.confirm(pk, operator=operator_of(request)))

    @act("停止", permissions=MAY_SEND, note="已经收到的人不会撤回，其余的人不再收到；停止后不能继续。")
    def stop(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        self._each(request, queryset, announcements.stop)

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Announcement], deed: Callable[[int], Announcement]
    ) -> None:
        for announcement in queryset:
            try:
                done = deed(announcement.pk)
            except announcements.NotNow as why:
                self.message_user(request, f"{announcement}：{why}", messages.ERROR)
            else:
                words = f"{announcement}：{done.get_state_display()}（{self.progress(done)}）"
                self.message_user(request, words, messages.SUCCESS)
