from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from heihei_site.console.acts import act
from heihei_site.console.admin import ReadOnlyAdmin
from heihei_site.console.first_view import FirstView
from heihei_site.console.forms import ReasonForm
from heihei_site.uploads.listening import player
from records.files import address_of
from records.models import Record
from records.services import review

WHY_NOT = ("没有人声", "声音听不清", "含有广告或联系方式", "内容低俗", "辱骂或骚扰他人", "播放他人作品")


class Queue(FirstView):
    title = "状态"
    views = {
        "waiting": ("待审核", {"status": Record.Status.WAITING}),
        "published": ("已发布", {"status": Record.Status.PUBLISHED}),
        "rejected": ("未通过", {"status": Record.Status.REJECTED}),
        "deleted": ("已删除", {"status": Record.Status.DELETED}),
    }


class RejectForm(ReasonForm):
    """Their owners read it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "会告知用户，例如：" + "、".join(WHY_NOT)


@admin.register(Record)
class RecordAdmin(ReadOnlyAdmin):
    """To hear, and to publish or reject, each with one click or key (static/records/review.js). What has waited longest
    comes first."""

    list_display = ("id", "user", "sound", "length", "how_it_is", "verdict", "created_at", "reviewed_at")
    list_display_links = ("id",)
    list_filter = (Queue,)
    list_select_related = ("user",)
    search_fields = ("=id", "=user__id", "user__display_name")
    search_help_text = "recordId、用户 id 或昵称"
    actions = actions_detail = ("publish", "reject")  # type: ignore[assignment]  # unfold's own are none
    fields = ("id", "user", "sound", "length", "status", "rejected_for", "heard_by", "file_md5", "created_at",
              "reviewed_at")  # fmt: skip
    readonly_fields = fields
    list_before_template = "records/keys.html"  # type: ignore[assignment]  # unfold's own are none

    @property
    def media(self) -> forms.Media:
        own = forms.Media(js=("records/review.js",), css={"all": ("records/review.css",)})
        media: forms.Media = own + super().media
        return media

    def get_ordering(self, request: HttpRequest) -> tuple[str]:
        """Of a queue the oldest, of what is done the latest."""
        return ("id",) if request.GET.get(Queue.parameter_name, "waiting") == "waiting" else ("-id",)

    @display(description="状态", label={"待审核": "info", "已发布": "success", "未通过": "danger"})
    def how_it_is(self, record: Record) -> str:
        return record.get_status_display()

    @display(description="声音")
    def sound(self, record: Record) -> SafeString:
        return player(address_of(record.file))

    @display(description="审核")
    def verdict(self, record: Record) -> SafeString | str:
        if record.status not in (Record.Status.WAITING, Record.Status.PUBLISHED, Record.Status.REJECTED):
            return "—"
        offered = []
        if record.status != Record.Status.PUBLISHED:
            offered.append(format_html('<button type="button" data-verdict="publish">发布</button>'))
        if record.status != Record.Status.REJECTED:
            reasons = format_html_join("", "<option>{}</option>", ((reason,) for reason in WHY_NOT))
            offered.append(
                format_html('<select data-verdict="reject"><option value="">不通过…</option>{}</select>', reasons)
            )
        buttons = format_html_join(" ", "{}", ((each,) for each in offered))
        return format_html('<span class="verdict" data-record="{}">{}</span>', record.pk, buttons)

    @display(description="听过的人数")
    def heard_by(self, record: Record) -> int:
        return record.heard.count()

    @act("发布所选录音", permissions=["records.change_record"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Record]) -> None:
        many = sum(review.publish(record.pk) for record in queryset.order_by("pk"))
        self.message_user(request, f"已发布 {many} 段录音", messages.SUCCESS if many else messages.WARNING)

    @act("不通过所选录音", permissions=["records.change_record"], form=RejectForm)
    def reject(self, request: HttpRequest, queryset: QuerySet[Record], said: dict[str, Any]) -> None:
        """Their owners are told."""
        many = sum(review.reject(record.pk, said["reason"]) for record in queryset.order_by("pk"))
        self.message_user(request, f"已拒绝 {many} 段录音", messages.SUCCESS if many else messages.WARNING)
