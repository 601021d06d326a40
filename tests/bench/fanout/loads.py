"""The load generator at work on one server: members connected once, measurements one after the other."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.fanout.peers import Server

NOISE = 0.1  # cores somebody else uses, above which a figure is not to be trusted


@dataclass(frozen=True)
class Topology:
    """In the closed loop as many messages of a room are under way as one of the `windows` says."""

    rooms: int
    members: int
    windows: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.rooms} × {self.members:,}"

    @property
    def short(self) -> str:
        return f"{self.rooms}x{self.members}"


@dataclass(frozen=True)
class Measured:
    """Deliveries/s, latency in milliseconds, CPU seconds of the server (its bus included) per million deliveries."""

    per_second: float
    p50: float
    p99: float
    cpu_per_million: float
    in_a_frame: float  # deliveries
    others: float  # cores that neither the server nor the load used, but somebody did
    lost: int  # deliveries
    gone: int  # members that were hung up on


class Load:
    def __init__(self, process: subprocess.Popen[str], server: Server, topology: Topology) -> None:
        self._process = process
        self._server = server
        self._topology = topology

    def saturation(self, window: int, warmup: float, seconds: float) -> Measured:
        return self._measure(f"sat {window} {warmup} {seconds}")

    def at_rate(self, deliveries: float, warmup: float, seconds: float) -> Measured:
        return self._measure(f"rate {deliveries / self._topology.members} {warmup} {seconds}")

    def _measure(self, line: str) -> Measured:
        pids = self._server.pids
        self._say(line)
        self.expect("measuring")
        cpu, own, busy = cpu_seconds(pids), cpu_seconds([self._process.pid]), busy_seconds()
        self.expect("measured")
        cpu, own, busy = cpu_seconds(pids) - cpu, cpu_seconds([self._process.pid]) - own, busy_seconds() - busy
        told: dict[str, Any] = json.loads(self._line())
        return Measured(
            per_second=told["deliveries"] / told["seconds"],
            p50=told["p50_ms"],
            p99=told["p99_ms"],
            cpu_per_million=cpu / max(told["deliveries"], 1) * 1e6,
            in_a_frame=told["deliveries"] / max(told["frames"], 1),
            others=max(0.0, (busy - cpu - own) / told["seconds"]),
            lost=max(0, told["lost"]),  # what came too late for the measurement before counts in this one
            gone=told["gone"],
        )

    def expect(self, word: str) -> None:
        if (line := self._line()) != word:
            raise SystemExit(f"The load says {line!r} instead of {word!r}")

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"The load against {self._server.name} ended")
        return line.strip()


@contextmanager
def load(program: Path, server: Server, topology: Topology, core: int) -> Iterator[Load]:
    """All members connected; they hang up on the way out."""
    size = [f"rooms={topology.rooms}", f"members={topology.members}"]
    process = subprocess.Popen(
        [program, f"port={server.port}", f"path={server.path}", *size],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    os.sched_setaffinity(process.pid, {core})
    try:
        running = Load(process, server, topology)
        running.expect("ready")
        yield running
    finally:
        process.kill()
        process.communicate()


def cpu_seconds(pids: list[int]) -> float:
    """What all threads of these processes have used."""
    threads = (path for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(path.read_text().split()[0]) for path in threads) / 1e9


def busy_seconds() -> float:
    """What all cores have worked, for whomever, I/O waits not counted."""
    user, nice, system, _idle, _wait, *interrupts = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(patience: float) -> None:
    """Until nobody uses the machine, but not longer than `patience` seconds."""
    deadline, noise = time.monotonic() + patience, 1.0
    while noise > NOISE and time.monotonic() < deadline:
        busy = busy_seconds()
        time.sleep(0.5)
        noise = (busy_seconds() - busy) / 0.5
