"""Keeps a handful of processes running until told to stop, and leaves none behind, however this process ends.

For development and tests; in production the machine's own service manager does this.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0  # seconds before something that died is started again
SOUND_AFTER = 30.0  # seconds of running after which an earlier death is forgotten
STOP_PATIENCE = 10.0  # seconds a program may take to end before it is killed
POLL = 0.05
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Program:
    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str]
    cwd: Path = Path("/")
    log: Path | None = None  # None: our own output
    account: Account | None = None  # None: ours
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL

    def start(self) -> subprocess.Popen[bytes]:
        """Call it from a thread that lives as long as the program may: the program ends with it."""
        with ExitStack() as stack:
            output = stack.enter_context(self.log.open("ab")) if self.log else None
            return subprocess.Popen(
                self.command,
                env=self.env,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,  # Ctrl-C is for the supervisor alone; it ends the others in order
                preexec_fn=dies_with_its_parent(self.orphan_signal),
                **run_as(self.account),
            )


def run_as(account: Account | None) -> dict[str, Any]:
    """Arguments of Popen. The extra groups are given up too."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def dies_with_its_parent(orphan_signal: signal.Signals) -> Callable[[], None]:
    """A preexec_fn: the kernel signals the child when the thread that started it ends, kill -9 included."""
    parent = os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(orphan_signal))
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask_the_kernel


class Child:
    """One program and its present process; none while it waits to be started again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.delay = FIRST_DELAY
        self.due = 0.0
        self.launch()

    def launch(self) -> None:
        self.started = time.monotonic()
        self.process: subprocess.Popen[bytes] | None = self.program.start()

    def look_after(self, say: Callable[[str], None]) -> None:
        try:
            if self.process is None and time.monotonic() >= self.due:
                self.launch()
            if self.process is not None and (status := self.process.poll()) is not None:
                self.launch_later(f"exit status {status}" if status >= 0 else f"{signal.strsignal(-status)}", say)
        except OSError as error:  # no memory or no processes to be had
            self.launch_later(str(error), say)

    def launch_later(self, why: str, say: Callable[[str], None]) -> None:
        if time.monotonic() - self.started > SOUND_AFTER:
            self.delay = FIRST_DELAY
        say(f"{self.program.name} ended ({why}); starting it again in {self.delay:g} s")
        self.process, self.due = None, time.monotonic() + self.delay
        self.delay = min(2 * self.delay, LONGEST_DELAY)


class Supervisor(AbstractContextManager["Supervisor"]):
    """Use as a context; leaving it ends everything, what was started last first."""

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self.say = say
        self.waves: list[list[Child]] = []

    def start(self, *programs: Program) -> None:
        """Programs started in one call end together."""
        self.waves.append([])
        for program in programs:
            self.waves[-1].append(Child(program))

    def tick(self) -> None:
        for wave in self.waves:
            for child in wave:
                child.look_after(self.say)
        time.sleep(POLL)

    def until(self, ready: Callable[[], bool], seconds: float, *, every: float = POLL) -> bool:
        """Looks after everything until `ready` or the time is over; tells which."""
        deadline = time.monotonic() + seconds
        while not (done := ready()) and (now := time.monotonic()) < deadline:
            while time.monotonic() < now + every:
                self.tick()
        return done

    def stop(self) -> None:
        for wave in reversed(self.waves):
            running = [(child.program, child.process) for child in wave if child.process is not None]
            for program, process in running:
                process.send_signal(program.stop_signal)
            deadline = time.monotonic() + STOP_PATIENCE
            for program, process in running:
                try:
                    process.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self.say(f"{program.name} does not end; killing it")
                    process.kill()
                    process.wait()
        self.waves.clear()

    def __exit__(self, *_: object) -> None:
        self.stop()
