"""PostgreSQL and Valkey for the whole test run, started before Django reads its settings.

Loaded with `-p tests.servers`: pytest-django reads the settings while the first conftest is loaded, so a
fixture or `pytest_configure` would come too late. Workers of pytest-xdist inherit the addresses.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from heihei_site import embedded
from heihei_site.supervisor import Supervisor


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        start(stack)
    return (yield)


def start(stack: ExitStack) -> None:
    var = Path(tempfile.mkdtemp(prefix="heihei-test-"))
    stack.callback(shutil.rmtree, var, ignore_errors=True)
    var.chmod(0o755)  # the servers' own account has to enter it
    supervisor = stack.enter_context(Supervisor())
    stack.enter_context(embedded.alone(var))
    servers = embedded.prepare(var, durable=False)
    supervisor.start(*servers.programs)
    if not supervisor.until(servers.answering, seconds=60):
        logs = "\n".join(path.read_text() for path in (var / "log").iterdir())
        raise pytest.UsageError(f"PostgreSQL or Valkey does not start:\n{logs}")
    os.environ.update(
        HEIHEI_ENV="development",
        HEIHEI_VAR=str(var),
        DATABASE_URL=servers.addresses.database_url,
        REDIS_URL=servers.addresses.redis_url,
    )
