"""`python -m tests.bench mass`: somebody with very many followers goes on air, and what others notice of it.

Meanwhile one person after the other is told something: anybody, and (the worst case) those whose turn is next.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import growing, report
from tests.bench.phones import cpu_seconds, database_pids
from tests.processes import Instance

FIRST = 1_000_000  # id of a follower
PAUSE = 0.005  # seconds between two probes


@dataclass
class Probed:
    """How long it took to tell one person something, commit included, and the phone's call next to it."""

    milliseconds: list[float]

    def at(self, share: float) -> float:
        return sorted(self.milliseconds)[int(len(self.milliseconds) * share)]

    def __str__(self) -> str:
        return f"{statistics.median(self.milliseconds):.1f} | {self.at(0.99):.1f} | {max(self.milliseconds):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=mass", description=__doc__)
    parser.add_argument("--followers", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=4, help="of measuring while nothing else happens")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    report.run("mass", given, lambda running: measure(running, given.followers, given.seconds))


def measure(running: Instance, followers: int, seconds: float) -> str:
    from heihei_site.realtime.models import MassMessage

    owner_id, first = somebody_with(followers)
    before = probe(lambda: random.randrange(first, first + followers), lambda began: time.monotonic() - began > seconds)
    rows, pids = [("nobody goes on air", before)], [running.process("worker") or 0]
    figures = []
    for who, next_one in (("anybody", anyone), ("whose turn is next", front)):
        used, began = cpu_seconds(pids), time.monotonic()
        used_by_database = cpu_seconds(database_pids(running.var))
        answered = go_on_air(owner_id)
        during = probe(next_one(first, followers), lambda _: not MassMessage.objects.filter(finished_at=None).exists())
        took = time.monotonic() - began
        cpu = cpu_seconds(pids) - used
        database = cpu_seconds(database_pids(running.var)) - used_by_database
        rows.append((f"somebody does, {who}", during))
        figures.append(
            f"{followers:,} followers: start-live {answered:.0f} ms, all told {took:.1f} s later "
            f"({followers / took:,.0f}/s); CPU a thousand: {1e6 * cpu / followers:.0f} ms of the worker, "
            f"{1e6 * database / followers:.0f} ms of the database, the probes included."
        )
    heads = ["Telling one person while", "Median ms", "99 % ms", "Longest ms"]
    return "\n\n".join([report.table(heads, ([name, *str(probed).split(" | ")] for name, probed in rows)), *figures])


def somebody_with(followers: int) -> tuple[int, int]:
    """Their id, and the first of their followers' ids, which follow one another."""
    from tests import factories

    owner = factories.person()
    growing.add_people(FIRST, 0, followers, following="1")
    growing.execute(
        "INSERT INTO users_follow (follower_id, followee_id, created_at)"
        " SELECT number, %s, now() FROM generate_series(%s, %s) AS number ORDER BY random()",
        [owner.pk, FIRST, FIRST + followers - 1],
    )
    growing.execute("ANALYZE users_follow")
    return owner.pk, FIRST


def go_on_air(owner_id: int) -> float:
    """Milliseconds of the service."""
    from live.models import Live
    from live.services import rooms
    from tests import factories
    from users.models import User

    Live.objects.filter(owner_id=owner_id).update(status=Live.Status.STOPPED)
    owner = User.objects.get(pk=owner_id)
    live = factories.live(owner, status=Live.Status.TO_START)
    began = time.perf_counter()
    rooms.start_live(owner=owner, live=live)
    return 1000 * (time.perf_counter() - began)


def anyone(first: int, followers: int) -> Callable[[], int]:
    return lambda: random.randrange(first, first + followers)


def front(first: int, followers: int) -> Callable[[], int]:
    from heihei_site.realtime.mass import BATCH
    from heihei_site.realtime.models import MassMessage

    def next_one() -> int:
        told = MassMessage.objects.order_by("-pk").values_list("told_until", flat=True)[0]
        return min(max(told, first) + random.randrange(1, BATCH), first + followers - 1)

    return next_one


def probe(who: Callable[[], int], done: Callable[[float], bool]) -> Probed:
    from heihei_site.realtime.groups import person
    from heihei_site.realtime.publish import publish, telling
    from messages.events import ImText

    found, began = [], time.monotonic()
    while not done(began):
        user_id = who()
        asked = time.perf_counter()
        with telling():
            writer = {"1": {"id": 1, "display_name": "x", "gender": "Female"}}
            words = {"from_user_id": 1, "content": {"text": "x"}, "create_time": 0, "users": writer}
            publish(ImText(to_user_id=user_id, **words), to=person(user_id))  # type: ignore[arg-type]
        found.append(1000 * (time.perf_counter() - asked))
        time.sleep(PAUSE)
    return Probed(found)


if __name__ == "__main__":
    main()
