"""`python -m tests.bench calls`: calls a second, and what a call takes beside its floor.

The floor is an empty DRF view behind the same server and settings that executes the call's own SQL: the same statements
one after the other, without Django's database layer. The goal is at most twice that.
"""

import argparse
import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.bench import report
from tests.bench.crowd import FOREVER
from tests.bench.gifts import GOLD
from tests.bench.phones import Call, Figures, cpu_seconds, drive
from tests.processes import Instance, free_port, wait_until

AUDIENCE = 40
LIVES = 20
TURNS = 4
GOAL = 2.0
WHY = """\
Beyond the floor goes mostly what makes objects of rows and answers of objects. list-live-by-recommend shows the most: a
hundred cards of 35 keys cost some 1.6 ms to build as models, 1.2 ms to lay out and 0.7 ms to spell for the wire, where
their two queries cost 0.6 ms. Next step there: keep a live's card, spelled, for the ten seconds that a phone may."""


@dataclass
class Row:
    path: str
    ours: Figures  # one phone
    floor: Figures
    crowd: Figures
    cpu: float  # milliseconds of the web process

    @property
    def ratio(self) -> float:
        return self.ours.median / self.floor.median


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=calls", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="per measurement")
    parser.add_argument("--phones", type=int, default=8)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    report.run("calls", given, lambda running: measure_all(running, given))


def measure_all(running: Instance, given: argparse.Namespace) -> str:
    wanted = calls()
    file = running.var / "statements.json"
    file.write_text(json.dumps({name: recorded(call) for name, call in wanted.items()}))
    stay_inside()  # the recorded heart-beat has made the lease as short as it is
    with empty_view(running, file) as floor:
        empty = drive(floor, lambda _: ("empty", {}), phones=1, seconds=given.seconds)
        crowd = drive(floor, lambda _: ("empty", {}), phones=given.phones, seconds=given.seconds)
        rows = [measure(running, floor, name, call, given) for name, call in wanted.items()]
    heads = ["", f"Calls/s, {given.phones} phones", "95 % ms", "CPU ms web", "One phone: ms", "Floor ms", "Ratio"]
    first = ["an empty view", f"{crowd.per_second:.0f}", f"{crowd.p95:.1f}", "", "", f"{empty.median:.2f}", ""]
    missed = [f"{row.path} ({row.ratio:.2f})" for row in rows if row.ratio > GOAL]
    ended = f"missed by {', '.join(missed)}" if missed else "reached by all"
    table = report.table(heads, [first, *map(cells, rows)])
    return f"{table}\n\nThe goal is a ratio of {GOAL:.2f} at most: {ended}.\n\n{WHY}"


def cells(row: Row) -> list[str]:
    crowd = [f"{row.crowd.per_second:.0f}", f"{row.crowd.p95:.1f}", f"{row.cpu:.1f}"]
    return [row.path, *crowd, f"{row.ours.median:.2f}", f"{row.floor.median:.2f}", f"{row.ratio:.2f}"]


def measure(running: Instance, floor: int, name: str, call: Call, given: argparse.Namespace) -> Row:
    """In turn, so that a slow minute of the machine is everyone's."""
    web = [running.process("web") or 0]
    bare: Call = lambda n: ("empty", {"call": name, "n": n})  # noqa: E731
    ours, least = Figures(given.seconds), Figures(given.seconds)
    for _ in range(TURNS):
        ours += drive(running.port, call, phones=1, seconds=given.seconds / TURNS)
        least += drive(floor, bare, phones=1, seconds=given.seconds / TURNS)
    before = cpu_seconds(web)
    crowd = drive(running.port, call, phones=given.phones, seconds=given.seconds)
    return Row(name, ours, least, crowd, 1000 * (cpu_seconds(web) - before) / crowd.calls)


@contextmanager
def empty_view(running: Instance, statements: Path) -> Iterator[int]:
    """The web process as `manage.py up` starts it, with another application behind the server."""
    from heihei_site.system.management.commands.up import our_programs

    port = free_port()
    web = next(program for program in our_programs(running.environment()) if program.name == "web")
    words = [str(word) for word in web.command]
    words[words.index("--port") + 1] = str(port)
    words[words.index("heihei_site.asgi:application")] = "tests.bench.empty:application"
    with (running.var / "console").open("ab") as console:
        process = subprocess.Popen(
            words, cwd=web.cwd, env={**web.env, "BENCH_STATEMENTS": str(statements)}, stderr=console
        )
    try:
        wait_until(lambda: answers(port), 20, "the empty view")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    try:
        return bool(drive(port, lambda _: ("empty", {}), phones=1, seconds=0.05).milliseconds)
    except OSError:
        return False


def calls() -> dict[str, Call]:
    from live.models import Live
    from tests import factories

    owner, me = factories.person("owner"), factories.person("me", gold=GOLD)
    room = factories.live(owner, status=Live.Status.PLAYING)
    factories.inside(room, me, *(factories.person() for _ in range(AUDIENCE)))
    for _ in range(LIVES):
        factories.live()
        factories.live(status=Live.Status.STOPPED, lookback_addr="x", started_at=FOREVER, ended_at=FOREVER)
    Live.objects.update(owner_deadline=FOREVER)
    stay_inside()
    for number, member in enumerate(room.members.all()):  # nobody joins in the same second as everybody else
        room.members.filter(pk=member.pk).update(joined_at=member.joined_at - timedelta(seconds=number))
    mine, here = {"token": factories.token(me)}, {"liveId": room.pk, "roomId": room.pk}
    fresh = itertools.count()
    return {
        "init": lambda _: ("init", {"ap": "heihei"}),
        "user/info": lambda _: ("user/info", mine),
        "user/info of another": lambda _: ("user/info", {**mine, "uid": owner.pk}),
        "live/get-live": lambda _: ("live/get-live", {**mine, **here}),
        "live/list-live-users": lambda _: ("live/list-live-users", {**mine, **here}),
        "live/list-live-by-recommend": lambda _: ("live/list-live-by-recommend", mine),
        "live/gift-info": lambda _: ("live/gift-info", mine),
        "live/buy-gift": lambda _: ("live/buy-gift", {**mine, **here, "giftId": 101, "gift_uuid": next(fresh)}),
        "live/heart-beat": lambda _: ("live/heart-beat", {**mine, **here, "isCreator": 0}),
    }


def stay_inside() -> None:
    from live.models import Member

    Member.objects.update(lease_until=FOREVER)


def recorded(call: Call) -> list[str]:
    """The statements of one call; where a gift's key stands, `{n}` makes it a new one each time."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    path, params = call(0)
    client = Client(headers={"host": "127.0.0.1"})
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/api/{path}", params).json()["errorcode"] == 0
    return [re.sub(r"combo-[0-9a-f]{40}", "combo-{n}", query["sql"]) for query in captured.captured_queries]


if __name__ == "__main__":
    main()
