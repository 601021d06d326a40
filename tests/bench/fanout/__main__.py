"""`python -m tests.bench fanout`: a text to everyone in a room, by us and by others, on one core.

A server (with its bus) has one core and the load generator another. Every peer and topology gets a fresh server; the
peers take turns, so that a slow minute of the machine is everyone's. Figures are medians over the rounds.
"""

import argparse
import os
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from tests.bench import report
from tests.bench.fanout.loads import NOISE, Load, Measured, Topology, load, wait_for_quiet
from tests.bench.fanout.peers import PEERS, Absent, Peer, compiled, place_in, running

TOPOLOGIES = [Topology(1, 100, 16), Topology(1, 1000, 4), Topology(100, 10, 4)]
COMPARED = ("nchan", "plain group_send")
STEADY = 5000  # deliveries/s that everyone should bear

Kinds = dict[str, list[Measured]]  # saturation, half and steady: one for each round
Results = dict[tuple[str, str], Kinds]  # by topology and peer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench fanout", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3, help="per measurement")
    parser.add_argument("--warmup", type=float, default=0.7, help="seconds before each")
    parser.add_argument("--patience", type=float, default=3, help="seconds to wait for a quiet machine before each")
    parser.add_argument("--peers", help="only these, by commas")
    parser.add_argument("--topologies", help="only these, like 1x1000, by commas")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    peers = [peer for peer in PEERS if not given.peers or peer.name in given.peers.split(",")]
    wanted = given.topologies.split(",") if given.topologies else [each.short for each in TOPOLOGIES]
    with tempfile.TemporaryDirectory(prefix="heihei-fanout-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the bus runs under an account of its own
        try:
            text = measure_all(peers, [each for each in TOPOLOGIES if each.short in wanted], folder, given)
        except Absent as absence:
            print(absence)
            return
    print(f"\n{text}")
    if given.write:
        report.write("fanout", text)


def measure_all(peers: list[Peer], topologies: list[Topology], folder: Path, given: argparse.Namespace) -> str:
    generator = compiled("load", folder)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})  # whatever is started from here on stays there
    results: Results = {}
    absences: dict[str, str] = {}
    for number in range(given.rounds):
        for topology in topologies:
            for peer in peers:
                kinds = results.setdefault((topology.name, peer.name), defaultdict(list))
                place = place_in(folder / f"{number}-{topology.short}-{PEERS.index(peer)}")
                try:
                    with running(peer, place) as server, load(generator, server, topology, cores[-1]) as members:
                        measure(members, given, kinds)
                except Absent as absence:
                    absences[peer.name] = str(absence)
                show(topology, peer, kinds)
    measured = {place: kinds for place, kinds in results.items() if kinds}
    return "\n\n".join([heading(given.rounds), *tables(topologies, measured), *absences.values(), *remarks(measured)])


def measure(members: Load, given: argparse.Namespace, kinds: Kinds) -> None:
    spans = (given.warmup, given.seconds)
    wait_for_quiet(given.patience)
    kinds["saturation"].append(members.saturation(*spans))
    wait_for_quiet(given.patience)
    kinds["half"].append(members.at_rate(kinds["saturation"][-1].per_second / 2, *spans))
    wait_for_quiet(given.patience)
    kinds["steady"].append(members.at_rate(STEADY, *spans))  # last: who cannot bear it has a backlog then


def show(topology: Topology, peer: Peer, kinds: Kinds) -> None:
    """As it comes."""
    for kind, measured in kinds.items():
        last = measured[-1]
        print(
            f"{topology.name:11}{peer.name:17}{kind:11}{last.per_second:9,.0f}/s  p50 {last.p50:7.2f}"
            f"  p99 {last.p99:7.2f} ms  {last.cpu_per_million:6.2f} CPU s/million  others {last.others:.2f}"
            f"  {last.troubles}",
            flush=True,
        )


# --- The page -----------------------------------------------------------------------------------------------


def heading(rounds: int) -> str:
    windows = ", ".join(f"{each.window} in {each.name}" for each in TOPOLOGIES)
    return f"""## Room fan-out

Rooms × members of each. Messages of 300 bytes, published by members in turn over their own sockets and delivered to
everyone in the room, the publisher too; each server with its bus on one core, the load generator on another.
*Delivered*: messages/s at saturation, in a closed loop with a fixed number of messages under way in each room
({windows}). *CPU*: seconds of the server and its bus per million deliveries, at saturation. *Latency*: p50 / p99 from
the moment a message was due, in an open loop, at {STEADY:,} deliveries/s and at half of the peer's own saturation.
*Floor*: a C program that does nothing but this. Medians of {rounds} round{"" if rounds == 1 else "s"}."""


def tables(topologies: list[Topology], results: Results) -> list[str]:
    latencies = [f"ms at {STEADY:,}/s", "ms at half"]
    heads = ["", "delivered/s", *(f"ratio to {name}" for name in COMPARED), "CPU s/million", *latencies]
    found = []
    for topology in topologies:
        here = {peer: kinds for (name, peer), kinds in results.items() if name == topology.name}
        found.append(f"### {topology.name}\n\n{report.table(heads, [row(name, here) for name in here])}")
    return found


def row(name: str, everyone: dict[str, Kinds]) -> list[str]:
    here = everyone[name]
    delivered = middle(here, "saturation", "per_second")
    others = [everyone.get(other) for other in COMPARED]
    ratios = [f"{delivered / middle(other, 'saturation', 'per_second'):.2f}" if other else "–" for other in others]
    latencies = [f"{middle(here, kind, 'p50'):.1f} / {middle(here, kind, 'p99'):.1f}" for kind in ("steady", "half")]
    return [name, f"{delivered:,.0f}", *ratios, f"{middle(here, 'saturation', 'cpu_per_million'):.2f}", *latencies]


def middle(kinds: Kinds, kind: str, figure: str) -> float:
    return median(getattr(measured, figure) for measured in kinds[kind])


def remarks(results: Results) -> list[str]:
    """What a reader has to know about these figures."""
    every = [one for kinds in results.values() for measured in kinds.values() for one in measured]
    said = [
        f"{peer} ({topology}, {kind}): {one.troubles}."
        for (topology, peer), kinds in results.items()
        for kind, measured in kinds.items()
        for one in measured
        if one.troubles
    ]
    if noisy := sum(one.others > NOISE for one in every):
        said.append(f"In {noisy} of {len(every)} measurements somebody else used more than {NOISE:.0%} of a core.")
    return said


if __name__ == "__main__":
    main()
