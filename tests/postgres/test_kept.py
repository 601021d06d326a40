"""What is kept in the process: how long, and until somebody changes it."""

import time
from collections.abc import Callable

import pytest
from django.db import transaction

from heihei_site.postgres.kept import Kept, kept_for


class Reader:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self) -> int:
        self.asked += 1
        asked = self.asked
        self.meanwhile()
        return asked


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_it_is_read_once_in_its_time_and_again_after(clock, settings):
    kept = Kept(Reader())
    assert (kept(), kept()) == (1, 1)
    clock[0] += settings.KEPT_SECONDS - 0.01
    assert kept() == 1
    clock[0] += 0.02
    assert kept() == 2


def test_a_result_may_say_that_it_is_right_for_less(clock):
    kept = kept_for(lambda value: 0.5 * value)(Reader())
    assert (kept(), kept()) == (1, 1)
    clock[0] += 0.51
    assert kept() == 2
    clock[0] += 0.51
    assert kept() == 2


def test_a_result_is_never_kept_for_longer_than_the_others(clock, settings):
    kept = kept_for(lambda _: 1e9)(Reader())
    kept()
    clock[0] += settings.KEPT_SECONDS + 0.01
    assert kept() == 2


def test_what_failed_is_not_kept():
    reader = Reader()
    kept = Kept(reader)

    def fail() -> None:
        raise ZeroDivisionError

    reader.meanwhile = fail
    with pytest.raises(ZeroDivisionError):
        kept()
    reader.meanwhile = lambda: None
    assert kept() == 2


def test_what_was_changed_while_it_was_read_is_read_again():
    """The reader may have seen the rows as they were before."""
    reader = Reader()
    kept = Kept(reader)
    reader.meanwhile = kept.forget
    assert kept() == 1
    reader.meanwhile = lambda: None
    assert (kept(), kept()) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_a_change_counts_from_its_commit_on():
    kept = Kept(Reader())
    kept()
    with transaction.atomic():
        kept.changed()
        assert kept() == 1
    assert kept() == 2


@pytest.mark.django_db(transaction=True)
def test_a_change_that_was_taken_back_is_none():
    kept = Kept(Reader())
    kept()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        kept.changed()
        raise ZeroDivisionError
    assert kept() == 1
