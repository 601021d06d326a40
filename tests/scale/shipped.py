"""What is shipped under `deploy/`, as a test needs it: the same text, with places of the test's own."""

import re
import secrets
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest

from heihei_site import nginx_rtmp
from heihei_site.nginx_rtmp import Nginx
from tests.processes import ROOT

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"

MAY_BE_EMPTY = {"SENTRY_DSN", "RELEASE", "GETUI_PROVIDER", "APNS_PROVIDER", "GCM_PROVIDER"}


def example() -> dict[str, str]:
    """`.env.example`, as a shell would read it."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@cache
def _secrets() -> dict[str, str]:
    return {name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "STREAM_KEY", "SHARE_KEY")}


def production(**others: str) -> dict[str, str]:
    """The environment of a production process: the example, with keys that open nothing where it has none."""
    keys = {name: "open-sesame" for name, value in example().items() if not value and name not in MAY_BE_EMPTY}
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin", "LC_ALL": "C.UTF-8"}
    return {**path, **example(), **keys, **_secrets(), **others}


def commands_of(unit: str) -> list[list[str]]:
    """The words of each ExecStart."""
    text = (UNITS / unit).read_text()
    return [shlex.split(line) for line in re.findall(r"^ExecStart=(.*)", text, re.M)]


def require_nginx() -> Nginx:
    found = nginx_rtmp.find()
    if found is None:
        pytest.skip(nginx_rtmp.INSTALL)
    return found


def front(
    place: Path, *, upstream: str, port: int = 80, inner_port: int = 8081, media: str = "/var/lib/heihei/media"
) -> Path:
    """The shipped nginx.conf in a directory of its own, listening on other ports, writing its logs there."""
    text = (DEPLOY / "nginx" / "nginx.conf").read_text()
    for shipped, ours in {
        "user www-data;\n": "",
        "worker_processes auto;": "worker_processes 1;",
        "worker_rlimit_nofile 65536;\n": "",
        "worker_connections 32768;": "worker_connections 512;",
        "pid /run/nginx.pid;": f"pid {place}/nginx.pid;",
        "/var/log/nginx/": f"{place}/",
        "listen 80 default_server;": f"listen 127.0.0.1:{port} default_server;",
        "listen 8081;": f"listen 127.0.0.1:{inner_port};",
        "/var/lib/heihei/media/": f"{media}/",
        "    server_tokens off;": "    server_tokens off;\n"
        + "".join(
            f"    {kind}_temp_path {place}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ),
    }.items():
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    (place / "upstream.conf").write_text(upstream)
    written = place / "nginx.conf"
    written.write_text(text)
    return written


def nginx_takes(configuration: Path) -> "subprocess.CompletedProcess[str]":
    nginx = require_nginx()
    command = [nginx.binary, "-e", "stderr", "-t", "-c", configuration]
    return subprocess.run(command, capture_output=True, text=True)
