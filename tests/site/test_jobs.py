"""Handing jobs to workers (D9): at once, or refused within the time a phone waits."""

import socket
import time
from collections.abc import Iterator

import pytest
import redis
from celery import Celery, Task

from heihei_site.jobs import NoWorker, hand_over


def job_on(broker: str) -> "Task[..., None]":
    app = Celery("elsewhere", broker=broker, set_as_current=False)

    @app.task(name="elsewhere.job")
    def job() -> None: ...

    return job


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def refused_after(job: "Task[..., None]") -> float:
    began = time.monotonic()
    with pytest.raises(NoWorker):
        hand_over(job)
    return time.monotonic() - began


def test_a_broker_that_is_gone_is_found_out_before_the_phone_gives_up():
    assert refused_after(job_on(f"redis://127.0.0.1:{closed_port()}/0")) < 2


def test_a_broker_that_hangs_is_found_out_before_the_phone_gives_up(deaf):
    assert refused_after(job_on(f"redis://127.0.0.1:{deaf}/0")) < 2


def test_a_job_is_taken(settings):
    job = job_on(settings.CELERY_BROKER_URL)
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        before = broker.llen("celery")
        hand_over(job)
        assert broker.llen("celery") == before + 1
        broker.rpop("celery")


def test_a_connection_that_the_broker_has_closed_meanwhile_loses_nothing(settings):
    job = job_on(settings.CELERY_BROKER_URL)
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        hand_over(job)
        broker.client_kill_filter(_type="normal", skipme=True)
        before = broker.llen("celery")
        hand_over(job)
        assert broker.llen("celery") == before + 1
        broker.ltrim("celery", 1, 0)
