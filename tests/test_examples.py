"""The examples of the reference are what endpoints really answer; `heihei_site/api/examples.json` keeps one of each.

A new endpoint takes its example from its scenario in `tests/scenarios`. After a change that is meant:

    UPDATE_EXAMPLES=1 pytest tests/test_examples.py
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from heihei_site.api import examples
from heihei_site.api.endpoints import Endpoints
from tests.answers import ok
from tests.scenarios import answer_to, scenarios

UPDATING = bool(os.environ.get("UPDATE_EXAMPLES"))
SECRETS = re.compile(r"\b[0-9a-f]{64}\b")
CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "contract" / "endpoints.json").read_text())
DEPARTURES: dict[str, Any] = json.loads((Path(__file__).parent / "contract" / "departures.json").read_text())
DOCUMENTED = {"int": {"int"}, "bool": {"bool"}, "string": {"str", "int"}, "null": {"str", "int"}}
# Keys that an ordinary call does not bring, and where they are.
ELSEWHERE = {
    ("/api/user/info", "result.attribute.push_enable"): "one's own card",
    ("/api/user/info", "result.modifyText"): "one's own card",
    ("/api/payment/create-order", "data"): "text for Alipay and Apple; the example is WeChat's (B49)",
}


def presentable(value: Any) -> Any:
    """As a reader needs it: one row of a list, two of many addresses, nobody's token."""
    if isinstance(value, dict):
        kept = list(value.items())[: 2 if is_address_book(value) else None]
        return {key: presentable(item) for key, item in kept}
    if isinstance(value, list):
        return [presentable(item) for item in value[:1]]
    if isinstance(value, str):
        value = SECRETS.sub("0123abc…", value).replace("http://testserver", "https://api.example.com")
        return re.sub(r"^p\d+$", "小黑", value.replace("ws://testserver", "wss://api.example.com"))
    return value


def is_address_book(value: dict[str, Any]) -> bool:
    return len(value) > 1 and all(re.match(r"(http|ws)s?://", str(item)) for item in value.values())


def shape(value: Any) -> Any:
    """Keys and types."""
    if isinstance(value, dict):
        if is_address_book(value) or all(key.isdigit() for key in value):
            return {"<any>": shape(next(iter(value.values()), ""))}
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__


@pytest.fixture(scope="module")
def recorded() -> Iterator[dict[str, Any]]:
    """Keeps what still has the right shape, so that recording changes no more than has changed."""
    known: dict[str, Any] = json.loads(examples.FILE.read_text())
    yield known
    if UPDATING:
        kept = {path: known[path] for path in sorted(known) if path in scenarios}
        examples.FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


@pytest.mark.django_db
@pytest.mark.usefixtures("jobs_elsewhere")
@pytest.mark.parametrize("path", sorted(scenarios))
def test_the_example_of_an_endpoint_is_what_it_answers(api, gifts, told, recorded, path):
    user, params = scenarios[path]()
    answer = ok(answer_to(api(user), path, params))
    sent = {name: presentable(getattr(value, "name", value)) for name, value in params.items()}  # of a file its name
    now = {"params": {"token": "0123abc…"} | sent if user else sent, "answer": presentable(answer)}
    if UPDATING and shape(recorded.get(path)) != shape(now):
        recorded[path] = now
    assert shape(recorded.get(path)) == shape(now)


def test_no_example_is_left_over_from_an_endpoint_that_is_gone():
    assert set(json.loads(examples.FILE.read_text())) <= {endpoint.path for endpoint in Endpoints.registry}


def answers() -> Iterator[tuple[str, str, str]]:
    for path, endpoint in CONTRACT.items():
        if path.removeprefix("/api/") in scenarios:
            left_out = DEPARTURES["endpoints"].get(path, {}).get("answer", {})
            for key, kind in endpoint["answer"].items():
                if key not in left_out and (path, key) not in ELSEWHERE:
                    yield path, key, kind


@pytest.mark.parametrize(("path", "key", "kind"), answers())
def test_an_answer_has_every_documented_key_in_its_type(path, key, kind):
    example = examples.example_of(path.removeprefix("/api/"))
    assert example, "not recorded"
    values: list[Any] = [example.answer]
    for step in key.split("."):
        if step == "<id>":
            values = [item for value in values for item in value.values()]
            continue
        values = [value[step.removesuffix("[]")] for value in values]
        values = [item for value in values for item in value] if step.endswith("[]") else values
    assert {type(value).__name__ for value in values} <= DOCUMENTED.get(kind, {"dict", "list"})


def test_the_reference_shows_a_call_its_answer_and_a_refusal():
    schema = Client().get("/api/schema?format=json").json()
    operation = schema["paths"]["/api/live/join-live"]["post"]
    body = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]
    sent = next(iter(body["examples"].values()))["value"]
    assert set(sent) == {"token", "liveId"}
    shown = [
        each["value"] for each in operation["responses"]["200"]["content"]["application/json"]["examples"].values()
    ]
    assert [answer["errorcode"] for answer in shown] == [0, 737]
    assert shown[0]["live"]["liveId"]
    [asked] = [each for each in schema["paths"]["/api/live/join-live"]["get"]["parameters"] if each["name"] == "liveId"]
    assert asked["example"] == sent["liveId"]
