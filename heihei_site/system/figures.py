"""What operators see of sockets and workers in numbers (heihei_site/console)."""

from datetime import timedelta

from django.db.models.functions import Now

from heihei_site.console.cards import Card, Reading, Section, Tone, lasted, plainly
from heihei_site.realtime import presence
from heihei_site.realtime.models import Message
from heihei_site.system import queues
from heihei_site.system.health import CANARY_TOO_OLD
from heihei_site.system.tasks import CANARY_LIFETIME

MEASURED = timedelta(minutes=1)
MANY_JOBS = 1_000  # as deploy/prometheus/alerts.yml has it


def online() -> Reading:
    return plainly(presence.how_many())


def messages_a_second() -> Reading:
    """Of all that is told to people and rooms."""
    told = Message.objects.filter(created_at__gt=Now() - MEASURED).count()
    return Reading(f"{told / MEASURED.total_seconds():,.1f}", f"最近 1 分钟共 {told:,} 条")


def jobs() -> Reading:
    many, taken = queues.jobs()
    return Reading(f"{many:,}", f"执行中 {taken:,}", Tone.LATE if many > MANY_JOBS else Tone.CALM)


def workers() -> Reading:
    """Whether beat, broker and a worker live: a job of every two seconds goes through all three."""
    seconds = queues.silent_for()
    if seconds < CANARY_TOO_OLD:
        return Reading("正常", f"上次心跳 {lasted(timedelta(seconds=seconds))}前")
    at_least = "至少 " if seconds >= CANARY_LIFETIME else ""
    return Reading("停滞", f"{at_least}{lasted(timedelta(seconds=seconds))}没有心跳", Tone.LATE)


CARDS = (
    Card("online", 10, Section.NOW, "在线用户", "sensors", "users.view_user", online),
    Card("messages", 40, Section.NOW, "每秒消息", "bolt", "", messages_a_second),
    Card("workers", 10, Section.MACHINES, "后台任务", "manufacturing", "", workers),
    Card("jobs", 11, Section.MACHINES, "排队任务", "stacks", "", jobs),
)
