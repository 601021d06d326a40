"""Queries compiled once give what the ORM gives, in every thread, and with today's values."""

from threading import Thread

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from heihei_site.api.paging import Page
from heihei_site.postgres.compiled import Compiled, Given
from live.lists import recommended
from live.models import Live
from tests import factories
from users.models import Block, User
from users.selectors import relation

pytestmark = pytest.mark.django_db


@Compiled
def lives(number: Given) -> QuerySet[Live]:
    return Live.objects.select_related("owner").with_overdue().filter(pk=number)


@Compiled
def named(names: Given, before: Given) -> QuerySet[User]:
    return User.objects.filter(display_name__any_of=names, date_joined__lte=before).order_by("-pk")


def test_rows_related_rows_and_annotations_are_those_of_the_orm():
    live = factories.live(title="%s")
    (found,) = lives(live.pk)
    known = Live.objects.select_related("owner").with_overdue().get(pk=live.pk)
    for ours, theirs in ((found, known), (found.owner, known.owner)):
        assert {name: value for name, value in vars(ours).items() if name != "_state"} == {
            name: value for name, value in vars(theirs).items() if name != "_state"
        }
        assert not ours._state.adding
    assert found.overdue is False


def test_reading_a_related_row_asks_nothing_more():
    live = factories.live()
    with CaptureQueriesContext(connection) as queries:
        assert lives(live.pk)[0].owner.pk == live.owner_id
    assert len(queries) == 1


def test_every_run_takes_the_values_of_its_own():
    first, second = factories.live(), factories.live()
    assert [lives(number) for number in (first.pk, second.pk, 1)] == [[first], [second], []]


def test_a_list_a_moment_and_a_page():
    people = [factories.person(f"n{number}") for number in range(5)]
    User.objects.filter(pk=people[0].pk).update(date_joined="2100-01-01T00:00Z")
    wanted = ["n0", "n1", "n2", "n3"]
    assert named(wanted, "2090-01-01") == [people[3], people[2], people[1]]
    assert named(wanted, "2090-01-01", start=1, stop=2) == [people[2]]
    assert named([], "2090-01-01") == []


@pytest.mark.django_db(transaction=True)
def test_every_thread_has_a_connection_and_a_compilation_of_its_own():
    live = factories.live()
    found: list[Live] = []

    def look() -> None:
        found.extend(lives(live.pk))
        connection.close()

    threads = [Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [live] * 3


def test_who_blocks_or_is_blocked_is_in_no_list():
    viewer = factories.person()
    mine, theirs, other = factories.live(), factories.live(), factories.live()
    Block.objects.create(user=viewer, target=mine.owner)
    Block.objects.create(user=theirs.owner, target=viewer)
    Live.objects.update(started_at=Now())
    found = recommended(viewer.pk, Page(0, 10))
    assert (found.on_air, found.replays) == ([other], [])


def test_how_two_people_stand_to_each_other():
    one, other = factories.person(), factories.person()
    assert (relation(one.pk, other.pk).blocked, relation(one.pk, other.pk).follows) == (False, False)
    one.following.create(followee=other)
    other.blocks.create(target=one)
    found = relation(one.pk, other.pk)
    assert (found.follows, found.blocks, found.is_blocked, found.blocked) == (True, False, True, True)
    assert relation(other.pk, one.pk).blocks
