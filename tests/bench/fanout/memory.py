"""`python -m tests.bench memory`: what a socket costs that is connected and silent.

Resident memory of the web process, before and after IDLE sockets connect; WARM_UP others are there already, so that
what the first sockets make a process load is not counted. What the kernel keeps for a connection is not in it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.bench import report
from tests.bench.fanout.loads import Topology, load
from tests.bench.fanout.peers import OURS, Absent, Server, compiled, place_in, running
from tests.bench.phones import instance

IDLE, WARM_UP = 1000, 200
SETTLED = 5.0  # seconds after the last handshake: beacons have had their turn


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench memory", description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="heihei-memory-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            text = measure_all(compiled("load", folder), folder)
        except Absent as absence:
            print(absence)
            return
    print(text)
    if given.write:
        report.write("memory", text)


def measure_all(generator: Path, folder: Path) -> str:
    rows = []
    with whole_web_process() as server:
        rows.append(row(server, generator))
    with running(
        replace(OURS, name="hub and sockets alone", path="/ws/channel?token=1.%m"), place_in(folder / "ours")
    ) as server:
        rows.append(row(server, generator))
    return f"""## Memory of an idle socket

Growth of the web process's resident memory with {IDLE:,} silent sockets after the first {WARM_UP}: of the whole web
process with people who are signed in, and of hub and sockets alone, without Django's answers and the database.

{report.table(["", "KB a socket", "MB before", "MB after"], rows)}"""


def row(server: Server, generator: Path) -> list[str]:
    core = max(os.sched_getaffinity(0))
    first, more = (replace(server, path=server.path.replace("%m", f"{kind}%m")) for kind in "12")
    with load(generator, first, Topology(1, WARM_UP), core):
        time.sleep(SETTLED)
        before = resident(server.web)
        with load(generator, more, Topology(1, IDLE), core):
            time.sleep(SETTLED)
            after = resident(server.web)
    return [server.name, f"{(after - before) / IDLE / 1000:.1f}", f"{before / 1e6:.0f}", f"{after / 1e6:.0f}"]


def resident(pid: int) -> int:
    """Bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def whole_web_process() -> Iterator[Server]:
    """Of `manage.py up`, and as many people signed in as there will be sockets."""
    with instance() as running_instance:
        sign_in([f"idle-{kind}{member}" for kind, many in (("1", WARM_UP), ("2", IDLE)) for member in range(many)])
        web = running_instance.process("web")
        assert web is not None
        yield Server("the whole web process", running_instance.port, "/ws/channel?token=idle-%m", [web], web)


def sign_in(tokens: list[str]) -> None:
    """Somebody new for each token."""
    from django.utils import timezone

    from tests import factories
    from users.auth import digest_of
    from users.models import Session

    until = timezone.now() + timedelta(days=1)
    people = [factories.person() for _ in tokens]
    pairs = zip(people, tokens, strict=True)
    Session.objects.bulk_create(Session(user=one, digest=digest_of(token), expires_at=until) for one, token in pairs)


if __name__ == "__main__":
    main()
