"""What is implemented keeps the documented contract; `departures.json` names the exceptions, with reasons."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints, is_typeddict

import pytest
from django.test import Client
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator

from heihei_site.api import wire
from heihei_site.realtime import events

HERE = Path(__file__).parent
ENDPOINTS: dict[str, Any] = json.loads((HERE / "endpoints.json").read_text())
MESSAGES: dict[str, Any] = json.loads((HERE / "messages.json").read_text())
AWAITED: list[str] = json.loads((HERE / "awaited.json").read_text())
DEPARTURES: dict[str, Any] = json.loads((HERE / "departures.json").read_text())
REFUSAL = re.compile(r"^\* `(-?\d+)` (.*)$", re.MULTILINE)
SAME_TYPE = {
    "int": {"integer"},
    "bool": {"boolean"},
    "string": {"string", "integer"},
}  # counters are ints (D7)


def implemented() -> Iterator[str]:
    for path in ENDPOINTS:
        try:
            resolve(path)
        except Resolver404:
            continue
        if path.startswith("/api/"):
            yield path


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(request=None, public=True))


def departures(path: str, what: str) -> set[str]:
    return set(DEPARTURES["endpoints"].get(path, {}).get(what, {}))


@pytest.mark.parametrize("path", implemented())
def test_every_documented_parameter_is_accepted(schema: dict[str, Any], path: str) -> None:
    documented = set(ENDPOINTS[path]["params"])
    operations = schema["paths"][path]
    in_query = {parameter["name"] for parameter in operations["get"].get("parameters", [])}
    assert documented - in_query == departures(path, "params")
    for body in operations["post"].get("requestBody", {}).get("content", {}).values():
        in_body = set(resolved(schema, body["schema"]).get("properties", {}))
        assert documented - in_body == departures(path, "params")


@pytest.mark.parametrize("path", implemented())
def test_every_documented_refusal_is_declared_in_its_words(schema: dict[str, Any], path: str) -> None:
    declared: dict[str, set[str]] = {}
    for code, text in REFUSAL.findall(schema["paths"][path]["post"]["description"]):
        declared.setdefault(code, set()).add(text)
    documented = ENDPOINTS[path]["errors"]
    assert documented.keys() - declared.keys() == departures(path, "errors")
    chinese = {code: text.replace(" ", "") for code, text in documented.items() if not text.isascii()}
    other = {code for code, text in chinese.items() if code in declared and text not in declared[code]}
    assert other == departures(path, "texts")


@pytest.mark.parametrize("path", implemented())
def test_every_documented_answer_key_is_declared(schema: dict[str, Any], path: str) -> None:
    answer = next(iter(schema["paths"][path]["post"]["responses"]["200"]["content"].values()))["schema"]
    wrong = set()
    for key, kind in ENDPOINTS[path]["answer"].items():
        found = member(schema, answer, key)
        if found is None or not types_of(found) <= SAME_TYPE.get(kind, types_of(found)):
            wrong.add(key)
    assert wrong == departures(path, "answer")


def test_departures_belong_to_something_and_have_reasons() -> None:
    """One of an endpoint that is not there is a leftover; one without a reason is an excuse."""
    assert set(DEPARTURES["endpoints"]) <= set(implemented())
    for departure in DEPARTURES["endpoints"].values():
        assert all(reason for reasons in departure.values() for reason in reasons.values())


@pytest.mark.django_db
def test_init_names_everything_but_what_is_awaited() -> None:
    """The list must only ever shrink; it is empty when the last module is done (D41)."""
    answer = Client().get("/api/init", {"ap": "heihei", "version": "2.0.0"}, headers={"host": "localhost"}).json()
    assert answer["errorcode"] == 0
    documented = {key for endpoint in ENDPOINTS.values() for key in endpoint.get("init", [])}
    present = {f"{group}.{key}" for group, keys in answer.items() if isinstance(keys, dict) for key in keys}
    assert sorted(documented - present) == AWAITED


def kind_of(event: type[events.Event]) -> str:
    return f"action/{event.action}" if event.action else event.msg_type


OUR_EVENTS = [event for event in events.catalogue if not event.__module__.startswith("tests.")]


@pytest.mark.parametrize("event", OUR_EVENTS, ids=kind_of)
def test_every_event_has_the_documented_fields_and_no_others(event: type[events.Event]) -> None:
    assert kind_of(event) in MESSAGES, "an event nobody documented"
    documented = set(MESSAGES[kind_of(event)]["fields"])
    departure = DEPARTURES["messages"].get(kind_of(event), {})
    sent = set(fields_of(event))
    top_level = {name.split(".")[0].removesuffix("[]") for name in documented}
    assert top_level - {name.split(".")[0] for name in sent} == set(departure.get("missing", {}))
    assert {name for name in sent if "." not in name} - top_level == set(departure.get("added", {}))
    detailed = {name.split(".")[0] for name in sent if "." in name}
    assert {name for name in documented if name.split(".")[0] in detailed} <= sent


def fields_of(event: type[events.Event]) -> Iterator[str]:
    """Wire names; those of a nested card dotted, where its type says them."""
    yield "msgType"
    yield from ("action",) if event.action else ()
    yield from ("comment",) if event.comment else ()
    hints = get_type_hints(event)
    for field in fields(event):
        for name in wire.spellings(field.name) if field.name != "version" else ():
            yield name
            if is_typeddict(hints[field.name]):
                for inner in get_type_hints(hints[field.name]):
                    yield from (f"{name}.{spelling}" for spelling in wire.spellings(inner, field.name))


def resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return dict(schema["components"]["schemas"][node["$ref"].rsplit("/", 1)[1]])
    return node


def member(schema: dict[str, Any], node: dict[str, Any], dotted: str) -> dict[str, Any] | None:
    """The schema of `lives[].title` or `users.<id>.level` under `node`; None where it is not declared."""
    for step in dotted.split("."):
        node = resolved(schema, node)
        found = (
            node.get("additionalProperties")
            if step.startswith("<")
            else node.get("properties", {}).get(step.removesuffix("[]"))
        )
        if not isinstance(found, dict):
            return None
        node = resolved(schema, found)
        if step.endswith("[]"):
            node = resolved(schema, node.get("items", {}))
    return node


def types_of(node: dict[str, Any]) -> set[str]:
    return {node["type"]} if "type" in node else set()
