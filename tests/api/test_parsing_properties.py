"""The kit's parsing under whatever hypothesis thinks of: never an unexpected exception, and nothing gets lost."""

import json
from typing import Any
from urllib.parse import urlencode

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError, ValidationError

from heihei_site.api import wire
from heihei_site.api.clients import Client
from heihei_site.api.logs import scrub
from heihei_site.api.params import IdField
from heihei_site.api.parsers import parse_form, parse_json

settings.register_profile("kit", deadline=None, max_examples=200)
settings.load_profile("kit")

text = st.text(st.characters(exclude_categories=["Cs"]))
name = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="&="), min_size=1)
raw_value = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="&"))
leaf = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text
)
tree: st.SearchStrategy[Any] = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=20
)
snake = st.from_regex(r"[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,6}){0,3}", fullmatch=True) | st.sampled_from([*wire.SPELLINGS])
payload: st.SearchStrategy[Any] = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(snake, inner, max_size=4), max_leaves=20
)


def form(body: bytes) -> dict[str, str] | None:
    try:
        return parse_form(body)
    except ParseError:
        return None


@given(st.binary())
@example(b"&" * 500)
@example(b"=" * 500 + b" ")
@example(b"%" * 99)
@example(b"\xed\xa0\x80=%ED%A0%80")
def test_any_bytes_are_a_form_of_texts_or_refused(body):
    found = form(body)
    assert found is None or all(type(key) is str and type(value) is str for key, value in found.items())
    for written in found or {}:
        (written + (found or {})[written]).encode()  # no lone surrogate gets any further


@given(st.dictionaries(name, text, max_size=20))
def test_an_encoded_form_comes_back_whole(fields):
    assert parse_form(urlencode(fields).encode()) == fields


@given(st.dictionaries(name, raw_value, max_size=20))
def test_an_unencoded_form_comes_back_whole(fields):
    """As the 1.1 app writes it; the first field gives it away."""
    body = "&".join(f"{key}={value}" for key, value in fields.items())
    assert parse_form(f"中=文&{body}".encode()) == {"中": "文"} | fields


@given(st.lists(st.tuples(st.sampled_from("ab"), text), min_size=1))
def test_the_last_of_a_repeated_name_wins(pairs):
    assert parse_form(urlencode(pairs).encode()) == dict(pairs)


@given(st.binary())
@example(b"[" * 5000)
@example(b'{"a":"\\ud800"}')
@example(b"\xff")
def test_any_bytes_are_a_json_object_or_refused(body):
    try:
        found = parse_json(body)
    except ParseError:
        return
    assert type(found) is dict


@given(st.dictionaries(text, tree, max_size=20))
def test_a_json_object_comes_back_whole(given_object):
    assert parse_json(json.dumps(given_object).encode()) == given_object


@given(tree.filter(lambda value: not isinstance(value, dict)))
def test_other_json_is_refused(value):
    try:
        parse_json(json.dumps(value).encode())
    except ParseError:
        return
    raise AssertionError("taken for an object of parameters")


PARAMETERS = sorted(
    {*wire.PARAMETER_SYNONYMS, *(s for each in wire.PARAMETER_SYNONYMS.values() for s in each), "other"}
)


@given(st.dictionaries(st.sampled_from(PARAMETERS), text), st.sets(st.sampled_from(PARAMETERS)))
def test_synonyms_find_only_what_was_given_and_declared(given_parameters, declared):
    found = wire.with_synonyms(given_parameters, declared)
    assert set(found) <= declared
    assert set(found.values()) <= set(given_parameters.values())
    for each in declared & set(given_parameters):
        assert found[each] == given_parameters[each]
    for each in declared - set(found):
        spellings = {each, *wire.PARAMETER_SYNONYMS.get(each, ())}
        assert not (spellings - declared) & set(given_parameters)
    assert wire.with_synonyms(found, declared) == found


def facts(value: Any) -> list[Any]:
    """What a payload says, in order, without its names."""
    if isinstance(value, dict):
        return [fact for item in value.values() for fact in facts(item)]
    if isinstance(value, list):
        return [fact for item in value for fact in facts(item)]
    return [value]


@given(payload)
def test_an_encoded_payload_is_json_without_null_or_overflow(value):
    encoded = wire.encode(value)
    assert orjson.loads(wire.to_json(value)) == encoded
    assert None not in facts(encoded)
    assert all(len(found) == len(value) for found in [encoded] if isinstance(found, list))


@given(st.dictionaries(snake, text | st.booleans() | st.integers(-(2**31), 2**31 - 1), max_size=8))
def test_every_value_arrives_under_every_spelling_of_its_key(flat):
    encoded = wire.encode(flat)
    last = {spelled: value for key, value in flat.items() for spelled in wire.spellings(key)}
    assert encoded == last
    assert not any("_" in key for key in encoded if key not in {s for each in wire.SPELLINGS.values() for s in each})


@given(st.dictionaries(snake, st.integers(), max_size=8))
def test_a_counter_is_never_out_of_a_phones_range(flat):
    for key, value in flat.items():
        sent = wire.encode({key: value})[wire.spellings(key)[0]]
        exact = key.endswith("_id") or key in ("id", "seq")
        assert sent == (value if exact else max(-(2**31), min(2**31 - 1, value)))


@given(text)
@example("1" * 5000)
@example("٣.٤")
def test_any_version_text_is_some_client(version):
    major, minor = Client.of(version).generation
    assert 0 <= major <= 9999
    assert 0 <= minor <= 9999


@given(tree | st.binary())
def test_an_id_is_read_or_refused(value):
    try:
        found = IdField().run_validation(value)
    except ValidationError:
        return
    assert type(found) is int
    assert 0 <= found < 2**53


@given(tree)
def test_scrubbing_takes_anything_and_keeps_its_shape(value):
    assert type(scrub(value)) is type(value)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "+86", "86", "phone=", "号码", '"', "/"]))
def test_no_phone_number_gets_through_the_log(phone, before):
    assert phone not in scrub(f"x {before}{phone} y")


@given(
    st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    st.sampled_from(["token={}", "'token': '{}'", '{{"token":"{}"}}', "{}"]),
)
def test_no_token_gets_through_the_log(token, written):
    assert token not in scrub(f"GET /api/x?a=1&{written.format(token)}")
    assert token not in scrub(written.format(token))
