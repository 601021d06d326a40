"""Operators recommend lives in the console (docs/adr/0010-ranking.md)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from live.models import Live
from tests import factories
from tests.answers import ok

pytestmark = pytest.mark.django_db
LIST = "/admin/live/live/"


@pytest.fixture
def staff(db):
    console = Client()
    console.force_login(factories.person(username="chef", is_staff=True, is_superuser=True))
    return console


def act(console, action, *lives, **answer):
    chosen = {"action": action, "_selected_action": [live.pk for live in lives], **answer}
    shown = console.post(LIST, chosen, follow=True)
    assert shown.status_code == 200
    return shown.content.decode()


def feed(api):
    answer = ok(api(factories.person()).get("live/list-live-by-recommend"))
    return [(card["liveId"], card["isrecomm"]) for card in answer["lives"]]


def test_asks_for_a_place_and_a_moment_first(staff):
    live = factories.live()
    page = act(staff, "recommend", live)
    assert "推荐顺序" in page and "推荐到" in page and str(live) in page
    assert not Live.objects.get().recommended


def test_puts_lives_first_and_takes_them_back(staff, api):
    other, one, two = factories.live(), factories.live(), factories.live()
    assert "已推荐 1 场直播" in act(staff, "recommend", one, answered="yes", place="2", until="")
    assert "已推荐 1 场直播" in act(staff, "recommend", two, answered="yes", place="1", until="2100-01-01T08:00")
    two.refresh_from_db()
    assert two.recommended_until.isoformat() == "2100-01-01T00:00:00+00:00"
    assert feed(api) == [(two.pk, 1), (one.pk, 1), (other.pk, 0)]
    assert "已取消 2 场直播的推荐" in act(staff, "stop_recommending", one, two, other)
    assert feed(api) == [(two.pk, 0), (one.pk, 0), (other.pk, 0)]


def test_without_a_place_after_those_that_have_one(staff, api):
    first, last = factories.live(), factories.live()
    act(staff, "recommend", last, answered="yes", place="", until="")
    act(staff, "recommend", first, answered="yes", place="9", until="")
    assert feed(api) == [(first.pk, 1), (last.pk, 1)]


@pytest.mark.parametrize("wrong", [{"until": "2026-01-01T08:00"}, {"until": "x"}, {"place": "-1"}, {"place": "99999"}])
def test_a_wrong_answer_is_asked_again(staff, wrong):
    act(staff, "recommend", factories.live(), answered="yes", **{"place": "", "until": ""} | wrong)
    assert not Live.objects.get().recommended


def test_what_is_over_is_left_as_it_is(staff):
    assert "已推荐 0 场直播" in act(staff, "recommend", factories.live(status=2), answered="yes", place="", until="")
    assert not Live.objects.get().recommended


def test_the_form_of_a_live_has_all_three(staff, api):
    live, other = factories.live(), factories.live()
    page = staff.get(f"{LIST}{live.pk}/change/")
    inlines = [inline.formset.prefix for inline in page.context["inline_admin_formsets"]]
    said = {f"{prefix}-{name}_FORMS": 0 for prefix in inlines for name in ("TOTAL", "INITIAL")}
    said |= {"title": "新", "visible": "on", "recommended": "on", "recommended_place": "3"}
    said |= {"recommended_until_0": "2100-01-01", "recommended_until_1": "08:00:00"}
    assert staff.post(f"{LIST}{live.pk}/change/", said).status_code == 302
    live.refresh_from_db()
    assert (live.recommended, live.recommended_place, live.recommended_until.year) == (True, 3, 2100)
    assert feed(api) == [(live.pk, 1), (other.pk, 0)]


def test_who_may_only_look_recommends_nothing():
    looker, live = factories.person(username="gast", is_staff=True), factories.live()
    looker.user_permissions.add(Permission.objects.get(codename="view_live"))
    console = Client()
    console.force_login(looker)
    act(console, "recommend", live, answered="yes", place="1", until="")
    assert not Live.objects.get().recommended


def test_a_live_that_was_recommended_and_is_not_any_more_keeps_no_star(api):
    Live.objects.filter(pk=factories.live().pk).update(
        recommended=True, recommended_until=timezone.now() - timedelta(minutes=1)
    )
    assert [star for _, star in feed(api)] == [0]
