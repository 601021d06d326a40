"""`make bench`: figures to compare commits, peers and floors on one machine, never a test.

`python -m tests.bench [section ...] [options]`: all sections where none is named. Each is a program of its own and
runs in a process of its own; `--write` puts its tables into docs/benchmarks.md, `--help` tells what else it takes.
"""

import subprocess
import sys
from itertools import takewhile

SECTIONS = {
    "fanout": "tests.bench.fanout",
    "memory": "tests.bench.fanout.memory",
    "calls": "tests.bench.calls",
    "gifts": "tests.bench.gifts",
    "orders": "tests.bench.orders",
    "letters": "tests.bench.letters",
    "lists": "tests.bench.lists",
    "people": "tests.bench.people",
    "voices": "tests.bench.voices",
    "mass": "tests.bench.mass",
    "statements": "tests.bench.statements",
    "storm": "tests.bench.storm",
    "matching": "tests.bench.matching",
}


def main(words: list[str]) -> int:
    named = list(takewhile(lambda word: not word.startswith("-"), words))
    if unknown := set(named) - {*SECTIONS, "all"}:
        raise SystemExit(f"No section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}, all\n\n{__doc__}")
    chosen = SECTIONS if not named or "all" in named else named
    commands = [[sys.executable, "-m", SECTIONS[name], *words[len(named) :]] for name in chosen]
    return max(subprocess.run(command).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
