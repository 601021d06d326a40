"""An installation as it is shipped: two web processes, two workers and one beat, each by the command of its unit and in
the environment of production, behind the shipped nginx. Whatever dies is started again, as systemd would."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heihei_site import embedded
from heihei_site.supervisor import Program, Supervisor
from tests.processes import ROOT, answers, free_port, processes_of, wait_until
from tests.scale.shipped import commands_of, front, production, require_nginx
from tests.venue import Venue

WEB, WORKERS = 2, ("1", "2")
DRAIN = 2.0  # seconds
READY = 90
RECOVERY = 90  # seconds; on an idle machine some four


class Deployment:
    """`instance` of a `Venue`: what the people of a test need to know of where they are."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.nginx = require_nginx()
        self.port, self._inner = free_port(), free_port()
        self.web_ports = [free_port() for _ in range(WEB)]
        self._supervisor = Supervisor(lambda text: None)
        self._stop = threading.Event()
        self._came_up = threading.Event()
        self._thread = threading.Thread(target=self._look_after, daemon=True)

    # --- What a venue asks ------------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        found = embedded.addresses(self.var)
        assert found, "nothing runs here"
        return production(
            DATABASE_URL=found.database_url,
            REDIS_URL=found.redis_url,
            HEIHEI_VAR=str(self.var),
            STATIC_ROOT=str(self.var / "static"),
            PRIVATE_FILES=str(self.var / "private"),
            MEDIA_FILES=str(self.var / "media"),
            PUBLIC_URL=f"http://127.0.0.1:{self.port}",
            SOCKET_DRAIN=str(DRAIN),
        )

    def healthy(self) -> bool:
        return answers(self.port, "/health")

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted((self.var / "log").iterdir()))

    # --- Its processes ----------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()
        assert self._came_up.wait(READY), self.log()[-3000:]
        wait_until(self.healthy, READY, "/health through nginx is 200")

    def end(self) -> None:
        self._stop.set()
        self._thread.join(60)

    def process(self, word: str) -> int | None:
        """By a word of its command line."""
        found = [pid for pid, command in processes_of(self.var).items() if word in command]
        return found[0] if found else None

    def web(self, number: int) -> int | None:
        return self.process(f"--port {self.web_ports[number]} ")

    def worker(self, name: str) -> int | None:
        return self.process(f"worker -n {name}@")

    def beat(self) -> int | None:
        return self.process("--quiet beat")

    def _look_after(self) -> None:
        """In one thread for as long as they may live: they end with it."""
        with embedded.alone(self.var), self._supervisor:
            servers = embedded.prepare(self.var, durable=False, say=lambda text: None)
            self._supervisor.start(*servers.programs)
            if not self._supervisor.until(servers.answering, READY):
                return
            embedded.announce(self.var, servers.addresses)
            environment = self.environment()
            for command in commands_of("heihei-migrate.service"):
                self._run_once(command, environment)
            self._supervisor.start(*self._ours(environment))
            self._supervisor.start(self._front())
            self._came_up.set()
            while not self._stop.is_set():
                self._supervisor.tick()

    def _run_once(self, command: list[str], environment: dict[str, str]) -> None:
        with (self.var / "log" / "migrate").open("ab") as log:
            subprocess.run(here(command), cwd=ROOT, env=environment, stdout=log, stderr=log, check=True)

    def _ours(self, environment: dict[str, str]) -> Iterator[Program]:
        [web], [worker], [beat] = map(
            commands_of, ("heihei-web@.service", "heihei-worker@.service", "heihei-beat.service")
        )
        commands = {f"web-{port}": for_instance(web, str(port)) for port in self.web_ports}
        commands |= {f"worker-{name}": for_instance(worker, name) for name in WORKERS}
        commands["beat"] = [word.replace("/var/lib/heihei", str(self.var)) for word in beat]
        for name, command in commands.items():
            yield Program(name=name, command=here(command), env=environment, cwd=ROOT, log=self.var / "log" / name)

    def _front(self) -> Program:
        place = self.var / "nginx"
        place.mkdir()
        place.chmod(0o777)  # its workers are nobody, where we are root
        servers = "".join(f"server 127.0.0.1:{port} max_fails=1 fail_timeout=1s; " for port in self.web_ports)
        upstream = f"upstream web {{ least_conn; {servers} keepalive 64; }}"
        written = front(place, upstream=upstream, port=self.port, inner_port=self._inner, media=str(self.var / "media"))
        command = [self.nginx.binary, "-e", str(place / "start.log"), "-c", str(written), "-g", "daemon off;"]
        return Program(name="nginx", command=command, env=embedded.SERVER_ENV, log=self.var / "log" / "nginx")


def for_instance(command: list[str], name: str) -> list[str]:
    return [word.replace("%i", name).replace("%H", "here") for word in command]


def here(command: list[str]) -> list[str]:
    """With the interpreter that runs the tests, in the place of that of the installation."""
    return [sys.executable, *command[1:]]


@contextmanager
def deployed() -> Iterator[tuple[Deployment, Venue]]:
    with tempfile.TemporaryDirectory(prefix="heihei-scale-", ignore_cleanup_errors=True) as place:
        var = Path(place)
        var.chmod(0o755)  # the servers' own account has to enter it
        deployment = Deployment(var)
        deployment.start()
        venue = Venue(deployment)  # type: ignore[arg-type]
        try:
            yield deployment, venue
        finally:
            venue.close()
            deployment.end()


def kill(pid: int | None, signum: int) -> None:
    assert pid, "there is none to kill"
    os.kill(pid, signum)
