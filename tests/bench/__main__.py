"""`make bench`: what one web process does on this machine. Figures for comparing two commits, never a test.

Starts an instance of its own (real servers, a real web process, worker and beat), makes people through the ORM, and
measures calls per second over keep-alive connections, then how long a text takes to many sockets of one room.
"""

import argparse
import asyncio
import http.client
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from tests.processes import Instance, wait_until

Call = Callable[[int], tuple[str, dict[str, object]]]


class Figures:
    """A table row a measurement: calls per second, and milliseconds at the median and the 95th percentile."""

    def __init__(self) -> None:
        print(f"{'':26}{'per second':>12}{'median ms':>12}{'p95 ms':>10}")

    def row(self, name: str, per_second: float, milliseconds: list[float]) -> None:
        ordered = sorted(milliseconds)
        p95 = ordered[int(len(ordered) * 0.95)]
        print(f"{name:26}{per_second:12.0f}{statistics.median(ordered):12.1f}{p95:10.1f}")


def measure_calls(port: int, call: Call, *, connections: int, seconds: float) -> tuple[float, list[float]]:
    """Calls as fast as `connections` phones get answers. Refusals stop the benchmark: they would be too fast."""
    took: list[float] = []
    deadline = time.monotonic() + seconds

    def phone(number: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        count = number * 1_000_000
        while (began := time.monotonic()) < deadline:
            count += 1
            path, params = call(count)
            line.request("GET", f"/api/{path}?{urlencode(params)}")
            answer = json.loads(line.getresponse().read())
            took.append((time.monotonic() - began) * 1000)
            if answer["errorcode"]:
                raise SystemExit(f"{path}: {answer}")

    phones = [threading.Thread(target=phone, args=[number]) for number in range(connections)]
    for thread in phones:
        thread.start()
    for thread in phones:
        thread.join()
    return len(took) / seconds, took


async def measure_fan_out(url: str, tokens: list[str], say: Callable[[int], None], texts: int) -> list[float]:
    """Milliseconds from sending a text to its arrival, one per text and socket."""
    from websockets.asyncio.client import connect

    sent: dict[str, float] = {}
    took: list[float] = []

    async def listen(token: str, ready: asyncio.Semaphore) -> None:
        async with connect(f"{url}?token={token}", max_queue=None) as socket:
            ready.release()
            heard = 0
            async for frame in socket:
                for element in json.loads(frame):
                    if element["msg"]["msgType"] == "text":
                        took.append((time.monotonic() - sent[element["msg"]["text"]]) * 1000)
                        heard += 1
                if heard == texts:
                    return

    ready = asyncio.Semaphore(0)
    listeners = [asyncio.create_task(listen(token, ready)) for token in tokens]
    for _ in tokens:
        await ready.acquire()
    await asyncio.sleep(3)  # until every socket is in its rooms
    for number in range(texts):
        sent[f"text {number}"] = time.monotonic()
        await asyncio.to_thread(say, number)
        await asyncio.sleep(0.02)
    _, missing = await asyncio.wait(listeners, timeout=20)
    for listener in missing:
        listener.cancel()
    expected = texts * len(tokens)
    if len(took) != expected:
        print(f"{len(took)} of {expected} texts arrived, {len(missing)} sockets wait")
    return took


def memory_of(pid: int) -> float:
    """Resident MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def instance() -> Iterator[Instance]:
    with tempfile.TemporaryDirectory(prefix="heihei-bench-") as folder:
        var = Path(folder)
        var.chmod(0o755)
        running = Instance(var)
        running.start()
        try:
            wait_until(running.healthy, 60, "a healthy instance")
            yield running
        finally:
            running.end()


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--seconds", type=float, default=4, help="per kind of call")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--sockets", type=int, default=300)
    parser.add_argument("--texts", type=int, default=100)
    given = parser.parse_args()
    with instance() as running:
        run(running, given)


def run(running: Instance, given: argparse.Namespace) -> None:
    os.environ.update(running.environment(), DJANGO_SETTINGS_MODULE="heihei_site.settings")
    import django

    django.setup()
    from live.models import Live
    from tests import factories

    owner, giver = factories.person("owner"), factories.person("giver", gold=1_000_000)
    room = factories.live(owner, status=Live.Status.PLAYING)
    audience = [factories.person() for _ in range(given.sockets)]
    factories.inside(room, giver, *audience)
    for number, member in enumerate(room.members.all()):  # nobody joins in the same second as everybody else
        room.members.filter(pk=member.pk).update(joined_at=member.joined_at - timedelta(seconds=number))
    Live.objects.filter(pk=room.pk).update(owner_deadline="2100-01-01T00:00Z")
    room.members.update(lease_until="2100-01-01T00:00Z")
    token, base = factories.token(giver), {"liveId": room.pk, "roomId": room.pk}
    web = running.process("web")
    assert web is not None
    print(f"web process: {memory_of(web):.0f} MB after start")

    figures = Figures()
    calls: dict[str, Call] = {
        "init": lambda _: ("init", {"ap": "heihei"}),
        "user/info": lambda _: ("user/info", {"token": token}),
        "live/heart-beat": lambda _: ("live/heart-beat", {**base, "token": token, "isCreator": 0}),
        "live/list-live-users": lambda _: ("live/list-live-users", {**base, "token": token}),
        "live/buy-gift": lambda n: ("live/buy-gift", {**base, "token": token, "giftId": 101, "gift_uuid": n}),
    }
    for name, call in calls.items():
        figures.row(name, *measure_calls(running.port, call, connections=given.connections, seconds=given.seconds))

    tokens = [factories.token(person) for person in audience]

    def say(number: int) -> None:
        measure_one(running.port, "msg/send-msg", {**base, "token": token, "text": f"text {number}"})

    time.sleep(1)
    began = time.monotonic()
    took = asyncio.run(measure_fan_out(f"ws://127.0.0.1:{running.port}/ws/channel", tokens, say, min(given.texts, 100)))
    figures.row(f"text to {given.sockets} sockets", len(took) / (time.monotonic() - began), took)
    print(f"web process: {memory_of(web):.0f} MB with {given.sockets} sockets")


def measure_one(port: int, path: str, params: dict[str, object]) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.request("GET", f"/api/{path}?{urlencode(params)}")
    answer = json.loads(line.getresponse().read())
    if answer["errorcode"]:
        raise SystemExit(f"{path}: {answer}")
    line.close()


if __name__ == "__main__":
    main()
