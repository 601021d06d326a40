"""Where people are signed in: what operators see of it, and what ends by itself."""

import html
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db.models import F
from django.test import Client
from django.utils import timezone

from tests import factories
from tests.answers import ok, refused
from users.models import Device, Session, User
from users.services import devices
from users.tasks import forget_sessions

pytestmark = pytest.mark.django_db


@pytest.fixture
def console(db):
    client = Client()
    client.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    return client


@pytest.fixture
def signed_in(api, code_for, settings):
    """A phone that has just signed in, and says what it is as phones do."""
    settings.SMS_RESEND_SECONDS = 0
    settings.SINGLE_DEVICE_SIGN_IN = False

    def sign_in(number="13912345678", address="127.4.5.6", **headers):
        phone = api(**headers)
        phone.client.defaults["REMOTE_ADDR"] = address
        phone.token = ok(phone.post("user/sign-in-cl-by-phone", phoneNo=number, verifyCode=code_for(number)))["token"]
        return phone

    return sign_in


def listed(console, **query):
    answer = console.get("/admin/users/session/", query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list], html.unescape(answer.content.decode())


def act(console, model, action, *rows):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    assert console.post(f"/admin/users/{model}/", chosen, follow=True).status_code == 200


SHIPPED = {"version": "1.1.2", "deveiceType": "android", "model": "Huawei:P9", "uuid": "861234567890123"}


class TestTheList:
    def test_says_what_and_where_from(self, console, signed_in):
        signed_in(**SHIPPED)
        row = Session.objects.get()
        _, text = listed(console)
        for word in ("Huawei:P9 android", "1.1.2", "127.4.5.6"):
            assert word in text
        assert row.uuid == "861234567890123"
        page = console.get(f"/admin/users/session/{row.pk}/change/")
        assert page.status_code == 200
        assert bytes(row.digest).hex() not in page.content.decode()

    def test_of_one_person_is_a_click_from_their_page(self, console, signed_in):
        signed_in(), signed_in()
        user = User.objects.get(phone="13912345678")
        signed_in("13912345679")
        page = console.get(f"/admin/users/user/{user.pk}/change/").content.decode()
        link = f"/admin/users/session/?user__id__exact={user.pk}"
        assert link in page and "2 处" in page
        assert len(listed(console, user__id__exact=user.pk)[0]) == 2
        for term in (user.pk, user.phone):
            assert len(listed(console, q=term)[0]) == 2
        assert listed(console, q="nobody")[0] == []

    def test_shows_when_and_from_where_it_was_last_used(self, signed_in):
        phone = signed_in()
        hour_ago = timezone.now() - timedelta(hours=2)
        Session.objects.update(active_at=hour_ago, expires_at=F("expires_at") - timedelta(hours=2))
        phone.client.defaults["REMOTE_ADDR"] = "127.7.7.7"
        ok(phone.get("user/info"))
        row = Session.objects.get()
        assert row.active_at > hour_ago + timedelta(hours=1)
        assert row.address == "127.7.7.7"

    def test_takes_what_a_phone_says_of_itself_as_words(self, signed_in):
        """Raw UTF-8 as the shipped app sends it, too much of it, and what is no character."""
        phone = signed_in(model="华为".encode().decode("latin-1") + "x" * 500, uuid="\x1b[2J\x01u", version="new")
        row = Session.objects.get()
        assert row.model == "华为" + "x" * 62
        assert (row.uuid, row.client_version) == ("[2Ju", "")
        ok(phone.get("user/info"))

    def test_a_person_without_any_header_is_listed_too(self, console, signed_in):
        signed_in()
        assert "—" in listed(console)[1]


class TestEndingIt:
    def test_one(self, console, signed_in):
        one, other = signed_in(), signed_in()
        act(console, "session", "end", Session.objects.earliest("pk"))
        refused(one.get("user/info"), 720, "token无效")
        ok(other.get("user/info"))

    def test_everywhere(self, console, signed_in):
        mine = [signed_in(), signed_in()]
        other = signed_in("13912345679")
        act(console, "user", "sign_out_everywhere", User.objects.get(phone="13912345678"))
        for phone in mine:
            refused(phone.get("user/info"), 720, "token无效")
        ok(other.get("user/info"))

    def test_is_not_for_who_may_only_look(self, signed_in):
        phone = signed_in()
        helper = User.objects.create_user("helper", "", "x", is_staff=True)
        rights = Permission.objects.filter(codename__in=["view_user", "view_session"], content_type__app_label="users")
        helper.user_permissions.add(*rights)
        console = Client()
        console.force_login(helper)
        act(console, "session", "end", Session.objects.get())
        act(console, "user", "sign_out_everywhere", User.objects.get(phone="13912345678"))
        ok(phone.get("user/info"))

    def test_neither_adds_nor_deletes_behind_the_sockets_back(self, console, signed_in):
        signed_in()
        row = Session.objects.get()
        assert console.get("/admin/users/session/add/").status_code == 403
        assert console.post(f"/admin/users/session/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        act(console, "session", "delete_selected", row)
        assert Session.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_sockets_of_an_ended_sign_in_are_closed(console, told, signed_in):
    signed_in(), signed_in()
    first, second = Session.objects.order_by("pk")
    act(console, "session", "end", first)
    act(console, "user", "sign_out_everywhere", first.user)
    assert told == [{"do": "end", "sessions": [first.pk]}, {"do": "end", "sessions": [second.pk]}]


@pytest.mark.django_db(transaction=True)
def test_expired_sign_ins_are_forgotten_with_their_devices_and_sockets(told, signed_in):
    old, new = signed_in(), signed_in()
    for number, phone in enumerate((old, new)):
        ok(phone.post("user/push-device-info", apnsType="getui", apnsToken=f"c{number}"))
    first = Session.objects.earliest("pk")
    Session.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    told.clear()
    assert forget_sessions() == 1
    assert told == [{"do": "end", "sessions": [first.pk]}]
    assert list(Device.objects.values_list("push_token", flat=True)) == ["c1"]
    ok(new.get("user/info"))
    assert forget_sessions() == 0


def test_more_expired_sign_ins_than_fit_into_one_transaction(monkeypatch):
    monkeypatch.setattr("users.auth.SESSIONS_AT_ONCE", 3)
    for _ in range(8):
        factories.token(factories.person())
    living = factories.person()
    factories.token(living)
    Session.objects.exclude(user=living).update(expires_at=timezone.now())
    assert forget_sessions() == 8
    assert Session.objects.get().user == living


class TestPushesToADevice:
    def register(self, phone, token):
        ok(phone.post("user/push-device-info", apnsType="getui", apnsToken=token))

    def tokens(self):
        return sorted(Device.objects.values_list("push_token", flat=True))

    def test_stop_when_it_signs_out_and_go_on_to_the_others(self, signed_in):
        one, other = signed_in(), signed_in()
        self.register(one, "c1")
        self.register(other, "c2")
        ok(one.post("user/sign-out"))
        assert self.tokens() == ["c2"]

    def test_stop_when_another_device_takes_over(self, signed_in, settings):
        settings.SINGLE_DEVICE_SIGN_IN = True
        one = signed_in()
        self.register(one, "c1")
        other = signed_in()
        self.register(other, "c2")
        assert self.tokens() == ["c2"]

    def test_follow_the_device_to_its_next_sign_in(self, signed_in):
        one, other = signed_in(), signed_in("13912345679")
        self.register(one, "c1")
        self.register(other, "c1")
        ok(one.post("user/sign-out"))
        assert self.tokens() == ["c1"]
        ok(other.post("user/sign-out"))
        assert self.tokens() == []


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_that_has_just_ended_registers_no_device(signed_in, monkeypatch):
    phone = signed_in()
    register = devices.register_device

    def too_late(**said):
        Session.objects.all().delete()
        register(**said)

    monkeypatch.setattr(devices, "register_device", too_late)
    refused(phone.post("user/push-device-info", apnsType="getui", apnsToken="c1"), 720, "token无效")
    assert Device.objects.count() == 0
