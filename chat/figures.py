"""What operators see of calls in numbers (heihei_site/console)."""

from datetime import datetime

from django.db.models.functions import Now

from chat.models import Chat, Seeker, Side
from heihei_site.console.cards import Card, Reading, Section, plainly
from heihei_site.console.figures import Figure, Unit


def called(since: datetime, until: datetime) -> int:
    """Calls that began to ring, answered or not, and pairs that were matched."""
    return Chat.objects.filter(created_at__gte=since, created_at__lt=until).count()


def running() -> Reading:
    """Counted by the people in them: a call that is over keeps nobody busy."""
    talking = Side.objects.filter(busy=True, chat__state=Chat.State.RUNNING)
    return plainly(talking.values("chat").distinct().count())


def seeking() -> Reading:
    return plainly(Seeker.objects.filter(deadline__gt=Now()).count())


FIGURES = (Figure("chat.called", 30, "通话", Unit.TIMES, "chat.view_chat", called),)
CARDS = (
    Card("calls", 30, Section.NOW, "正在通话", "call", "chat.view_chat", running,
         "admin:chat_chat_changelist", f"?state__exact={Chat.State.RUNNING}"),
    Card("seekers", 31, Section.NOW, "正在匹配", "join_inner", "chat.view_chat", seeking),
)  # fmt: skip
