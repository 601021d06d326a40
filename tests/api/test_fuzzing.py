"""Schemathesis on the declared API: whatever it sends to whomever, the answer is one a phone can read."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import response_schema_conformance

from heihei_site.api.callbacks import Callbacks
from tests import factories
from users.models import User

Role = Callable[[], dict[str, Any]]

load_all_checks()


def declared(**generation: object) -> schemathesis.BaseSchema:
    """At the boundaries bodies are JSON, which has types, and forms, which have none: those in parts are read as the
    other forms are, and there are thousands of cases."""
    at_boundaries = generation["boundaries"]
    phases = {"coverage": {"enabled": generation.pop("boundaries"), "unexpected-methods": []}}
    config = SchemathesisConfig.from_dict({"generation": {"deterministic": True, **generation}, "phases": phases})
    schema = schemathesis.openapi.from_wsgi("/api/schema?format=json", get_wsgi_application(), config=config)
    for operations in schema.raw_schema["paths"].values() if at_boundaries else ():
        operations["post"].get("requestBody", {}).get("content", {}).pop("multipart/form-data", None)
    return schema


random = declared(boundaries=False)
random_and_at_the_boundaries = declared(boundaries=True)
bounded = settings(deadline=None, max_examples=6, derandomize=True, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.django_db
GATEWAYS = {f"/api/{callback.path}" for callback in Callbacks.registry}


def nobody() -> dict[str, Any]:
    return {}


def stranger() -> dict[str, Any]:
    """Signed in, outside a room that exists."""
    live = factories.live()
    return known(factories.person(gold=1000), live.pk, live.owner_id)


def viewer() -> dict[str, Any]:
    live, person = factories.live(), factories.person(gold=1000)
    factories.inside(live, person)
    return known(person, live.pk, live.owner_id)


def owner() -> dict[str, Any]:
    live = factories.live()
    return known(live.owner, live.pk, factories.person().pk)


def known(person: User, live_id: int, other: int) -> dict[str, Any]:
    """Parameters that are right, whatever the others are."""
    return {
        "token": factories.token(person),
        "liveId": live_id,
        "roomId": live_id,
        "userId": other,
        "targetId": other,
        "uid": other,
        "giftId": 101,
        "ap": "heihei",
    }


@pytest.fixture(autouse=True)
def connection_stays_open() -> Iterator[None]:
    """As Django's own test client does: the test's transaction would go with the connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


class Stage:
    """The people of one operation, met once: what a case does is undone before the next one, and so are its counts
    against limits."""

    def __init__(self) -> None:
        self.redis = redis.Redis.from_url(django_settings.REDIS_URL)
        self.facts: dict[str, Any] | None = None

    def check(self, case: schemathesis.Case, role: Role) -> None:
        if self.facts is None:
            self.facts = role()
        self.redis.flushall()
        with transaction.atomic():
            check(case, self.facts)
            transaction.set_rollback(True)


@pytest.fixture
def stage(gifts: None, told: list[Any]) -> Stage:
    return Stage()


@random_and_at_the_boundaries.include(method="POST").parametrize()
@bounded
def test_every_answer_to_a_stranger_can_be_read(case: schemathesis.Case, stage: Stage) -> None:
    stage.check(case, stranger)


@pytest.mark.parametrize("role", [nobody, owner])
@random.include(method="POST").parametrize()
@bounded
def test_every_answer_can_be_read(case: schemathesis.Case, role: Role, stage: Stage) -> None:
    stage.check(case, role)


@random.include(method="GET").parametrize()
@bounded
def test_every_answer_to_a_get_can_be_read(case: schemathesis.Case, stage: Stage) -> None:
    stage.check(case, viewer)


def check(case: schemathesis.Case, facts: dict[str, Any]) -> None:
    for place in (case.query, case.body):
        if isinstance(place, dict):
            place.update({name: value for name, value in facts.items() if name in place or name == "token"})
    response = case.call()
    if case.operation.path in GATEWAYS:  # they have formats of their own, and try again what we failed at
        assert response.status_code < 500
        return
    assert response.status_code == 200
    answer = response.json()
    assert type(answer["errorcode"]) is int
    assert answer["errorcode"] != -1, answer
    assert type(answer["errormsg"]) is str
    assert answer["errormsg"]
    case.validate_response(response, checks=[response_schema_conformance])
