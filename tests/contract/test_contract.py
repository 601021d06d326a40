"""What is implemented keeps the documented contract; `departures.json` names the exceptions, with reasons."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator

from heihei_site.realtime import events
from heihei_site.system import socket_reference
from heihei_site.system.socket_reference import name_of
from messages.events import ImText

HERE = Path(__file__).parent
ENDPOINTS: dict[str, Any] = json.loads((HERE / "endpoints.json").read_text())
MESSAGES: dict[str, Any] = json.loads((HERE / "messages.json").read_text())
DEPARTURES: dict[str, Any] = json.loads((HERE / "departures.json").read_text())
REFUSAL = re.compile(r"^\* `(-?\d+)` (.*)$", re.MULTILINE)
SAME_TYPE = {
    "int": {"integer"},
    "bool": {"boolean"},
    "string": {"string", "integer"},
}  # counters are ints (D7)
AS_DOCUMENTED = {
    "int": {"int"},
    "bool": {"bool"},
    "string": {"string", "int"},  # counters again
    "object": {"object"},
    "array": {"array"},
    "null": {"string"},
}


def implemented() -> Iterator[str]:
    for path in ENDPOINTS:
        try:
            resolve(path)
        except Resolver404:
            continue
        if path.startswith(("/api/", "/messageserver/")):
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
        declared.setdefault(code, set()).add(text.replace(" ", ""))
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
def test_init_names_every_documented_endpoint() -> None:
    """D41"""
    answer = Client().get("/api/init", {"ap": "heihei", "version": "2.0.0"}, headers={"host": "localhost"}).json()
    assert answer["errorcode"] == 0
    documented = {key for endpoint in ENDPOINTS.values() for key in endpoint.get("init", [])}
    present = {f"{group}.{key}" for group, keys in answer.items() if isinstance(keys, dict) for key in keys}
    assert documented - present == set()


PUSHES = {"push", "push/live-invite"}
OUR_EVENTS = {name_of(event): event for event in events.catalogue if not event.__module__.startswith("tests.")}


def of_message(name: str, what: str) -> dict[str, str]:
    return dict(DEPARTURES["messages"].get(name, {}).get(what, {}))


@pytest.mark.parametrize("name", OUR_EVENTS)
def test_every_message_has_the_documented_fields_and_no_others(name: str) -> None:
    """Whatever is documented is there, inside of cards too; cards may have more (D1), messages may not."""
    documented, sent = set(MESSAGES.get(name, {"fields": {}})["fields"]), set(sent_in(OUR_EVENTS[name]))
    assert documented - sent == set(of_message(name, "missing"))
    if name in MESSAGES:
        added = {outermost(key) for key in sent} - {outermost(key) for key in documented}
        assert added == set(of_message(name, "added"))


def outermost(key: str) -> str:
    """The field of the message that a dotted key is in."""
    return key.removeprefix("msg.").split(".")[0].removesuffix("[]")


@pytest.mark.parametrize("name", [name for name in OUR_EVENTS if name in MESSAGES])
def test_every_field_of_a_message_has_the_documented_type(name: str) -> None:
    documented, sent = MESSAGES[name]["fields"], sent_in(OUR_EVENTS[name])
    wrong = {key for key, kind in documented.items() if key in sent and sent[key] not in AS_DOCUMENTED[kind]}
    assert wrong == set(of_message(name, "types"))


def test_every_documented_message_is_sent() -> None:
    not_sent = {name for name in MESSAGES if of_message(name, "not sent")}
    assert MESSAGES.keys() - OUR_EVENTS.keys() - PUSHES - not_sent == set()


@pytest.mark.parametrize("name", sorted(PUSHES))
def test_every_push_has_the_documented_fields_and_no_others(name: str) -> None:
    documented = MESSAGES[name]["fields"]
    sent = dict(socket_reference.fields_of_push())
    assert documented == sent


def test_messages_nobody_documented_say_why_they_exist() -> None:
    assert {name for name in OUR_EVENTS if of_message(name, "new")} == OUR_EVENTS.keys() - MESSAGES.keys()


def test_departures_of_messages_belong_to_one_and_have_reasons() -> None:
    assert set(DEPARTURES["messages"]) <= OUR_EVENTS.keys() | MESSAGES.keys()
    for departure in DEPARTURES["messages"].values():
        assert all(reason for reasons in departure.values() for reason in reasons.values())


@pytest.mark.parametrize("name", OUR_EVENTS)
def test_the_reference_says_in_words_when_a_message_is_sent(name: str) -> None:
    words = OUR_EVENTS[name].__dict__["__doc__"]
    assert words
    assert not words.startswith(f"{OUR_EVENTS[name].__name__}(")  # what a dataclass says where nobody has said anything
    assert f"### {name}\n" in socket_reference.page()


def test_an_element_has_the_keys_that_the_reference_says() -> None:
    """One made in full, against what is derived from its class."""
    card = dict.fromkeys(("id", "display_name", "hei_num", "cover_url", "level", "gender", "is_followed"), 1)
    told = ImText(
        to_user_id=1,
        from_user_id=2,
        content={"text": "a"},
        create_time=3,
        client_msg_id="k",
        users={"1": {**card, "honours": []}},  # type: ignore[typeddict-item]
    )
    element = json.loads(events.element(told))
    del element["timeStamp"]
    assert set(flat(element)) == set(sent_in(ImText)) - {"msg.content", "users"}


def flat(value: dict[str, Any], before: str = "") -> Iterator[str]:
    for key, inner in value.items():
        name = before + ("<id>" if key.isdigit() else key)
        if isinstance(inner, dict):
            yield from flat(inner, f"{name}.")
        else:
            yield name


def sent_in(event: type[events.Event]) -> dict[str, str]:
    """Every key with its type, named as in messages.json: within `msg`, but for IM within the element."""
    within = "msg." if event.envelope else ""
    named = {"msgType": "string"} | ({"action": "string"} if event.action else {})
    named |= {"comment": "string"} if event.comment else {}
    named |= {name: kind.removesuffix(" (optional)") for name, kind in socket_reference.fields_of(event)}
    found = {name[3:] if name.startswith("../") else within + name: kind for name, kind in named.items()}
    return found | ({"msgType": "string"} if event.envelope else {})


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
