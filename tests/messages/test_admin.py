"""The operators look messages up by person, for a report, and change nothing."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from messages.models import InstantMessage
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
LIST = "/admin/inbox/instantmessage/"


@pytest.fixture
def staff(db):
    console = Client()
    console.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    return console


def found(console, search):
    answer = console.get(LIST, {"q": search})
    assert answer.status_code == 200
    return {row.content["text"] for row in answer.context["cl"].result_list}


def test_messages_are_found_by_sender_and_recipient_and_not_shown_unasked(staff, talk):
    third = factories.person()
    talk.write("一")
    talk.write("二", toUserId=third.pk)
    assert found(staff, talk.me.pk) == {"一", "二"}
    assert found(staff, talk.her.pk) == {"一"}
    assert found(staff, third.pk) == {"二"}
    assert found(staff, "") == found(staff, "一") == found(staff, "9" * 30) == set()


def test_a_message_is_shown_whole_and_nobody_may_change_it(staff, talk):
    talk.write("字" * 100)
    message = InstantMessage.objects.get()
    assert f"{'字' * 60}…" in staff.get(LIST, {"q": talk.me.pk}).content.decode()
    page = staff.get(f"{LIST}{message.pk}/change/")
    assert page.status_code == 200
    assert "字" * 100 in page.content.decode()
    assert staff.post(f"{LIST}{message.pk}/change/", {"kind": "text"}).status_code == 403
    assert staff.get(f"{LIST}add/").status_code == 403
    assert staff.post(f"{LIST}{message.pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_need_the_right_to_see_them(talk):
    helper = User.objects.create_user("helper", "", "x", is_staff=True)
    console = Client()
    console.force_login(helper)
    assert console.get(LIST).status_code == 403
    helper.user_permissions.add(Permission.objects.get(codename="view_instantmessage"))
    assert console.get(LIST).status_code == 200
