"""Calls of the API pass what they need and no more; pages pass everything."""

import orjson
import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_call_gets_no_cookie_and_needs_none():
    answer = Client(enforce_csrf_checks=True).post("/api/init", {"ap": "heihei"})
    assert orjson.loads(answer.content)["errorcode"] == 0
    assert not answer.cookies


def test_a_cookie_of_the_console_means_nothing_to_a_call(admin_client):
    answer = admin_client.get("/api/user/info")
    assert orjson.loads(answer.content)["errorcode"] == 720


def test_the_console_keeps_its_protections(admin_client):
    page = admin_client.get("/admin/")
    assert (page.status_code, page["X-Frame-Options"]) == (200, "DENY")
    careful = Client(enforce_csrf_checks=True)
    assert careful.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 403


def test_the_address_of_a_log_line_is_the_peers(capsys, caplog):
    Client().get("/api/init", {"ap": "heihei"}, headers={"x-forwarded-for": "6.6.6.6"}, REMOTE_ADDR="10.1.2.3")
    assert "10.1.2.3" in caplog.text
    assert "6.6.6.6" not in caplog.text


def noted(caplog) -> str:
    """The line about the one request."""
    [line] = [record.getMessage() for record in caplog.records if "request_finished" in record.getMessage()]
    return line


def test_nobody_chooses_the_id_under_which_we_log(caplog):
    """Two calls could share one, or a search for it find what a stranger wrote."""
    Client().get("/api/init", {"ap": "heihei"}, headers={"x-request-id": "11111111-1111-4111-8111-111111111111"})
    line = noted(caplog)
    assert "'request_id': '11111111" not in line
    assert "'client_request_id': '11111111-1111-4111-8111-111111111111'" in line


@pytest.mark.parametrize("theirs", ["a b", "a\tb", "x" * 65, "{}", "名", '"', "\x1b[31m"])
def test_what_is_no_plain_id_is_not_noted(caplog, theirs):
    Client().get("/api/init", {"ap": "heihei"}, headers={"x-request-id": theirs})
    assert "client_request_id" not in noted(caplog)
