"""Who is measured side by side, each on the same core: our server, what others run, and the bare machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from heihei_site import embedded
from heihei_site.supervisor import Program
from tests.processes import ROOT, free_port, wait_until

NCHAN = [Path("/usr/lib/nginx/modules/ngx_nchan_module.so"), Path("/usr/lib64/nginx/modules/ngx_nchan_module.so")]
START_UP = 0.5  # seconds between taking connections and being at rest
NGINX = """
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  tcp_nodelay on;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  nchan_shared_memory_size 128M;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location ~ ^/room/([0-9]+)$ {{
      nchan_pubsub websocket;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
      nchan_message_buffer_length 64;
    }}
  }}
}}
"""


class Absent(Exception):
    """What a peer needs is not on this machine; the text says what."""


@dataclass(frozen=True)
class Place:
    """Where a server may listen and write."""

    port: int
    folder: Path
    environment: dict[str, str]


@dataclass(frozen=True)
class Peer:
    """`path` is of one member: %r the room, %m the member."""

    name: str
    command: Callable[[Place], list[str | Path]]
    path: str = "/room/%r"
    needs_bus: bool = False


@dataclass(frozen=True)
class Server:
    """One that runs. `pids` are all its processes, the bus included; `web` is the one with the sockets."""

    name: str
    port: int
    path: str
    pids: list[int]
    web: int


def place_in(folder: Path) -> Place:
    """A new place. The settings of this process come from it too: our server is started as `manage.py up` would."""
    folder.mkdir(mode=0o755)  # the bus runs under an account of its own
    port = free_port()
    os.environ.update(
        DJANGO_SETTINGS_MODULE="heihei_site.settings",
        HEIHEI_ENV="development",
        HEIHEI_VAR=str(folder),
        PORT=str(port),
        DATABASE_URL="postgres://nobody@/nothing?host=/nowhere",
    )
    os.environ.pop("REDIS_URL", None)
    return Place(port, folder, dict(os.environ))


def ours(place: Place) -> list[str | Path]:
    """As `manage.py up` runs the web process, but for the port, the application, and the database behind that."""
    from heihei_site.system.management.commands.up import our_programs

    web = next(program for program in our_programs(place.environment) if program.name == "web")
    words = list(web.command)
    words[words.index("heihei_site.asgi:application")] = "tests.bench.fanout.ours:application"
    words[words.index("--port") + 1] = str(place.port)
    return words


def plain_channels(place: Place) -> list[str | Path]:
    application = [sys.executable, "-m", "uvicorn", "tests.bench.fanout.plain:application"]
    return [*application, "--port", str(place.port), "--lifespan", "off", "--no-access-log", "--log-level", "warning"]


def nchan(place: Place) -> list[str | Path]:
    nginx = which("nginx", path=f"{os.defpath}:/usr/sbin:/sbin")
    module = next(filter(Path.exists, NCHAN), None)
    if nginx is None or module is None:
        raise Absent("nchan is not measured: this machine has no nginx with it (Debian: libnginx-mod-nchan).")
    config = place.folder / "nginx.conf"
    config.write_text(NGINX.format(module=module, port=place.port))
    return [nginx, "-p", place.folder, "-c", config]


def floor(place: Place) -> list[str | Path]:
    return [compiled("floor", place.folder), str(place.port)]


OURS = Peer("ours", ours, path="/ws/channel?token=%r.%m", needs_bus=True)
PEERS = [OURS, Peer("nchan", nchan), Peer("plain group_send", plain_channels, needs_bus=True), Peer("floor", floor)]


def compiled(name: str, folder: Path) -> Path:
    program, source = folder / name, Path(__file__).with_name(f"{name}.c")
    if which("gcc") is None:
        raise Absent("Not measured: the load generator needs gcc, which this machine does not have.")
    if not program.exists():
        subprocess.run(["gcc", "-O2", "-o", program, source], check=True)
    return program


@contextmanager
def running(peer: Peer, place: Place) -> Iterator[Server]:
    """A fresh server (and bus), ready for connections; ended on the way out."""
    with ExitStack() as stack:
        command = peer.command(place)
        environment = {**place.environment, "PYTHONDONTWRITEBYTECODE": ""}
        programs = []
        if peer.needs_bus:
            stack.enter_context(embedded.alone(place.folder))
            bus = embedded.prepare(place.folder)
            programs = [stack.enter_context(_process(program)) for program in bus.programs]
            wait_until(bus.answering, 20, "a bus")
            environment["REDIS_URL"] = bus.addresses.redis_url
        log = place.folder / "server.log"
        web = Program(name=peer.name, command=command, env=environment, cwd=ROOT, log=log)
        programs.append(process := stack.enter_context(_process(web)))
        wait_until(lambda: _answers(place.port) or process.poll() is not None, 60, f"{peer.name} on its port")
        if process.poll() is not None:
            raise SystemExit(f"{peer.name} ended:\n{log.read_text()[-3000:]}")
        time.sleep(START_UP)
        pids = [pid for program in programs for pid in _family(program.pid)]
        yield Server(peer.name, place.port, peer.path, pids, programs[-1].pid)


@contextmanager
def _process(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    process = program.start()
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _family(pid: int) -> list[int]:
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [each for child in children.read_text().split() for each in _family(int(child))]
    return found
