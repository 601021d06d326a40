"""Who guesses passwords at the console's door finds it shut (OWASP API2), and a form from elsewhere does nothing."""

import pytest
from django.test import Client
from redis.exceptions import ConnectionError

from heihei_site.api import throttles
from heihei_site.system import lockout
from tests import factories
from tests.processes import wait_until
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def chef() -> User:
    return User.objects.create_superuser("chef", "chef@example.com", "geheim")


def tries(name: str, password: str, address: str = "10.0.0.1") -> Client:
    browser = Client(REMOTE_ADDR=address)
    browser.last = browser.post("/admin/login/", {"username": name, "password": password})  # type: ignore[attr-defined]
    return browser


def is_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def test_after_five_wrong_passwords_the_right_one_is_refused_too():
    for number in range(5):
        assert not is_in(tries("chef", f"wrong {number}", f"10.0.0.{number}"))
    shut = tries("Chef", "geheim", "10.0.0.99")
    assert not is_in(shut)
    assert lockout.SHUT in shut.last.content.decode()


def test_what_was_typed_as_a_name_is_in_no_log(caplog):
    """It may be a password in the wrong field."""
    for _ in range(6):
        tries("geheimnis", "x")
    assert "console_login_failed" in caplog.text and "console_login_shut" in caplog.text
    assert "geheimnis" not in caplog.text


def test_four_wrong_ones_are_forgiven_and_others_are_not_kept_out():
    User.objects.create_superuser("other", "other@example.com", "geheim2")
    for number in range(4):
        tries("chef", f"wrong {number}")
    assert is_in(tries("chef", "geheim"))
    tries("chef", "wrong again")
    assert not is_in(tries("chef", "geheim"))
    assert is_in(tries("other", "geheim2"))


def test_from_an_address_that_tried_many_names_nobody_comes_in():
    for number in range(50):
        tries(f"name{number}", "geheim")
    assert not is_in(tries("chef", "geheim"))
    assert is_in(tries("chef", "geheim", "10.0.0.2"))


def test_it_opens_again_after_a_quarter_of_an_hour(settings):
    settings.CONSOLE_FAILURES_A_NAME = "5/1 second"
    for number in range(5):
        tries("chef", f"wrong {number}")
    wait_until(lambda: is_in(tries("chef", "geheim")), 10, "the door is open again")


def test_without_redis_people_can_work(monkeypatch):
    class Away:
        def test(self, *_: object) -> bool:
            raise ConnectionError

        hit = test

    monkeypatch.setattr(throttles, "_limiter", Away)
    assert not is_in(tries("chef", "wrong"))
    assert is_in(tries("chef", "geheim"))


def test_a_form_from_elsewhere_does_nothing(chef):
    """CSRF: the cookie of the console is not enough."""
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/admin/login/", {"username": "chef", "password": "geheim"}).status_code == 403
    browser.force_login(chef)
    victim = factories.person()
    answer = browser.post(f"/admin/users/user/{victim.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 403
    assert User.objects.filter(pk=victim.pk).exists()


def test_headers_keep_the_console_out_of_frames_and_its_cookies_from_scripts():
    browser = Client()
    page = browser.get("/admin/login/")
    assert page["X-Frame-Options"] == "DENY"
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"
    inside = tries("chef", "geheim").cookies["sessionid"]
    assert inside["httponly"] and inside["samesite"] == "Lax"
