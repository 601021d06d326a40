"""`python -m tests.bench storm`: a thousand phones come into one room at once and ask who is there.

Each phone joins and then lists. Every join holds the room's row, so the next one waits for it: what counts is that a
large room takes no longer than a small one. The floor is an empty DRF view behind the same server and settings that
executes the same SQL, the row held as long as the statements take and no longer.
"""

import argparse
import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import uvloop

from tests.bench import report
from tests.bench.calls import empty_view
from tests.bench.crowd import FOREVER, newcomers, people
from tests.bench.phones import Figures, ask, cpu_seconds, drive
from tests.processes import Instance

Errand = Sequence[tuple[str, dict[str, object]]]  # the calls of one phone, one after the other

JOIN, LIST = "live/join-live", "live/list-live-users"
SMALL = 100  # as long as it is listed whole, a join is another thing
TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=storm", description=__doc__)
    parser.add_argument("--joins", type=int, default=1_000, help="a measurement")
    parser.add_argument("--inside", type=int, default=10_000, help="of the large room")
    parser.add_argument("--phones", type=int, default=32, help="on their way at once")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    report.run("storm", given, lambda running: measure_all(running, given))


def measure_all(running: Instance, given: argparse.Namespace) -> str:
    rooms = [room_with(size) for size in (SMALL, given.inside)]
    recorded = {room.pk: statements_of(room) for room in rooms}
    file = running.var / "storm.json"
    file.write_text(
        json.dumps({f"{path} {room}": found for room in recorded for path, found in recorded[room].items()})
    )
    rows = []
    with empty_view(running, file) as floor:
        empty = drive(floor, lambda _: ("empty", {}), phones=1, seconds=1)
        for phones in (1, given.phones):
            for room in rooms:
                rows += measure(running, floor, room, recorded[room.pk], phones=phones, joins=given.joins)
    heads = ["Phones, room", "Call", "Phones/s", "Floor/s", "Median ms (95 %)", "Floor ms (95 %)", "Ratio", "Queries",
             "CPU ms web"]  # fmt: skip
    return f"{report.table(heads, rows)}\n\nAn empty view: {empty.median:.2f} ms. {given.joins:,} phones each."


def measure(
    running: Instance, floor: int, room: Any, recorded: dict[str, list[str]], *, phones: int, joins: int
) -> list[list[str]]:
    came, web = newcomers(joins), [running.process("web") or 0]
    here = {"liveId": room.pk}
    size = inside(room)
    before = cpu_seconds(web)
    errands = [[(path, here | {"token": token}) for path in (JOIN, LIST)] for _, token in came]
    seconds, ours = storm(running.port, errands, phones)
    cpu = 1000 * (cpu_seconds(web) - before) / joins
    assert inside(room) == size + joins, "somebody was not counted"

    bare = [
        [("empty", {"call": f"{path} {room.pk}", "n": user_id}) for path in (JOIN, LIST)]
        for user_id, _ in newcomers(joins)
    ]
    bare_seconds, least = storm(floor, bare, phones, names=(JOIN, LIST))
    set_right(room)
    rows = []
    for path in (JOIN, LIST):
        mine, theirs = ours[path], least[path]
        first = [f"{phones}, {size:,} inside", f"{joins / seconds:.0f}", f"{joins / bare_seconds:.0f}", f"{cpu:.1f}"]
        name, rate, floor_rate, used = first if path == JOIN else ["", "", "", ""]
        queries = [one for one in recorded[path] if not one.startswith(TRANSACTION)]
        rows.append([
            name, path.removeprefix("live/"), rate, floor_rate, f"{mine.median:.1f} ({mine.p95:.1f})",
            f"{theirs.median:.1f} ({theirs.p95:.1f})", f"{mine.median / theirs.median:.2f}", str(len(queries)), used,
        ])  # fmt: skip
    return rows


def storm(
    port: int, errands: Sequence[Errand], phones: int, names: Sequence[str] = ()
) -> tuple[float, dict[str, Figures]]:
    """Seconds until all were served, and what each call of an errand took, by path or by the names given instead."""
    taken: dict[str, Figures] = defaultdict(lambda: Figures(0))
    waiting = iter(errands)

    async def phone() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for errand in waiting:
            for number, (path, params) in enumerate(errand):
                asked = time.perf_counter()
                await ask(reader, writer, path, params)
                taken[names[number] if names else path].milliseconds.append((time.perf_counter() - asked) * 1000)
        writer.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(phone() for _ in range(phones)))

    began = time.perf_counter()
    uvloop.run(all_of_them())
    return time.perf_counter() - began, taken


# --- The room ----------------------------------------------------------------------------------------------------


def room_with(size: int) -> Any:
    """A live on air with so many people inside, who came one second after the other."""
    from datetime import timedelta

    from django.utils import timezone

    from live.models import Live, Member
    from tests import factories

    room = factories.live(status=Live.Status.PLAYING)
    now = timezone.now()
    Member.objects.bulk_create(
        [
            Member(live=room, user_id=user_id, lease_until=FOREVER, joined_at=now - timedelta(seconds=number))
            for number, user_id in enumerate(people(size - 1))
        ],
        batch_size=2_000,
    )
    Live.objects.filter(pk=room.pk).update(owner_deadline=FOREVER)
    set_right(room)
    return room


def set_right(room: Any) -> None:
    """As many are counted as are inside, and the tables are as autovacuum would leave them."""
    from django.db import connection

    from live.models import Live

    Live.objects.filter(pk=room.pk).update(occupied=room.members.filter(left_at=None).count())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE live_live, live_member, users_user, users_session")


def inside(room: Any) -> int:
    from live.models import Live

    counted: int = Live.objects.values_list("occupied", flat=True).get(pk=room.pk)
    assert counted == room.members.filter(left_at=None).count()
    return counted


def statements_of(room: Any) -> dict[str, list[str]]:
    """Those of one phone's calls; where its person's id stands, `{n}` makes it another's."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    [(user_id, token)] = newcomers(1)
    found = {}
    for path in (JOIN, LIST):
        with CaptureQueriesContext(connection) as captured:
            answer = Client(headers={"host": "127.0.0.1"}).get(f"/api/{path}", {"liveId": room.pk, "token": token})
        assert answer.json()["errorcode"] == 0, answer.json()
        found[path] = [re.sub(rf"\b{user_id}\b", "{n}", query["sql"]) for query in captured.captured_queries]
    return found


if __name__ == "__main__":
    main()
