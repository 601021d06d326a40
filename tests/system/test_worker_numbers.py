"""What `/metrics` says about workers, whom nobody asks."""

import time

import pytest
import redis
from django.core.cache import cache
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from heihei_site.celery import app
from heihei_site.realtime.models import MassMessage
from heihei_site.system import queues
from heihei_site.system.tasks import CANARY, canary

pytestmark = pytest.mark.django_db


def numbers() -> dict[str, float]:
    text = Client().get("/metrics").content.decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.labels
    }


@pytest.fixture(autouse=True)
def broker_of_this_test():
    """The one before may have had a Redis of its own."""
    queues._broker.cache_clear()


@pytest.fixture
def broker(settings):
    return redis.Redis.from_url(settings.REDIS_URL)


def test_it_says_for_how_long_no_job_has_come_through():
    assert 59 < numbers()["heihei_workers_silent_seconds"] <= 61, "never: as long as it can tell"
    canary()
    assert numbers()["heihei_workers_silent_seconds"] < 5
    cache.set(CANARY, time.time() - 17)
    assert 17 <= numbers()["heihei_workers_silent_seconds"] < 22


def test_it_counts_the_jobs_that_wait_for_a_worker_and_those_in_hand(broker):
    assert (numbers()["heihei_jobs_waiting"], numbers()["heihei_jobs_taken"]) == (0, 0)
    app.conf.task_always_eager = False
    canary.delay()
    canary.delay()
    assert (numbers()["heihei_jobs_waiting"], numbers()["heihei_jobs_taken"]) == (2, 0)
    broker.hset(queues.TAKEN, "tag", "a job")
    assert numbers()["heihei_jobs_taken"] == 1


def test_it_says_how_many_messages_to_many_are_not_told_to_the_end():
    MassMessage.objects.create(audience="followers", source_id=1, element="{}")
    done = MassMessage.objects.create(audience="followers", source_id=2, element="{}")
    MassMessage.objects.filter(pk=done.pk).update(finished_at=done.created_at)
    found = numbers()
    assert found["heihei_audiences_waiting"] == 1
    assert 0 <= found["heihei_audiences_oldest_seconds"] < 60


def test_what_does_not_answer_is_left_out_and_the_rest_is_there(monkeypatch):
    nowhere = redis.Redis(unix_socket_path="/nowhere/bus.sock")
    monkeypatch.setattr(queues, "_broker", lambda: nowhere)
    found = numbers()
    assert "heihei_jobs_waiting" not in found
    assert found["heihei_audiences_waiting"] == 0
