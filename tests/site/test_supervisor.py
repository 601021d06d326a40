"""The supervisor with small programs of its own; `manage.py up` as a whole is in test_up.py."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from heihei_site import supervisor as supervision
from heihei_site.supervisor import Program, Supervisor
from tests.processes import ROOT, processes_of, wait_until


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    with Supervisor(said.append) as supervisor:
        yield supervisor


def shell(script: str, *, name: str = "program", log: Path | None = None) -> Program:
    return Program(name=name, command=["/bin/sh", "-c", script], env={"PATH": os.defpath}, log=log)


def pid_of(supervisor: Supervisor) -> int | None:
    process = supervisor.waves[0][0].process
    return process.pid if process else None


def test_what_is_killed_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(shell("sleep 60"))
    first = pid_of(supervisor)
    assert first
    os.kill(first, signal.SIGKILL)
    assert supervisor.until(lambda: pid_of(supervisor) not in (None, first), seconds=2)
    assert said == ["program ended (Killed); starting it again in 0.2 s"]


def test_what_dies_at_once_is_started_less_and_less_often(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(shell("exit 3"))
    supervisor.until(lambda: len(said) == 4, seconds=4)
    assert [line.removeprefix("program ended (exit status 3); starting it again in ") for line in said] == [
        "0.2 s",
        "0.4 s",
        "0.8 s",
        "1.6 s",
    ]


def test_after_running_well_for_a_while_an_early_death_is_forgotten(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "SOUND_AFTER", 0.1)
    supervisor.start(shell("sleep 0.2"))
    supervisor.until(lambda: len(said) == 3, seconds=4)
    assert {line[-5:] for line in said} == {"0.2 s"}


def test_the_longest_delay_is_five_seconds(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(shell("exit 1"))
    supervisor.waves[0][0].delay = 4.0
    supervisor.until(lambda: bool(said), seconds=2)
    assert supervisor.waves[0][0].delay == 5.0


def test_what_was_started_last_ends_first(supervisor: Supervisor, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "trap 'echo {0} ended; exit' TERM; echo {0} runs; while :; do sleep 0.02; done"
    supervisor.start(shell(script.format("database"), log=log))
    supervisor.start(shell(script.format("web"), log=log))
    supervisor.until(lambda: log.read_text().count("runs") == 2, seconds=2)
    supervisor.stop()
    assert log.read_text().splitlines()[2:] == ["web ended", "database ended"]


def test_what_does_not_end_when_asked_is_killed(
    supervisor: Supervisor, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "STOP_PATIENCE", 0.3)
    log = tmp_path / "log"
    supervisor.start(shell("trap '' TERM; echo deaf; while :; do sleep 0.02; done", log=log))
    supervisor.until(lambda: "deaf" in log.read_text(), seconds=2)
    process = supervisor.waves[0][0].process
    assert process
    supervisor.stop()
    assert process.returncode == -signal.SIGKILL
    assert said == ["program does not end; killing it"]


def test_kill_9_of_the_supervisor_leaves_nothing(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from heihei_site.supervisor import Program, Supervisor
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
with Supervisor() as supervisor:
    for name in ("one", "two"):
        supervisor.start(Program(name=name, command=[sys.executable, "-c", deaf, sys.argv[1] + "/"], env={}))
    while True:
        supervisor.tick()
"""
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT)
    wait_until(lambda: len(processes_of(tmp_path)) == 2, 20, "both children run")
    parent.kill()
    parent.wait()
    wait_until(lambda: not processes_of(tmp_path), 20, "both children are gone")


def test_a_program_that_cannot_be_started_at_all_is_an_error_and_the_others_end(said: list[str]) -> None:
    with pytest.raises(FileNotFoundError), Supervisor(said.append) as supervisor:
        supervisor.start(shell("sleep 60"), Program(name="lost", command=["/nowhere/lost"], env={}))
    assert supervisor.waves == []


def test_a_program_that_cannot_be_started_again_is_tried_later(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.symlink_to("/bin/false")
    supervisor.start(Program(name="program", command=[program], env={}))
    program.unlink()
    assert supervisor.until(lambda: "No such file" in said[-1] if said else False, seconds=2)
    program.symlink_to("/bin/true")
    assert supervisor.until(lambda: "exit status 0" in said[-1], seconds=3)


def test_looking_after_gives_up_when_the_time_is_over(supervisor: Supervisor) -> None:
    started = time.monotonic()
    assert not supervisor.until(lambda: False, seconds=0.2)
    assert time.monotonic() - started < 5
