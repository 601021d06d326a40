"""How PostgreSQL reads people where there are many, left to its own judgement (D40)."""

import pytest
from django.test import override_settings

from tests.bench import growing, people

pytestmark = pytest.mark.django_db
MANY = 20_000


@pytest.fixture(scope="module")
def crowd(django_db_setup, django_db_blocker):
    """One for all tests of this module, and gone after them."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        people.add_people(0, MANY)
        people.block_some()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def names(crowd):
    return people.some_names()


CALLS = list(people.calls(MANY, ["王小明"]))


@pytest.mark.parametrize("name", CALLS)
@override_settings(ALLOWED_HOSTS=["*"])
def test_no_list_and_no_search_reads_everybody(names, name):
    call = people.in_turns(people.calls(MANY, names)[name])
    scans = growing.scans(growing.asked(call(1)), people.TABLES)
    assert scans
    assert not [scan for scan in scans if scan.startswith("Seq")], scans
