"""Numbers for operators about the sockets of this process, as `/metrics` shows them (docs/operations.md)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from heihei_site.realtime.feeds import Told

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

sockets = Gauge("heihei_sockets", "Open sockets of this process")
people = Gauge("heihei_socket_people", "People with a socket that gets messages")
rooms = Gauge("heihei_socket_rooms", "Rooms with a socket in this process")
queued = Gauge("heihei_socket_queue_bytes", "Bytes that wait for sockets that do not read fast enough, all together")
longest_queue = Gauge("heihei_socket_queue_longest_bytes", "Bytes that wait for the slowest of them")
deliveries = Counter("heihei_socket_deliveries", "Messages handed to sockets, each counted for each socket")
latency = Histogram(
    "heihei_socket_delivery_seconds", "From publishing a message to handing it to its sockets", buckets=SECONDS
)
bus_lag = Histogram(
    "heihei_bus_lag_seconds", "From this process saying something on the bus to hearing it", buckets=SECONDS
)
bus_up = Gauge("heihei_bus_up", "Whether this process hears itself on the bus: 1 or 0")
bus_losses = Counter("heihei_bus_losses", "Times the bus was lost")
gaps = Counter("heihei_bus_gaps", "Times rows were read because the bus did not bring the messages")
resumes = Counter("heihei_socket_resumes", "Sockets that asked for what they had missed")
resyncs = Counter("heihei_socket_resyncs", "Sockets told to load everything anew")
closes = Counter("heihei_socket_closes", "Sockets closed by us, by close code", ["code"])
for code in (1008, 1012, 4401, 4429):
    closes.labels(str(code))  # so that the first one is seen as a change
lost_publishes = Counter(
    "heihei_bus_lost_publishes", "Transactions whose message the bus did not take; rows are read later"
)


def delivered(burst: "Sequence[Told]", outlets: int, now: float) -> None:
    if outlets:
        deliveries.inc(len(burst) * outlets)
        for told in burst:
            if told.at:
                latency.observe(max(0.0, now - told.at))
