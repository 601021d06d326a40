"""`function.chat` of init: which apps offer to match strangers (D34)."""

from typing import Any

import pytest
from django.test import Client

from heihei_site.system import offers
from heihei_site.system.models import MatchingOff
from tests import factories
from tests.answers import ok
from users.models import User

pytestmark = pytest.mark.django_db


def switch_off(**which: Any) -> None:
    MatchingOff.objects.create(**which)
    offers.off.forget()


def offered(phone: Any, **said: Any) -> bool:
    return bool(ok(phone.get("init", ap="heihei", **said))["function"]["chat"])


IOS = {"deveiceType": "ios", "channel": "AppStore", "version": "2.0.1"}


def test_everybody_is_offered_it_until_somebody_switches_it_off(api):
    assert offered(api())
    assert offered(api(), **IOS)


def test_it_is_off_in_one_store_and_on_in_the_others(api):
    switch_off(channel="AppStore")
    assert not offered(api(), **IOS)
    assert not offered(api(), **IOS | {"channel": "appstore", "version": "9.9"})
    assert offered(api(), **IOS | {"channel": "huawei"})
    assert offered(api())


@pytest.mark.parametrize(
    ("version", "on"),
    [
        ("2.0", True),
        ("2.0.1", False),
        ("2.0.10", False),
        ("2.1", False),
        ("2.1.0", False),
        ("2.1.1", True),
        ("10", True),
    ],
)
def test_it_is_off_for_the_versions_that_a_store_looks_at(api, version, on):
    switch_off(channel="AppStore", first_version="2.0.1", last_version="2.1")
    assert offered(api(), **IOS | {"version": version}) is on


def test_it_is_off_from_a_version_on_or_up_to_one(api):
    switch_off(channel="a", first_version="2.0")
    switch_off(channel="b", last_version="2.0")
    assert [offered(api(), channel="a", version=code) for code in ("1.9", "2.0", "3")] == [True, False, False]
    assert [offered(api(), channel="b", version=code) for code in ("1.9", "2.0", "3")] == [False, False, True]


def test_it_is_off_on_one_system(api):
    switch_off(platform="ios")
    assert not offered(api(), **IOS)
    assert offered(api(), **IOS | {"deveiceType": "android"})
    assert offered(api())


def test_a_switch_without_anything_is_for_everybody(api):
    switch_off()
    assert not offered(api())
    assert not offered(api(), **IOS)
    MatchingOff.objects.update(active=False)
    offers.off.forget()
    assert offered(api(), **IOS)


def test_who_does_not_say_the_version_has_the_newest(api):
    """D1."""
    switch_off(channel="a", last_version="2.0")
    switch_off(channel="b", first_version="2.0")
    for version in ({}, {"version": "neu"}):
        assert offered(api(), channel="a", **version)
        assert not offered(api(), channel="b", **version)


def test_the_version_is_that_of_the_header_or_what_the_session_said_last(api):
    switch_off(first_version="2.0", last_version="2.0.9")
    phone = api(factories.person())
    assert not offered(phone, version="2.0.1")
    assert not offered(phone)
    assert offered(phone, version="2.1")
    assert offered(phone)
    assert not offered(api(version="2.0.2"), version="2.1")


def test_the_shipped_app_says_its_store_in_a_header_too(api):
    switch_off(platform="android", channel="huawei")
    assert not offered(api(version="1.1.2", deveiceType="android", channel="huawei"))
    assert offered(api(version="1.1.2", deveiceType="android", channel="xiaomi"))


def test_asking_again_asks_the_database_nothing(api, django_assert_num_queries):
    switch_off(channel="AppStore")
    offered(api())
    with django_assert_num_queries(0):
        assert not offered(api(), **IOS)


def test_operators_switch_it_off_in_the_console(api):
    console = Client()
    console.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    assert offered(api(), **IOS)
    said = {"platform": "ios", "channel": "AppStore", "first_version": "2.0", "last_version": "", "active": "on"}
    add = "/admin/system/matchingoff/add/"
    assert console.post(add, {**said, "first_version": "neu"}).status_code == 200
    assert not MatchingOff.objects.exists()
    answer = console.post(add, said)
    assert answer.status_code == 302, answer.context["errors"]
    offers.off.forget()
    assert not offered(api(), **IOS)
    assert "AppStore" in console.get("/admin/system/matchingoff/").content.decode()
