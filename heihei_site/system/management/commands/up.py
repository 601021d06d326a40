"""Everything on one machine, for development: PostgreSQL, Valkey, web, worker, beat and media server, supervised."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heihei_site import embedded, nginx_rtmp
from heihei_site.supervisor import Program, Supervisor, dies_with_its_parent

SERVERS_PATIENCE = 60.0  # seconds; recovering a large database takes some
HEALTH_PATIENCE = 60.0
PORT_PATIENCE = 2.0  # seconds a web process that was just killed may keep the port
MIGRATE_AND_SEED = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", interactive=False, verbosity=0)
call_command("seed")
"""
WELCOME = """
heihei is ready.
  Status page    {base}/
  Playground     {base}/playground    (a person a tab: rooms, talk, gifts, calls)
  API reference  {base}/api/docs
  Back office    {base}/admin/    (an account: manage.py createsuperuser)
  Health         {base}/health
  What would have been sent (SMS codes too): {var}/outbox/
  Logs of the servers: {var}/log/
Ctrl-C stops everything."""


SOUND = "Sound: rtmp://127.0.0.1:{rtmp}, http://127.0.0.1:{http}/hls"


class Command(BaseCommand):
    help = "Run everything on this machine until Ctrl-C. State is kept under HEIHEI_VAR."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError("`up` is for development; in production run web, worker and beat as services")
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, leave)
        try:
            self.run()
        except (embedded.Unavailable, OSError) as error:
            raise CommandError(str(error)) from error

    def run(self) -> None:
        var = settings.VAR_DIR
        with embedded.alone(var), ExitStack() as stack, Supervisor(self.say) as supervisor:
            require_free_port(settings.PORT)
            servers = embedded.prepare(var, say=self.say)
            media = nginx_rtmp.prepare(var, say=self.say)
            supervisor.start(*servers.programs)
            if not supervisor.until(servers.answering, SERVERS_PATIENCE):
                raise CommandError(f"PostgreSQL or Valkey does not answer; see {var / 'log'}")
            stack.callback(embedded.withdraw, var)
            addresses = replace(servers.addresses, media=media.place if media else None, port=settings.PORT)
            embedded.announce(var, addresses)
            environment = environment_for(addresses)
            self.say("Preparing the database")
            prepare_database(environment)
            supervisor.start(*our_programs(environment))
            if media:
                media.release()
                supervisor.start(media.program)
            if supervisor.until(healthy, HEALTH_PATIENCE, every=0.5):
                self.say(WELCOME.format(base=f"http://127.0.0.1:{settings.PORT}", var=var))
                if media:
                    self.say(SOUND.format(rtmp=media.place.rtmp_port, http=media.place.http_port))
            else:
                self.say(f"Not healthy after {HEALTH_PATIENCE:g} s; /health says what is missing. Still trying.")
            while True:
                supervisor.tick()

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def leave(signum: int, frame: object) -> None:
    """The first signal starts an orderly end; more of them do not disturb it."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(0)


def require_free_port(port: int) -> None:
    deadline = time.monotonic() + PORT_PATIENCE
    while is_taken(port):
        if time.monotonic() > deadline:
            raise CommandError(f"Port {port} is taken; choose another: PORT=8001 make run")
        time.sleep(0.1)


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def environment_for(found: embedded.Addresses) -> dict[str, str]:
    return {
        **os.environ,
        "HEIHEI_ENV": "development",
        "HEIHEI_VAR": str(settings.VAR_DIR),
        "PORT": str(settings.PORT),
        "DATABASE_URL": found.database_url,
        "REDIS_URL": found.redis_url,
        **(media_environment(found.media) if found.media else {}),
    }


def media_environment(place: embedded.MediaPlace) -> dict[str, str]:
    return {"RTMP_PORT": str(place.rtmp_port), "MEDIA_PORT": str(place.http_port), "MEDIA_FILES": place.files}


def prepare_database(environment: Mapping[str, str]) -> None:
    """In a process of its own: our settings were read before the database had an address."""
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE_AND_SEED],
        env=environment,
        cwd=settings.BASE_DIR,
        preexec_fn=dies_with_its_parent(signal.SIGKILL),
    )
    if done.returncode:
        raise CommandError("The database could not be prepared; what stands above says why")


def our_programs(environment: Mapping[str, str]) -> list[Program]:
    python = partial(Program, env=environment, cwd=settings.BASE_DIR)
    not_as_root = "ignore::UserWarning:celery.platforms"  # advice for production
    celery = [sys.executable, "-W", not_as_root, "-m", "celery", "-A", "heihei_site", "--quiet"]
    quiet = ["--loglevel", "warning"]
    schedule = ["--schedule", str(settings.VAR_DIR / "run" / "beat"), "--pidfile="]
    return [
        web(environment, settings.PORT),
        python(name="worker", command=[*celery, "worker", "-P", "threads", "-c", "8", *quiet]),
        python(name="beat", command=[*celery, "beat", *schedule, *quiet]),
    ]


def web(environment: Mapping[str, str], port: int) -> Program:
    uvicorn = [sys.executable, "-m", "uvicorn", "heihei_site.asgi:application", "--log-level", "warning"]
    address = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    # The 1.1 app needs idle connections to live 5 minutes (D9); longer frames end the connection (D10).
    limits = ["--timeout-keep-alive", "310", "--ws-max-size", "65536", "--timeout-graceful-shutdown", "3"]
    # No proxy stands in front: who claims to come through one is not believed.
    protocols = [
        "--http",
        "heihei_site.api.server:Http",
        "--ws",
        "heihei_site.realtime.server:Socket",
        "--ws-per-message-deflate",
        "false",
        "--no-proxy-headers",
    ]
    return Program(
        name="web", command=[*uvicorn, *address, *limits, *protocols], env=environment, cwd=settings.BASE_DIR
    )


def healthy() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", settings.PORT, timeout=3)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
