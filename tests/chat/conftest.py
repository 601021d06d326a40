"""Two people with a phone each, and what each of them hears. Every call is committed as in life."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from chat import tasks
from chat.models import Chat, Side
from chat.services import topics
from tests import factories
from tests.answers import ok
from tests.conftest import Api
from users.models import User


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """`with committed():` what happens inside is told to the sockets at its end, as at a commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def api(committed: Callable[[], Any]) -> Callable[..., Api]:
    class Committing(Api):
        def get(self, path: str, **params: Any) -> dict[str, Any]:
            with committed():
                return super().get(path, **params)

        def post(self, path: str, **params: Any) -> dict[str, Any]:
            with committed():
                return super().post(path, **params)

    return Committing


@dataclass
class Line:
    """Somebody's phone in short, and what they heard."""

    user: User
    phone: Api
    stage: "Stage"

    @property
    def pk(self) -> int:
        return self.user.pk

    def __call__(self, what: str, **said: Any) -> dict[str, Any]:
        return self.phone.post(f"chat/{what}", **said)

    def due(self, other: "Line") -> dict[str, Any]:
        return self("due-chat", userId=other.pk)

    def about(self, what: str, chat_id: int = 0, **said: Any) -> dict[str, Any]:
        """Something about the newest call, or the given one."""
        return self(what, chatId=chat_id or self.stage.newest, **said)

    def accept(self, other: "Line", kind: int = 0, chat_id: int = 0) -> dict[str, Any]:
        return self.about("accept-chat", chat_id, userId=other.pk, type=kind)

    def heard(self, action: str) -> list[dict[str, Any]]:
        """What they alone were told under that action or type, their ids checked and left out."""
        mine = [message for message in self.stage.told if message.get("person") == self.pk]
        found = [dict(message) for message in mine if action in (message.get("action"), message.get("msgType"))]
        assert all(message.pop("msgId") > 0 for message in found)
        return found

    def statuses(self) -> list[tuple[int, dict[int, int]]]:
        """The call's status and each one's, in the order they were told."""
        told = self.heard("chat-user-status")
        return [(news["status"], {user["id"]: user["status"] for user in news["user"]}) for news in told]


@dataclass
class Stage:
    a: Line = field(init=False)
    b: Line = field(init=False)
    told: list[dict[str, Any]]
    make_phone: Callable[..., Api]
    committed: Callable[[], Any]

    def line(self, user: User | None = None, *, version: str = "2.0.0") -> Line:
        user = user or factories.person()
        return Line(user, self.make_phone(user, version=version), self)

    @property
    def newest(self) -> int:
        return Chat.objects.order_by("-created_at").values_list("pk", flat=True)[0]

    @property
    def chat(self) -> Chat:
        return Chat.objects.get(pk=self.newest)

    @property
    def state(self) -> str:
        return Chat.State(self.chat.state).name

    def busy(self) -> set[int]:
        return set(Side.objects.filter(busy=True).values_list("user_id", flat=True))

    def passes(self, seconds: float) -> None:
        """As if everything about calls had happened that much earlier."""
        ago = timedelta(seconds=seconds)
        Chat.objects.filter(deadline__isnull=False).update(deadline=F("deadline") - ago)
        Side.objects.filter(lease_until__isnull=False).update(lease_until=F("lease_until") - ago)
        for moment in ("created_at", "answered_at", "started_at", "ended_at"):
            Chat.objects.filter(**{f"{moment}__isnull": False}).update(**{moment: F(moment) - ago})

    def sweep(self) -> dict[str, int]:
        with self.committed():
            return tasks.sweep()

    def talk(self) -> int:
        """小雨 calls 阿南, and both are there."""
        ok(self.a.due(self.b))
        ok(self.b.accept(self.a))
        for line in (self.a, self.b):
            ok(line.about("join-chat"))
        for line in (self.a, self.b):
            ok(line.about("heart-beat"))
        self.told.clear()
        return self.newest


@pytest.fixture
def stage(api: Callable[..., Api], told: list[dict[str, Any]], committed: Callable[[], Any], db: None) -> Stage:
    topics.seed()
    stage = Stage(told, api, committed)
    stage.a = stage.line(factories.person("小雨", gold=100, cover_url="http://cdn/a.jpg"))
    stage.b = stage.line(factories.person("阿南", gender="Male"))
    told.clear()
    return stage
