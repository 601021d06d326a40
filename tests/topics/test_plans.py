"""How PostgreSQL reads posts where there are many, left to its own judgement (D40)."""

import re

import pytest
from django.test import override_settings

from tests import factories, voices
from tests.bench import voices as bench
from tests.bench.lists import asked

pytestmark = pytest.mark.django_db
MANY = 20_000


@pytest.fixture(scope="module")
def crowd(django_db_setup, django_db_blocker):
    """One for all tests of this module, and gone after them."""
    from django.db import connection, transaction

    with django_db_blocker.unblock(), transaction.atomic():
        caller, topic = factories.person(), voices.topic()
        bench.add_people(caller.pk)
        bench.fill(topic.pk, 0, MANY)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(bench.TABLES)}")
        yield bench.calls(factories.token(caller), topic.pk)
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", list(bench.calls("", 0)))
@override_settings(ALLOWED_HOSTS=["*"])
def test_no_list_reads_all_posts(crowd, name):
    from django.db import connection

    scans = []
    with connection.cursor() as cursor:
        for statement in asked(crowd[name](1)):
            if statement.lstrip().startswith(("SELECT", "WITH")):
                cursor.execute(f"EXPLAIN {statement}".replace("%", "%%"), [])
                plan = "\n".join(line for (line,) in cursor.fetchall())
                scans += re.findall(r"(?:Seq Scan|\w+ Scan(?: Backward)? using \w+) on (?:topics|users)_\w+", plan)
    assert scans
    large = ("topics_subject", "topics_standing", "users_user")
    assert [scan for scan in scans if scan in [f"Seq Scan on {table}" for table in large]] == []
