"""How PostgreSQL reads lives where there are many, left to its own judgement (D40)."""

import pytest
from django.test import override_settings

from tests import factories
from tests.bench import growing, lists
from users.models import User

pytestmark = pytest.mark.django_db
MANY = 20_000


@pytest.fixture(scope="module")
def many_lives(django_db_setup, django_db_blocker):
    """One for all tests of this module, and gone after them."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        lists.add_lives(0, MANY)
        caller, newcomer = factories.person(), factories.person()
        lists.follow_and_block(caller.pk)
        yield caller.pk, newcomer.pk
        transaction.set_rollback(True)


CALLS = list(lists.calls("", "", MANY))


@pytest.mark.parametrize("name", CALLS)
@override_settings(ALLOWED_HOSTS=["*"])
def test_no_list_reads_all_lives_or_all_people(many_lives, name):
    tokens = [factories.token(User.objects.get(pk=pk)) for pk in many_lives]
    scans = lists.plans(growing.asked(lists.calls(*tokens, MANY)[name](1)))
    assert scans
    assert not [scan for scan in scans if scan.startswith("Seq")], scans


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("list-live-by-recommend", "recommended_lives"),
        ("list-live-by-recommend", "live_replays"),
        ("list-live-by-recommend, of who follows nobody", "lives_on_air"),
        ("list-live-by-recommend, the third page", "lives_on_air"),
        ("list-live-by-follow", "replays_of_owner"),
        ("list-live-by-follow", "one_open_live_an_owner"),
        ("list-live-by-user", "lives_of_owner"),
    ],
)
@override_settings(ALLOWED_HOSTS=["*"])
def test_each_part_of_a_list_is_read_from_its_index(many_lives, name, index):
    tokens = [factories.token(User.objects.get(pk=pk)) for pk in many_lives]
    scans = lists.plans(growing.asked(lists.calls(*tokens, MANY)[name](1)))
    assert [scan for scan in scans if index in scan], scans
