"""An instance of our own to measure, and phones that call it as fast as they get answers."""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import uvloop

from tests.processes import Instance, processes_of, wait_until

Call = Callable[[int], tuple[str, dict[str, object]]]  # the number of a call -> path and parameters
WARM_UP = 0.2  # of the time measured
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def instance() -> Iterator[Instance]:
    """`manage.py up` on a directory of its own; this process gets its settings, so the ORM reaches its database."""
    with tempfile.TemporaryDirectory(prefix="heihei-bench-") as folder:
        var = Path(folder)
        var.chmod(0o755)  # the servers' own account has to enter it
        running = Instance(var)
        running.start()
        try:
            wait_until(running.healthy, 180, "a healthy instance")
            os.environ.update(running.environment(), DJANGO_SETTINGS_MODULE="heihei_site.settings", LOG_LEVEL="WARNING")
            import django

            django.setup()
            yield running
        finally:
            running.end()


@dataclass
class Figures:
    """What some phones got done."""

    seconds: float
    calls: int = 0  # warming up included
    milliseconds: list[float] = field(default_factory=list)

    def __iadd__(self, more: "Figures") -> "Figures":
        self.calls += more.calls
        self.milliseconds += more.milliseconds
        return self

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        return sorted(self.milliseconds)[int(len(self.milliseconds) * 0.95)]


def drive(port: int, call: Call, *, phones: int, seconds: float) -> Figures:
    """Calls over one keep-alive connection a phone. A refusal ends the benchmark: it would be too fast."""
    return uvloop.run(_drive(port, call, phones, seconds))


async def _drive(port: int, call: Call, phones: int, seconds: float) -> Figures:
    figures = Figures(seconds)
    began = time.perf_counter() + seconds * WARM_UP
    numbers = [iter(range(first, 2**31, phones)) for first in range(phones)]
    await asyncio.gather(*(_phone(port, call, mine, began, figures) for mine in numbers))
    return figures


async def _phone(port: int, call: Call, numbers: Iterator[int], began: float, figures: Figures) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (asked := time.perf_counter()) < began + figures.seconds:
        await ask(reader, writer, *call(next(numbers)))
        figures.calls += 1
        if asked >= began:
            figures.milliseconds.append((time.perf_counter() - asked) * 1000)
    writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, params: dict[str, object]) -> None:
    writer.write(f"GET /api/{path}?{urlencode(params)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    if b'"errorcode":0' not in body[:20]:
        raise SystemExit(f"{path}: {json.loads(body)}")


def cpu_seconds(pids: list[int]) -> float:
    """Used so far by these processes, in user mode and in the kernel; those that are gone count nothing."""
    used = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


def database_pids(var: Path) -> list[int]:
    return [pid for pid, command in processes_of(var).items() if "postgres" in command.split(" ")[0]]
