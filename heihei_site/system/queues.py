"""Numbers about workers, as `/metrics` shows them (docs/operations.md). Nobody scrapes workers: what they leave undone
is read where they leave it, when it is asked for, and is the same from every web process."""

import time
from collections.abc import Iterable, Iterator
from functools import cache as once

import redis
import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from heihei_site.celery import app
from heihei_site.system.tasks import CANARY, CANARY_LIFETIME

PATIENCE = 1.0  # seconds for Redis
TAKEN = "unacked"  # where kombu keeps what workers have in hand

log = structlog.get_logger(__name__)

_AUDIENCES = """
SELECT count(*), coalesce(EXTRACT(epoch FROM clock_timestamp() - min(created_at)), 0)
FROM realtime_massmessage WHERE finished_at IS NULL
"""


@once
def _broker() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


def silent_for() -> float:
    """Seconds since the last canary, at most CANARY_LIFETIME."""
    seen: float = cache.get(CANARY, time.time() - CANARY_LIFETIME)
    return max(0.0, time.time() - seen)


def jobs() -> tuple[int, int]:
    """That no worker has taken, and that workers have in hand. Raises RedisError."""
    questions = _broker().pipeline(transaction=False)
    questions.llen(app.conf.task_default_queue)
    questions.hlen(TAKEN)
    waiting, taken = questions.execute()
    return waiting, taken


class WorkerNumbers(Collector):
    def describe(self) -> Iterable[Metric]:
        """Nothing is asked while the process starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            yield from self._jobs()
        except redis.RedisError as error:
            log.warning("worker_numbers_unknown", reason=type(error).__name__)
        try:
            yield from self._audiences()
        except DatabaseError as error:
            log.warning("worker_numbers_unknown", reason=type(error).__name__)

    @staticmethod
    def _jobs() -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "heihei_workers_silent_seconds",
            f"Since a job of every two seconds went through beat, broker and a worker; at most {CANARY_LIFETIME}",
            silent_for(),
        )
        waiting, taken = jobs()
        yield GaugeMetricFamily("heihei_jobs_waiting", "Jobs that no worker has taken", waiting)
        yield GaugeMetricFamily("heihei_jobs_taken", "Jobs that workers have in hand, those for later included", taken)

    @staticmethod
    def _audiences() -> Iterator[Metric]:
        with connection.cursor() as cursor:
            cursor.execute(_AUDIENCES)
            many, oldest = cursor.fetchone()
        yield GaugeMetricFamily("heihei_audiences_waiting", "Messages to many whose people are still being told", many)
        yield GaugeMetricFamily("heihei_audiences_oldest_seconds", "Since the oldest was written", float(oldest))


REGISTRY.register(WorkerNumbers())
