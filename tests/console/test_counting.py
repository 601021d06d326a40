"""Hours and days of figures: counted while they run, made good when they were missed, the same however often."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from heihei_site.console import board, counting
from heihei_site.console.figure_models import Day, Hour
from heihei_site.console.figures import Figure, Unit

pytestmark = pytest.mark.django_db
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
NOW = datetime(2026, 11, 20, 4, 30, tzinfo=UTC)  # half past twelve at noon, in Shanghai
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


class Happenings:
    """What happened, and a figure that counts it."""

    def __init__(self, name: str, **options: object) -> None:
        self.moments: list[datetime] = []
        self.figure = Figure(name, 1, name, Unit.TIMES, "", self.count, **options)

    def count(self, since: datetime, until: datetime) -> int:
        return sum(since <= moment < until for moment in self.moments)

    def hours(self) -> dict[datetime, int]:
        return dict(Hour.objects.filter(figure=self.figure.name).exclude(value=0).values_list("hour", "value"))

    def days(self) -> dict[date, int]:
        return dict(Day.objects.filter(figure=self.figure.name).exclude(value=0).values_list("day", "value"))


@pytest.fixture
def figures(monkeypatch):
    """Only those that the test makes."""
    made: dict[str, Figure] = {}
    monkeypatch.setattr(board, "_figures", made)

    def make(name: str = "deeds", **options: object) -> Happenings:
        happenings = Happenings(name, **options)
        made[name] = happenings.figure
        return happenings

    return make


def count_all(now: datetime) -> None:
    """Until nothing is left to make good."""
    while counting.count(now):
        pass


def rows() -> set[tuple[object, ...]]:
    return {*Hour.objects.values_list("figure", "hour", "value", "settled"), *Day.objects.values_list("day", "value")}


def test_the_running_hour_grows_as_it_runs(figures):
    deeds = figures()
    deeds.moments = [NOON]
    counting.count(NOW)
    assert deeds.hours() == {NOON: 1}
    deeds.moments.append(NOW)
    counting.count(NOW + MINUTE)
    assert deeds.hours() == {NOON: 2}
    assert deeds.days() == {date(2026, 11, 20): 2}


def test_hours_that_nobody_counted_are_made_good_the_newest_first(figures, monkeypatch):
    deeds = figures()
    deeds.moments = [NOON - many * HOUR for many in range(1, 48)]
    monkeypatch.setattr(counting, "MISSED_A_RUN", 10)
    assert counting.count(NOW) == 10
    assert set(deeds.hours()) == {NOON - many * HOUR for many in range(1, 11)}
    count_all(NOW)
    assert set(deeds.hours()) == set(deeds.moments)
    assert deeds.days() == {date(2026, 11, 20): 12, date(2026, 11, 19): 24, date(2026, 11, 18): 11}
    assert counting.count(NOW) == 0, "nothing is left"


def test_a_run_that_has_taken_its_time_leaves_the_rest_to_the_next(figures, monkeypatch):
    deeds = figures()
    deeds.moments = [NOON - HOUR, NOON]
    with monkeypatch.context() as patched:
        patched.setattr(counting, "TURN_SECONDS", -1.0)
        assert counting.count(NOW) == 0
        assert deeds.hours() == {NOON: 1}, "the running hour is counted all the same"
    counting.count(NOW)
    assert deeds.hours() == {NOON: 1, NOON - HOUR: 1}


def test_counted_twice_it_is_the_same(figures):
    deeds = figures()
    deeds.moments = [NOON - many * HOUR for many in range(5)]
    count_all(NOW)
    before = rows()
    count_all(NOW)
    counting.count_days(NOW)
    assert rows() == before


def test_what_was_committed_just_after_the_end_of_an_hour_is_in_it(figures):
    deeds = figures()
    counting.count(NOON + MINUTE)
    deeds.moments = [NOON - timedelta(seconds=1)]  # by somebody who was slow
    counting.count(NOON + counting.LATE)
    assert deeds.hours() == {NOON - HOUR: 1}


def test_what_is_settled_stays_as_it_is(figures):
    deeds = figures()
    deeds.moments = [NOON - HOUR]
    count_all(NOW)
    deeds.moments.clear()
    count_all(NOW)
    assert deeds.hours() == {NOON - HOUR: 1}


def test_what_moves_on_keeps_the_most_that_was_seen(figures):
    people = figures(lasting=False)
    people.moments = [NOON, NOON + MINUTE]
    counting.count(NOW)
    counting.count_days(NOW)
    people.moments = [NOON + HOUR]  # both came again, one of them a minute later
    counting.count(NOW + HOUR)
    counting.count_days(NOW + HOUR)
    assert people.hours() == {NOON: 2, NOON + HOUR: 1}
    assert people.days() == {date(2026, 11, 20): 2}, "a day of people is no sum of its hours"


def test_of_what_moves_on_a_missed_hour_stays_unknown(figures):
    people = figures(lasting=False)
    count_all(NOW)
    assert list(Hour.objects.values_list("hour", flat=True)) == [NOON]
    assert people.hours() == {}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "UTC"])
def test_a_day_ends_in_shanghai_wherever_the_server_is(figures, settings, zone):
    settings.TIME_ZONE = zone
    deeds, people = figures("deeds"), figures("people", lasting=False)
    midnight = datetime(2026, 11, 19, 16, tzinfo=UTC)
    deeds.moments = people.moments = [midnight - timedelta(seconds=1), midnight]
    count_all(NOW)
    counting.count_days(NOW)
    assert deeds.days() == {date(2026, 11, 19): 1, date(2026, 11, 20): 1}
    assert people.days() == {date(2026, 11, 20): 1}
    counting.count_days(midnight + 10 * MINUTE)
    assert people.days() == deeds.days(), "a day is counted once more just after its end"


def test_a_figure_that_takes_too_long_holds_up_no_other(figures, monkeypatch):
    monkeypatch.setattr(counting, "PATIENCE", 600)
    slow, quick = figures("slow"), figures("quick")

    def sleep(since: datetime, until: datetime) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        return 1

    board._figures["slow"] = Figure("slow", 0, "slow", Unit.TIMES, "", sleep)
    quick.moments = [NOON]
    monkeypatch.setattr(counting, "MISSED_A_RUN", 2)
    counting.count(NOW)
    assert slow.hours() == {}
    assert quick.hours() == {NOON: 1}


def test_hours_go_after_forty_days_and_their_days_stay_whole(figures):
    deeds = figures()
    deeds.moments = [NOON - many * HOUR for many in range(24 * 38)]
    count_all(NOW)
    before = deeds.days()
    later = NOW + 35 * DAY
    assert counting.forget(later) > 0
    count_all(later)
    assert min(deeds.hours()) >= later - timedelta(days=40)
    assert deeds.days() == before
