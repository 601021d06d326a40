"""What machines ask: is it well?"""

import time

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client

from heihei_site.system import health, tasks
from heihei_site.system.tasks import CANARY

pytestmark = pytest.mark.django_db
WELL = {"ok": True, "database": True, "bus": True, "workers": True}


def ask(path: str = "/health") -> tuple[int, dict]:
    answer = Client().get(path)
    assert "no-store" in answer["Cache-Control"]
    return answer.status_code, answer.json()


@pytest.fixture
def dead_bus(settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere/bus.sock"}
    }


def test_well_while_database_bus_and_workers_answer():
    tasks.canary()
    assert ask() == (200, WELL)


def test_unwell_without_a_sign_of_life_from_the_workers():
    assert ask() == (503, WELL | {"ok": False, "workers": False})


def test_unwell_when_the_last_sign_of_life_is_old():
    cache.set(CANARY, time.time() - health.CANARY_TOO_OLD - 1)
    assert ask() == (503, WELL | {"ok": False, "workers": False})
    cache.set(CANARY, time.time() - health.CANARY_TOO_OLD + 2)
    assert ask() == (200, WELL)


def test_unwell_with_a_dead_bus(dead_bus):
    assert ask() == (503, {"ok": False, "database": True, "bus": False, "workers": False})


def test_unwell_with_a_dead_database(monkeypatch):
    def refuse(*_: object) -> None:
        raise ConnectionError("password=geheim")

    tasks.canary()
    monkeypatch.setattr(connections["default"], "cursor", refuse)
    assert ask() == (503, WELL | {"ok": False, "database": False})


def test_the_process_itself_answers_while_everything_else_is_dead(dead_bus):
    assert ask("/health/live") == (200, {"ok": True})


def test_the_status_page_says_the_same_in_words():
    tasks.canary()
    page = Client().get("/").content.decode()
    assert "一切正常" in page
    assert page.count(">正常<") == 3
    for link in ("/api/docs", "/admin/", "/api/schema", "/health"):
        assert f'href="{link}"' in page


def test_the_status_page_is_there_when_nothing_is_well(dead_bus):
    answer = Client().get("/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "有服务没有响应" in page
    assert (page.count(">正常<"), page.count(">无响应<")) == (1, 2)
