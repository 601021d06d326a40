"""nginx with its RTMP module as a media server: finding it, and what it runs by (deploy/nginx-rtmp/nginx.conf).

For development and tests it is started beside everything else, on the usual ports if they are free; in production the
machine's own service manager runs it with what `manage.py media_server` prints.
"""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from heihei_site import embedded
from heihei_site.embedded import MediaPlace
from heihei_site.providers.streaming.media_server import control_secret, hook_secret
from heihei_site.supervisor import Account, Program

CONFIGURATION = Path(__file__).resolve().parent.parent / "deploy" / "nginx-rtmp" / "nginx.conf"
FOLDERS = ("hls", "recordings", "replays", "tmp")
PORTS_TRIED = 200
INSTALL = "No sound: there is no media server. On Debian: apt-get install nginx libnginx-mod-rtmp ffmpeg"
NO_FFMPEG = "Replays stay FLV, which browsers do not play: there is no ffmpeg"


@dataclass(frozen=True)
class Nginx:
    binary: str
    module: str  # the line that loads RTMP; empty where it is built in


def find() -> Nginx | None:
    """One that speaks RTMP."""
    binary = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if binary is None:
        return None
    built = subprocess.run([binary, "-V"], capture_output=True, text=True).stderr
    if re.search(r"--add-module=\S*rtmp", built):
        return Nginx(binary, "")
    folder = re.search(r"--modules-path=(\S+)", built)
    module = Path(folder[1] if folder else "/usr/lib/nginx/modules") / "ngx_rtmp_module.so"
    return Nginx(binary, f"load_module {module};") if module.exists() else None


def configuration(place: MediaPlace, *, module: str, address: str = "") -> str:
    """`address` is where it listens, with a colon at its end; empty: everywhere."""
    words = {
        "MODULE": module,
        "FILES": place.files,
        "RTMP_LISTEN": f"{address}{place.rtmp_port}",
        "HTTP_LISTEN": f"{address}{place.http_port}",
        "HUB": settings.RTMP_HUB,
        "HOOKS": settings.RTMP_HOOKS_URL.rstrip("/"),
        "HOOK_SECRET": hook_secret(),
        "CONTROL_SECRET": control_secret(),
    }
    return re.sub(r"@([A-Z_]+)@", lambda found: words.get(found[1], found[0]), CONFIGURATION.read_text())


# --- For development and tests ------------------------------------------------------------------------------


@dataclass
class Started:
    """What to start, and where it will listen. The ports are kept from others until `release`."""

    place: MediaPlace
    program: Program
    kept: list[socket.socket]

    def release(self) -> None:
        for each in self.kept:
            each.close()


def prepare(var: Path, *, say: Callable[[str], None] = print) -> Started | None:
    """None, and a word about it, where there is no such nginx, or where the environment names a media server."""
    if "RTMP_PUBLISH_HOST" in os.environ:
        return None
    nginx = find()
    if nginx is None:
        say(INSTALL)
        return None
    if shutil.which("ffmpeg") is None:
        say(NO_FFMPEG)
    account = embedded.account_of(var)
    files = embedded.home_of(var, account, say) / "media"
    for folder in (files, *(files / name for name in FOLDERS)):
        _make(folder, account)
    kept = _keep_ports(var)
    rtmp, http = (each.getsockname()[1] for each in kept)
    place = MediaPlace(rtmp, http, str(files))
    (var / "run" / "media-ports").write_text(json.dumps([rtmp, http]))
    written = files / "nginx.conf"
    embedded.write_private(written, configuration(place, module=nginx.module, address="127.0.0.1:"))
    if account:
        os.chown(written, account.uid, account.gid)
    # One process, so that none is left when it is killed: it would hold the ports.
    options = ["-e", "stderr", "-c", str(written), "-g", "daemon off; master_process off;"]
    program = Program(
        name="media server",
        command=[nginx.binary, *options],
        env=embedded.SERVER_ENV,
        log=var / "log" / "nginx.log",
        account=account,
    )
    return Started(place, program, kept)


def _make(folder: Path, account: Account | None) -> None:
    """Others may look into it: what is there is served to everybody who knows its name."""
    embedded.make_directory(folder)
    if account:
        os.chown(folder, account.uid, account.gid)


def _keep_ports(var: Path) -> list[socket.socket]:
    """Those of the last time, so that addresses of replays stay true; else the usual ones, or the next free."""
    wanted = [settings.RTMP_PORT, settings.MEDIA_PORT]
    with suppress(OSError, ValueError):
        wanted = json.loads((var / "run" / "media-ports").read_text())
    return [_keep_port(port) for port in wanted]


def _keep_port(first: int) -> socket.socket:
    for port in range(first, first + PORTS_TRIED):
        kept = socket.socket()
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if port != settings.PORT:
                kept.bind(("127.0.0.1", port))
                kept.listen()
                return kept
        except OSError:
            pass
        kept.close()
    raise embedded.Unavailable(f"No free port from {first} on for the media server")
