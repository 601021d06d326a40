"""A kept connection is asked for its health before every call; that must cost no round trip and miss no death."""

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def end_of(pid: int) -> None:
    other = psycopg2.connect(**connection.get_connection_params() | {"cursor_factory": None})
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()


def test_a_living_connection_is_healthy_and_is_not_asked():
    connection.ensure_connection()
    with CaptureQueriesContext(connection) as queries:
        assert connection.is_usable()
    assert len(queries) == 0


def test_one_that_the_server_has_ended_is_not():
    connection.ensure_connection()
    end_of(connection.connection.info.backend_pid)
    wait_until(lambda: not connection.is_usable(), 20, "the end of the connection")
    connection.close()
    assert not connection.is_usable()


def test_a_call_after_the_server_ended_its_connection_is_answered(api):
    user = factories.person()
    phone = api(user)
    assert settings.DATABASES["default"]["CONN_HEALTH_CHECKS"]
    assert phone.get("user/info")["errorcode"] == 0
    before = connection.connection.info.backend_pid
    end_of(before)
    wait_until(lambda: not connection.is_usable(), 20, "the end of the connection")
    connection.health_check_done = False  # Django asks once a request; the test client has it skip that
    assert phone.get("user/info")["errorcode"] == 0
    assert connection.connection.info.backend_pid != before
