"""`manage.py up` as a whole: real servers, a real web process, worker and beat."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.processes import ROLES, ROOT, Instance, processes_of, wait_until
from tests.site.test_embedded import own_directory

FIRST_START, LATER_START, RECOVERY = 60, 30, 20  # seconds
LONGER_THAN_HEALTH_REMEMBERS = 10  # seconds without a sign of life after which worker and beat count as dead


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with pytest.MonkeyPatch.context() as monkeypatch, own_directory(monkeypatch) as var:
        instance = Instance(var)
        instance.start()
        try:
            wait_until(instance.healthy, FIRST_START, "/health is 200")
            yield instance
        finally:
            if instance.supervisor.poll() is None:
                instance.end()


def manage(instance: Instance, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=instance.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )


def replaced(instance: Instance, role: str, former: int | None) -> bool:
    return instance.process(role) not in (None, former)


def test_every_process_says_its_role(instance: Instance) -> None:
    assert all(instance.process(role) for role in ROLES)


def test_it_says_where_to_look(instance: Instance) -> None:
    wait_until(lambda: "Ctrl-C stops everything" in instance.console(), 20, "the welcome")
    for place in ("/", "/playground", "/api/docs", "/admin/", "/health"):
        assert f"http://127.0.0.1:{instance.port}{place}" in instance.console()
    assert f"{instance.var}/outbox/" in instance.console()


def test_other_commands_reach_the_running_instance(instance: Instance) -> None:
    done = manage(instance, "migrate", "--check")
    assert done.returncode == 0, done.stderr


def test_a_second_one_on_the_same_directory_is_refused(instance: Instance) -> None:
    done = manage(instance, "up")
    assert done.returncode == 1
    assert f"already running on {instance.var}" in done.stderr
    assert instance.healthy()


def test_a_taken_port_is_refused_and_nothing_stays(instance: Instance, tmp_path: Path) -> None:
    other = Instance(tmp_path)
    other.port = instance.port
    done = manage(other, "up")
    assert done.returncode == 1
    assert f"Port {instance.port} is taken" in done.stderr
    assert processes_of(tmp_path) == {}


def test_whatever_is_killed_comes_back_and_nothing_else_needs_a_restart(instance: Instance) -> None:
    for role in ROLES:
        before = {each: instance.process(each) for each in ROLES}
        instance.kill(role)
        wait_until(partial(replaced, instance, role, before[role]), RECOVERY, f"{role} runs again")
        wait_until(instance.healthy, RECOVERY, f"/health is 200 without the old {role}")
        assert {each for each in ROLES if instance.process(each) != before[each]} == {role}
    time.sleep(LONGER_THAN_HEALTH_REMEMBERS)
    assert instance.healthy(), "jobs are still begun and done"


def test_however_it_ends_it_leaves_nothing_and_starts_again(instance: Instance) -> None:
    """The last test of this file: it ends the instance that the others look at."""
    instance.end(signal.SIGKILL)
    instance.start()  # at once: the database is still shutting down
    wait_until(instance.healthy, LATER_START, "/health is 200 after kill -9")
    assert instance.end(signal.SIGTERM) == 0
    assert processes_of(instance.var) == {}
    assert not (instance.var / "run" / "addresses.json").exists()

    instance.start()
    wait_until(partial(instance.process, "web"), LATER_START, "the web process runs")
    instance.end(signal.SIGKILL)
    wait_until(lambda: not processes_of(instance.var), 10, "everything is gone after kill -9")

    instance.start()
    wait_until(partial(instance.process, "postgres"), LATER_START, "the database runs")
    assert instance.end(signal.SIGINT) == 0, "Ctrl-C while it starts"
    assert processes_of(instance.var) == {}
