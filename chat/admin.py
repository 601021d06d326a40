from django.contrib import admin
from unfold.decorators import display

from chat.models import Chat, ChatTopic, MatchTip
from chat.services import tips, topics
from heihei_site.console.admin import ReadOnlyAdmin, ShownToEverybody


class LineAdmin(ShownToEverybody):
    list_display = ("text", "active", "created_at")
    list_editable = ("active",)
    list_filter = ("active",)
    search_fields = ("text",)
    ordering = ("id",)
    fields = ("text", "active")


@admin.register(ChatTopic)
class ChatTopicAdmin(LineAdmin):
    kept = topics.pool


@admin.register(MatchTip)
class MatchTipAdmin(LineAdmin):
    kept = tips.lines


@admin.register(Chat)
class ChatAdmin(ReadOnlyAdmin):
    """To look at. Who should not talk is banned."""

    list_display = ("id", "caller", "callee", "kind", "how_it_is", "outcome", "seconds", "created_at")
    list_filter = ("state", "kind", "outcome")
    list_select_related = ("caller", "callee")
    search_fields = ("=id", "=caller__id", "=callee__id")
    search_help_text = "chatId、主叫或被叫 id"
    ordering = ("-created_at",)
    fields = ("id", "caller", "callee", "kind", "state", "outcome", "called_back", "seconds", "topic", "created_at",
              "answered_at", "started_at", "ended_at")  # fmt: skip
    readonly_fields = fields

    @display(description="状态", ordering="state", label={"通话中": "success", "呼叫中": "info", "回拨中": "info"})
    def how_it_is(self, chat: Chat) -> str:
        return chat.get_state_display()

    @display(description="时长（秒）")
    def seconds(self, chat: Chat) -> int:
        return int(chat.length.total_seconds())
