"""Looking at, waiting for and killing the processes of an instance that a test has started itself."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from heihei_site import embedded
from heihei_site.system.management.commands import up

ROOT = Path(__file__).resolve().parent.parent
ROLES = {
    "web": "uvicorn",
    "worker": "heihei_site --quiet worker",
    "beat": "heihei_site --quiet beat",
    "valkey": "valkey-server",
    "postgres": "bin/postgres -D",
}
MEDIA_SERVER = {"media server": "nginx -e stderr -c"}  # where it is installed


def wait_until(ready: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def processes_of(var: Path) -> dict[int, str]:
    """Command lines by process id: those that were started for `var`, and those that live in it."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            ours = f"HEIHEI_VAR={var}".encode() in (entry / "environ").read_bytes().split(b"\0")
            inside = os.readlink(entry / "cwd").startswith(f"{var}/")
        except OSError:
            continue
        if command and (ours or inside or f"{var}/" in command) and int(entry.name) != os.getpid():
            found[int(entry.name)] = command
    return found


class Instance:
    """`manage.py up` on a directory and a port of its own."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.port = free_port()

    def start(self) -> None:
        self.supervisor = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=self.environment(),
            stdout=(self.var / "console").open("ab"),
            stderr=subprocess.STDOUT,
        )

    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        said = {"HEIHEI_VAR": str(self.var), "PORT": str(self.port), "HEIHEI_ENV": "development"}
        always = {"HEIHEI_CRASH_POINTS": "1", "QUIET_HOURS": "0,0"}  # pushes do not wait for the morning
        return {**ours, **said, **always}

    def console(self) -> str:
        return (self.var / "console").read_text()

    def end(self, signum: signal.Signals = signal.SIGTERM) -> int:
        self.supervisor.send_signal(signum)
        return self.supervisor.wait(30)

    def healthy(self) -> bool:
        assert self.supervisor.poll() is None, self.console()
        return answers(self.port, "/health")

    def process(self, role: str) -> int | None:
        ours = f"--port {self.port} " if role == "web" else ""  # and not that of `another_web`
        word = (ROLES | MEDIA_SERVER)[role]
        found = [pid for pid, command in processes_of(self.var).items() if word in command and ours in command]
        return found[0] if found else None

    def kill(self, role: str, signum: signal.Signals = signal.SIGKILL) -> None:
        pid = self.process(role)
        assert pid, f"no {role} to kill"
        os.kill(pid, signum)

    @contextmanager
    def another_web(self, *options: str, **environment: str) -> Iterator["Web"]:
        """One more web process of the same instance, on a port of its own. Nobody restarts it."""
        found = embedded.addresses(self.var)
        assert found, "nothing runs here"
        places = {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
        port = free_port()
        program = up.web(self.environment() | places | environment, port)
        program = replace(program, command=[*program.command, *options], log=self.var / "console")
        web = Web(program.start(), port)
        try:
            wait_until(lambda: answers(port, "/health/live"), 20, "the other web process answers")
            yield web
        finally:
            web.end()


class Web:
    """A web process and the port it serves."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.port = port

    def end(self) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def memory_of(pid: int) -> int:
    """Bytes of RAM that the process has."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
