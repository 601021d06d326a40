import json

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from heihei_site.console.admin import ReadOnlyAdmin
from messages import announcement_admin as _  # noqa: F401  (registers itself)
from messages.events import in_words
from messages.models import InstantMessage, Push

SHOWN = 60  # characters of a message in the list


@admin.register(InstantMessage)
class InstantMessageAdmin(ReadOnlyAdmin):
    """Looked up for a report, by the person it is about; nobody browses what people write to each other, nor takes it
    along."""

    exports = False
    list_display = ("msg_id", "sender", "recipient", "kind", "said", "created_at", "recalled_at")
    list_select_related = ("sender", "recipient")
    search_fields = ("=sender__id",)  # what is searched: get_search_results
    search_help_text = "发送人或接收人的用户 ID（不搜索则不显示）"
    ordering = ("-created_at",)
    fields = readonly_fields = ("msg_id", "sender", "recipient", "kind", "whole", "jump", "created_at", "recalled_at")

    @display(description="内容")
    def said(self, message: InstantMessage) -> str:
        text = in_words(message.kind, message.content)
        return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"

    @display(description="内容")
    def whole(self, message: InstantMessage) -> str:
        """Readable: Django shows a JSON field with its Chinese escaped."""
        return json.dumps(message.content, ensure_ascii=False)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[InstantMessage], search_term: str
    ) -> tuple[QuerySet[InstantMessage], bool]:
        term = search_term.strip()
        if not (term.isascii() and term.isdigit()):
            return queryset.none(), False
        return queryset.filter(Q(sender=int(term)) | Q(recipient=int(term))), False


@admin.register(Push)
class PushAdmin(ReadOnlyAdmin):
    """Why a phone rang or did not, for a complaint. What was said in it is not shown."""

    list_display = ("created_at", "user", "notice", "device_id", "lane", "outcome", "tries", "reason", "finished_at")
    list_filter = ("outcome", "lane")
    list_select_related = ("user", "notice")
    search_fields = ("=user__id",)
    search_help_text = "收件人的用户 ID"
    ordering = ("-pk",)
    fields = readonly_fields = (*list_display, "due_at", "collapse")
