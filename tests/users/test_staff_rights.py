"""What somebody who may edit people in the console may not do by it: make themselves, or anybody, staff."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from live.models import Live
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
GIVEN = {"username": "mallory", "email": "m@example.com", "is_staff": "on", "is_superuser": "on"}


@pytest.fixture
def chef():
    return User.objects.create_superuser("chef", "chef@example.com", "geheim")


@pytest.fixture
def helper():
    user = User.objects.create_user("helper", "", "x", is_staff=True)
    rights = Permission.objects.filter(codename__in=["view_user", "change_user", "add_user"])
    user.user_permissions.add(*rights.filter(content_type__app_label="users"))
    return user


def signed_in(user):
    console = Client()
    console.force_login(user)
    return console


def save(console, user, **said):
    """The person's page, sent as the browser would, and more than it shows."""
    known = {
        "display_name": user.display_name,
        "gender": user.gender,
        "birthday": user.birthday.isoformat() if user.birthday else "",
        "description": user.description,
        "kind": user.kind,
    }
    return console.post(f"/admin/users/user/{user.pk}/change/", known | said).status_code


def change_password(console, user):
    said = {"password1": "neuesWort77", "password2": "neuesWort77", "usable_password": "true"}
    return console.post(f"/admin/users/user/{user.pk}/password/", said).status_code


def test_a_helper_edits_people_and_makes_nobody_staff(helper):
    user = factories.person("阿嘿")
    assert save(signed_in(helper), user, description="新", **GIVEN) == 302
    user.refresh_from_db()
    assert user.description == "新"
    assert (user.username, user.email, user.is_staff, user.is_superuser) == (None, "", False, False)


def test_a_helper_edits_no_staff_not_even_themselves(helper, chef):
    console = signed_in(helper)
    for user in (helper, chef):
        assert console.get(f"/admin/users/user/{user.pk}/change/").status_code == 200  # to look at
        assert save(console, user, is_superuser="on") == 403
        assert change_password(console, user) == 403
    helper.refresh_from_db()
    chef.refresh_from_db()
    assert not helper.is_superuser
    assert chef.check_password("geheim")


def test_a_helper_adds_nobody(helper):
    console = signed_in(helper)
    assert console.get("/admin/users/user/add/").status_code == 403
    said = {"username": "mallory", "password1": "neuesWort77", "password2": "neuesWort77", "is_staff": "on"}
    assert console.post("/admin/users/user/add/", said).status_code == 403
    assert not User.objects.filter(username="mallory").exists()


def test_a_superuser_does_all_that(chef, helper):
    console, user = signed_in(chef), factories.person("阿嘿")
    assert save(console, user, **GIVEN) == 302
    user.refresh_from_db()
    assert (user.username, user.is_staff, user.is_superuser) == ("mallory", True, True)
    assert change_password(console, helper) == 302
    helper.refresh_from_db()
    assert helper.check_password("neuesWort77")
    said = {"username": "new", "password1": "neuesWort77", "password2": "neuesWort77", "is_staff": "on"}
    assert console.post("/admin/users/user/add/", said | {"usable_password": "true"}).status_code == 302
    assert User.objects.get(username="new").is_staff


def test_who_is_made_a_minor_in_the_console_broadcasts_no_longer(helper):
    """D19: operators set right what somebody said of their age, while they are on air."""
    live, other = factories.live(), factories.live()
    console = signed_in(helper)
    assert save(console, live.owner, birthday="1999-01-01") == 302
    live.refresh_from_db()
    assert live.status == Live.Status.PLAYING
    assert save(console, live.owner, birthday="2015-05-05") == 302
    live.refresh_from_db()
    other.refresh_from_db()
    assert live.status not in Live.OPEN
    assert other.status == Live.Status.PLAYING
