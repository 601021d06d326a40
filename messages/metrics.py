"""Numbers about pushes, as `/metrics` shows them (docs/operations.md). Workers send, and nobody asks those: the figures
are of the whole installation, read from the database when they are asked for, and the same from every web process."""

from collections.abc import Iterable, Iterator

import structlog
from django.db import DatabaseError, connection
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from messages.models import Push, PushTally

log = structlog.get_logger(__name__)

_WAITING = """
SELECT lane, count(*), EXTRACT(epoch FROM clock_timestamp() - min(created_at))
FROM inbox_push WHERE outcome = 0 GROUP BY lane
"""


class PushNumbers(Collector):
    def describe(self) -> Iterable[Metric]:
        """Nothing is asked while the process starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(_WAITING)
                waiting = {lane: (many, oldest) for lane, many, oldest in cursor.fetchall()}
            ended = dict(PushTally.objects.values_list("outcome", "many"))
        except DatabaseError as error:
            log.warning("push_numbers_unknown", reason=type(error).__name__)
            return
        yield from _gauges(waiting)
        total = CounterMetricFamily("heihei_pushes", "Pushes that ended, by how", labels=["outcome"])
        for outcome in Push.Outcome:
            if outcome != Push.Outcome.WAITING:
                total.add_metric([outcome.name.lower()], ended.get(outcome, 0))
        yield total


def _gauges(waiting: dict[int, tuple[int, float]]) -> Iterator[Metric]:
    many = GaugeMetricFamily("heihei_pushes_waiting", "Pushes that are not sent yet", labels=["lane"])
    oldest = GaugeMetricFamily("heihei_pushes_oldest_seconds", "Since the oldest of them was written", labels=["lane"])
    for lane in Push.Lane:
        count, age = waiting.get(lane, (0, 0))
        many.add_metric([lane.name.lower()], count)
        oldest.add_metric([lane.name.lower()], float(age))
    yield many
    yield oldest


REGISTRY.register(PushNumbers())
