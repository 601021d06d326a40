"""A web process on the test's own database, by whatever server."""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from tests.processes import ROOT, free_port, wait_until


@contextmanager
def serving(*server: str) -> Iterator[int]:
    """Runs `python -m <server> … --port N` and gives N."""
    port = free_port()
    tested = settings.DATABASES["default"]["NAME"]
    environment = {**os.environ, "DATABASE_URL": os.environ["DATABASE_URL"].replace("/heihei?", f"/{tested}?")}
    environment["PORT"] = str(port)  # of the addresses that it tells
    command = [sys.executable, "-m", *server, "heihei_site.asgi:application", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: status(port, "/health/live") == 200, 30, f"{server[0]} answers")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def status(port: int, path: str) -> int | None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", path)
        return line.getresponse().status
    except OSError:
        return None
    finally:
        line.close()
