"""How PostgreSQL reads posts where there are many, left to its own judgement (D40)."""

import pytest
from django.test import override_settings

from tests import factories, voices
from tests.bench import growing
from tests.bench import voices as bench

pytestmark = pytest.mark.django_db
MANY = 20_000


@pytest.fixture(scope="module")
def crowd(django_db_setup, django_db_blocker):
    """One for all tests of this module, and gone after them."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        caller, topic = factories.person(), voices.topic()
        bench.add_people(caller.pk)
        growing.add_people(bench.FIRST_PERSON + bench.PEOPLE, 0, MANY)  # of a small table the whole is a good plan
        bench.fill(topic.pk, 0, MANY)
        growing.execute(f"ANALYZE {', '.join(bench.TABLES)}")
        yield bench.calls(factories.token(caller), topic.pk)
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", list(bench.calls("", 0)))
@override_settings(ALLOWED_HOSTS=["*"])
def test_no_list_reads_all_posts(crowd, name):
    scans = growing.scans(growing.asked(crowd[name](1)), bench.TABLES)
    assert scans
    large = ("topics_subject", "topics_standing", "users_user")
    assert [scan for scan in scans if scan in [f"Seq Scan on {table}" for table in large]] == []


@pytest.mark.parametrize(
    ("name", "index"), [("topic-detail, new", "newest_posts"), ("subject-detail", "newest_replies")]
)
@override_settings(ALLOWED_HOSTS=["*"])
def test_a_topic_that_went_quiet_is_not_looked_for_among_newer_posts(crowd, name, index):
    """Nearly all posts are its own, and so PostgreSQL might think that nearly all of the newest are."""
    bench.fill(voices.topic().pk, MANY, MANY + MANY // 20)
    growing.execute(f"ANALYZE {', '.join(bench.TABLES)}")
    scans = growing.scans(growing.asked(crowd[name](1)), ["topics_subject"])
    assert f"Index Scan using {index} on topics_subject" in scans
    assert not [scan for scan in scans if "Backward" in scan or "Seq" in scan]
