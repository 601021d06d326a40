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

TOPOLOGIES = [Topology(1, 100, (16, 64)), Topology(1, 1000, (4, 16)), Topology(100, 10, (1, 4, 16))]
COMPARED = ("nchan", "plain group_send")
STEADY = 5000  # deliveries/s that everyone should bear
LONGEST = 9999.0  # ms; the load tells no longer ones apart
UNDER_WAY, AT_HALF, AT_STEADY = " under way", "half of saturation", f"{STEADY:,}/s"  # kinds of measurements

Kinds = dict[str, list[Measured]]  # one for each round
Results = dict[tuple[str, str], Kinds]  # by topology and peer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench fanout", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2, help="per measurement")
    parser.add_argument("--warmup", type=float, default=0.5, help="seconds before each")
    parser.add_argument("--patience", type=float, default=2, help="seconds to wait for a quiet machine before each")
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
                        measure(members, topology, given, kinds)
                except Absent as absence:
                    absences[peer.name] = str(absence)
                show(topology, peer, kinds)
    measured = {place: kinds for place, kinds in results.items() if kinds}
    return "\n\n".join([heading(given.rounds), *tables(topologies, measured), *absences.values(), *remarks(measured)])


def measure(members: Load, topology: Topology, given: argparse.Namespace, kinds: Kinds) -> None:
    spans = (given.warmup, given.seconds)
    for window in topology.windows:
        wait_for_quiet(given.patience)
        kinds[f"{window}{UNDER_WAY}"].append(members.saturation(window, *spans))
    half = max(kinds[kind][-1].per_second for kind in closed_loops(kinds)) / 2
    for kind, rate in ((AT_HALF, half), (AT_STEADY, STEADY)):  # who cannot bear the last has a backlog then
        wait_for_quiet(given.patience)
        kinds[kind].append(members.at_rate(rate, *spans))


def show(topology: Topology, peer: Peer, kinds: Kinds) -> None:
    """As it comes."""
    for kind, measured in kinds.items():
        last = measured[-1]
        print(
            f"{topology.name:11}{peer.name:17}{kind:19}{last.per_second:9,.0f}/s  p50 {last.p50:7.2f}"
            f"  p99 {last.p99:7.2f} ms  {last.cpu_per_million:6.2f} CPU s/million  {last.in_a_frame:4.1f} a frame"
            f"  lost {last.lost}  gone {last.gone}  others {last.others:.2f}",
            flush=True,
        )


# --- The page -----------------------------------------------------------------------------------------------


def heading(rounds: int) -> str:
    return f"""## Room fan-out

Rooms × members of each. Messages of 300 bytes, published by members in turn over their own sockets and delivered to
everyone in the room, the publisher too; each server with its bus on one core, the load generator on another.
*Delivered*: messages/s at saturation, in a closed loop with so many messages under way in each room; everyone's best is
compared. *CPU*: seconds of the server and its bus per million deliveries, then. *Latency*: p50 / p99 from the
moment a message was due, in an open loop, at {STEADY:,} deliveries/s and at half of the peer's own saturation. *Floor*:
a C program that does nothing but this. Medians of {rounds} round{"" if rounds == 1 else "s"}."""


def tables(topologies: list[Topology], results: Results) -> list[str]:
    found = []
    for topology in topologies:
        here = {peer: kinds for (name, peer), kinds in results.items() if name == topology.name}
        heads = [
            "",
            *(f"delivered/s, {window}{UNDER_WAY}" for window in topology.windows),
            *(f"ratio to {name}" for name in COMPARED),
            "CPU s/million",
            f"ms at {AT_STEADY}",
            "ms at half",
        ]
        found.append(f"### {topology.name}\n\n{report.table(heads, [row(name, here) for name in here])}")
    return found


def row(name: str, everyone: dict[str, Kinds]) -> list[str]:
    here = everyone[name]
    others = [everyone.get(other) for other in COMPARED]
    return [
        name,
        *(f"{middle(here, kind, 'per_second'):,.0f}" for kind in closed_loops(here)),
        *(f"{saturation(here) / saturation(other):.2f}" if other else "–" for other in others),
        f"{middle(here, best(here), 'cpu_per_million'):.2f}",
        *(" / ".join(latency(middle(here, kind, each)) for each in ("p50", "p99")) for kind in (AT_STEADY, AT_HALF)),
    ]


def saturation(kinds: Kinds) -> float:
    return middle(kinds, best(kinds), "per_second")


def best(kinds: Kinds) -> str:
    return max(closed_loops(kinds), key=lambda kind: middle(kinds, kind, "per_second"))


def closed_loops(kinds: Kinds) -> list[str]:
    return [kind for kind in kinds if kind.endswith(UNDER_WAY)]


def latency(milliseconds: float) -> str:
    return f"{milliseconds:.1f}" if milliseconds < LONGEST else "> 10 s"


def middle(kinds: Kinds, kind: str, figure: str) -> float:
    return median(getattr(measured, figure) for measured in kinds[kind])


def remarks(results: Results) -> list[str]:
    """What a reader has to know about these figures."""
    every = [(*place, kind, one) for place, kinds in results.items() for kind, of in kinds.items() for one in of]
    lossy = [f"{peer} {one.lost:,} ({topology}, {kind})" for topology, peer, kind, one in every if one.lost]
    ended = [f"{peer} {one.gone} ({topology}, {kind})" for topology, peer, kind, one in every if one.gone]
    noisy = sum(one.others > NOISE for *_, one in every)
    return [
        *([f"Deliveries lost: {'; '.join(lossy)}."] if lossy else []),
        *([f"Members hung up on: {'; '.join(ended)}."] if ended else []),
        *([f"In {noisy} of {len(every)} measurements others used more than {NOISE:.0%} of a core."] if noisy else []),
    ]


if __name__ == "__main__":
    main()
