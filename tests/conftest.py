"""Fixtures everybody uses. `api(user).post("live/buy-gift", ...)` is the front door."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import redis
from celery import Task
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client, override_settings

from heihei_site.api import throttles
from heihei_site.api.endpoints import undeclared_refusal
from heihei_site.postgres.kept import Kept
from heihei_site.realtime import publish as realtime
from heihei_site.realtime.models import StreamKind
from payment.catalogue import seed_gifts
from tests import emptying, factories
from users.models import User


class Api:
    """A phone's HTTP side without the sockets: answers as the dictionaries that came over the wire."""

    def __init__(self, user: User | None = None, **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.token = factories.token(user) if user else None
        self.headers = headers

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self._answer(self.client.get(f"/api/{path}", self._with_token(params), headers=self.headers))

    def post(self, path: str, **params: Any) -> dict[str, Any]:
        return self._answer(self.client.post(f"/api/{path}", self._with_token(params), headers=self.headers))

    def raw(self, path: str, body: bytes, content_type: str = "application/x-www-form-urlencoded") -> dict[str, Any]:
        return self._answer(self.client.post(f"/api/{path}", body, content_type=content_type, headers=self.headers))

    def _with_token(self, params: dict[str, Any]) -> dict[str, Any]:
        return ({"token": self.token} if self.token else {}) | params

    @staticmethod
    def _answer(response: Any) -> dict[str, Any]:
        assert response.status_code == 200, response
        assert response["Content-Type"] == "application/json"
        answer = orjson.loads(response.content)
        assert isinstance(answer["errorcode"], int)
        assert answer["errormsg"]
        return answer


@pytest.fixture
def api() -> Callable[..., Api]:
    return Api


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests with transactions of their own empty all tables afterwards, which the table of acts refuses."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE console_act DISABLE TRIGGER console_act_never_emptied")
        emptying.quickly()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """What guards operators' passwords takes half a second of a processor each time, and hundreds of tests make one."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def gifts(db: None) -> None:
    seed_gifts()


@pytest.fixture
def jobs_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What jobs ask is not the endpoint's."""
    monkeypatch.setattr(Task, "apply_async", lambda *_, **__: None)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What left for the sockets, in order: messages as they travel, and the hub's own commands."""
    sent: list[dict[str, Any]] = []

    def keep(acts: list[dict[str, Any]], at: float | None = None) -> None:
        for act in acts:
            if "element" in act:
                for kind, owner_id, *_ in act["to"] if act["do"] == "tell" else [act["to"]]:
                    where = "room" if kind == StreamKind.ROOM else "person"
                    sent.append({where: owner_id, **orjson.loads(act["element"])["msg"]})
            else:
                sent.append({name: value for name, value in act.items() if name != "seq"})

    monkeypatch.setattr(realtime.bus, "send", keep)
    return sent


@pytest.fixture(autouse=True)
def every_refusal_is_declared() -> Iterator[None]:
    """An endpoint that refuses with what its declaration does not name fails the test."""
    found: list[str] = []

    def note(sender: object, endpoint: Any, refusal: type, **_: object) -> None:
        found.append(f"{endpoint.path} does not declare {refusal.__name__}")

    undeclared_refusal.connect(note)
    yield
    undeclared_refusal.disconnect(note)
    assert not found


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    for kept in Kept.everything:
        kept.forget()


@pytest.fixture(autouse=True)
def empty_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttles, "_mute_until", 0.0)
    redis.Redis.from_url(django_settings.REDIS_URL).flushall()


@pytest.fixture(autouse=True)
def jobs_at_once(settings: Any) -> None:
    """Tasks run where they are sent, except in the tests that start real workers."""
    from heihei_site.celery import app

    app.conf.task_always_eager = True
