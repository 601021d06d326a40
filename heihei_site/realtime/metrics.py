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
queued = Gauge("heihei_socket_queue_bytes", "Bytes that wait for sockets that do not read", ["which"])
deliveries = Counter("heihei_socket_deliveries", "Messages handed to sockets")
latency = Histogram("heihei_socket_delivery_seconds", "From publishing a message to its sockets", buckets=SECONDS)
bus_lag = Histogram("heihei_bus_lag_seconds", "From publishing anything to hearing it", buckets=SECONDS)
bus_losses = Counter("heihei_bus_losses", "Times the bus was lost and subscribed anew")
fills = Counter("heihei_feed_fills", "Times messages were read from the database because the bus did not bring them")
resyncs = Counter("heihei_socket_resyncs", "Clients told to load everything anew")
resumes = Counter("heihei_socket_resumes", "Clients that asked for what they had missed")
closes = Counter("heihei_socket_closes", "Sockets closed by us", ["code"])
lost_publishes = Counter("heihei_bus_lost_publishes", "Messages the bus did not take; their rows are read later")


def delivered(burst: "Sequence[Told]", outlets: int, now: float) -> None:
    if outlets:
        deliveries.inc(len(burst) * outlets)
        for told in burst:
            if told.at:
                latency.observe(max(0.0, now - told.at))
