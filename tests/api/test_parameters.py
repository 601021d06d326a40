"""D2: where parameters come from, and how three generations of phones write them."""

import json
import socket

import pytest
from django.test import Client

from tests.api.server import answer_in

pytestmark = pytest.mark.urls("tests.api.kit")
OK = {"errorcode": 0, "errormsg": "success"}


def test_get_and_post_are_answered_alike(api):
    assert api().get("kit/read", id=5, text="哈") == api().post("kit/read", id=5, text="哈")
    assert api().get("kit/read", id=5) == OK | {"id": 5, "text": "", "number": 7, "flag": False, "choice": "a"}


def test_head_is_answered_too():
    assert Client().head("/api/kit/show").status_code == 200


@pytest.mark.parametrize(
    ("body", "got"),
    [
        ("a=x y", {"a": "x y"}),
        ("a=你好", {"a": "你好"}),
        ("a=你+好&b=1+1", {"a": "你+好", "b": "1+1"}),
        ("a=你%41&b=%E5", {"a": "你%41", "b": "%E5"}),
        ("a=赚100%", {"a": "赚100%"}),
        ("a=你=1&b==", {"a": "你=1", "b": "="}),
        ("a=吃&喝=玩&b=1", {"a": "吃", "喝": "玩", "b": "1"}),
        ("a=第 1 行\n第 2 行\t;/?", {"a": "第 1 行\n第 2 行\t;/?"}),
        ("a=😀&a=😂", {"a": "😂"}),
        ("a= &b&=c", {"a": " ", "b": ""}),
    ],
)
def test_an_unencoded_body_of_the_shipped_app_is_split_and_nothing_is_decoded(call, body, got):
    assert call("kit/show", body, "application/x-www-form-urlencoded;charset=utf-8")["got"] == got


@pytest.mark.parametrize(
    ("body", "got"),
    [
        ("a=x+y", {"a": "x y"}),
        ("a=x%20y", {"a": "x y"}),
        ("a=%E4%BD%A0%E5%A5%BD", {"a": "你好"}),
        ("a=1%2B1%3D2%26", {"a": "1+1=2&"}),
        ("a=%41", {"a": "A"}),
        ("a=100%", {"a": "100%"}),
        ("a=100%zz%4", {"a": "100%zz%4"}),
        ("a=1=2", {"a": "1=2"}),
        ("a=", {"a": ""}),
        ("a", {"a": ""}),
        ("a=1&a=2&a=3", {"a": "3"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("&&a=1&&", {"a": "1"}),
        ("", {}),
    ],
)
def test_every_other_form_is_decoded(call, body, got):
    assert call("kit/show", body)["got"] == got


def test_broken_utf8_in_a_form_is_replaced_not_refused(call):
    assert call("kit/show", b"a=\xff\xfe!")["got"] == {"a": "\ufffd\ufffd!"}
    assert call("kit/show", b"a=%FF!")["got"] == {"a": "\ufffd!"}
    assert call("kit/show", b"a=%ED%A0%80")["got"] == {"a": "\ufffd\ufffd\ufffd"}  # a lone surrogate


def test_json_keeps_its_types(call):
    sent = {"n": 1, "t": "一", "f": False, "l": [1, {"x": None}]}
    got = call("kit/show", json.dumps(sent), "application/json")["got"]
    assert got == {"n": 1, "t": "一", "f": False, "l": [1, {"x": ""}]}  # null is "" on the way out (D7)


@pytest.mark.parametrize(
    "content_type", ["application/json;charset=UTF-8", "Application/JSON", "application/json ;a=b"]
)
def test_the_content_type_is_read_leniently(call, content_type):
    assert call("kit/show", '{"a":"中"}', content_type)["got"] == {"a": "中"}


def test_no_content_type_means_a_form(call):
    assert call("kit/show", "a=1&b=%41", None)["got"] == {"a": "1", "b": "A"}


def test_multipart_fields_are_parameters_and_the_last_wins():
    answer = Client().post("/api/kit/show", {"a": ["1", "你 好"], "b": "%41+1"}).json()
    assert answer["got"] == {"a": "你 好", "b": "%41+1"}


def test_the_query_of_a_post_counts(call):
    assert call("kit/show", "a=1", query="b=%E4%BD%A0&c=x+y")["got"] == {"a": "1", "b": "你", "c": "x y"}


def test_the_body_wins_over_the_query(call):
    assert call("kit/show", "a=body", query="a=query&b=query")["got"] == {"a": "body", "b": "query"}
    assert call("kit/show", '{"a":1}', "application/json", query="a=query")["got"] == {"a": 1}


def test_the_last_of_a_repeated_name_in_the_query_wins(call):
    assert call("kit/show", query="a=1&a=2", method="GET")["got"] == {"a": "2"}


def test_a_trailing_question_mark_of_the_shipped_app_is_harmless(call):
    assert call("kit/show?", query="", method="GET")["got"] == {}


def test_raw_utf8_in_the_query_arrives_whole(server):
    """As curl sends what a person types; uvicorn's own parser knows only ASCII."""
    status, answer = server.send('GET /api/kit/show?a=你好&b=%E4%BD%A0&c=100%&d=x+y&e={|}^`"<> HTTP/1.1'.encode())
    assert (status, answer["got"]) == (200, {"a": "你好", "b": "你", "c": "100%", "d": "x y", "e": '{|}^`"<>'})


def test_raw_utf8_in_the_query_may_arrive_byte_by_byte(server):
    head = "GET /api/kit/show?a=你好&b=1 HTTP/1.1\r\nmodel: 华为:P9\r\nHost: 127.0.0.1\r\n"
    request = f"{head}Connection: close\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            connection.sendall(bytes([byte]))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer_in(received)["got"] == {"a": "你好", "b": "1"}


def test_raw_utf8_in_the_query_of_a_later_request_on_the_same_connection(server):
    request = "POST /api/kit/show?a=你 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nb=好 %41".encode()
    head = "GET /api/kit/show?a=再 HTTP/1.1"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        first = connection.recv(65536)
        connection.sendall(f"{head}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        second = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer_in(first)["got"] == {"a": "你", "b": "好 %41"}
    assert answer_in(second)["got"] == {"a": "再"}


def test_broken_utf8_in_the_query_is_replaced(server):
    status, answer = server.send(b"GET /api/kit/show?a=\xff! HTTP/1.1")
    assert (status, answer["got"]) == (200, {"a": "\ufffd!"})


def test_an_unencoded_body_arrives_over_the_real_server_as_it_was_sent(server):
    status, answer = server.post(
        "/api/kit/show",
        "text=a b+c%20中文 100%".encode(),
        "Content-Type: application/x-www-form-urlencoded;charset=utf-8",
    )
    assert (status, answer["got"]) == (200, {"text": "a b+c%20中文 100%"})


@pytest.mark.parametrize("flag", ["1", "true", "True", 1, True])
def test_a_flag_is_understood_in_every_spelling(call, flag):
    assert call("kit/read", json.dumps({"id": 1, "flag": flag}), "application/json")["flag"] is True


@pytest.mark.parametrize("flag", ["0", "false", 0, False])
def test_a_cleared_flag_is_understood_in_every_spelling(call, flag):
    assert call("kit/read", json.dumps({"id": 1, "flag": flag}), "application/json")["flag"] is False


def test_null_is_not_said(call):
    said = json.dumps({"id": 1, "number": None, "choice": None})
    assert call("kit/read", said, "application/json")["number"] == 7


def test_an_empty_number_is_no_number(call):
    """B63: the shipped app sends `liveId=` where it has none."""
    assert call("kit/read", "id=1&number=&flag=&choice=&text=") == OK | {
        "id": 1,
        "text": "",
        "number": 7,
        "flag": False,
        "choice": "a",
    }


@pytest.mark.parametrize(
    "given",
    [
        {"number": "x"},
        {"number": -1},
        {"number": 101},
        {"number": 1.5},
        {"number": [1]},
        {"number": {"a": 1}},
        {"number": "9" * 2000},
        {"flag": "perhaps"},
        {"flag": [1]},
        {"flag": {}},
        {"choice": "c"},
        {"choice": ["a"]},
        {"choice": {"a": "a"}},
        {"text": "a\0b"},
        {"text": ["a"]},
        {"text": {"a": 1}},
        {"text": True},
        {"text": "x" * 10_001},
    ],
    ids=str,
)
def test_a_wrong_value_is_a_wrong_parameter(call, given):
    answer = call("kit/read", json.dumps({"id": 1} | given), "application/json")
    assert answer == {"errorcode": 700, "errormsg": "参数错误"}


def test_a_missing_required_parameter_is_a_wrong_parameter(api):
    assert api().get("kit/read", text="x") == {"errorcode": 700, "errormsg": "参数错误"}


def test_an_unknown_parameter_is_ignored(api):
    assert api().get("kit/read", id=1, nonsense="x")["errorcode"] == 0


def test_misspelled_parameters_are_accepted(api, db, told):
    """D8: `phoneNo` and `phone` are one parameter; where both come the documented one counts."""
    assert api().post("user/get-sms-verification-code", phone="13900000001") == OK | {"timeout": 60}
    assert api().post("user/get-sms-verification-code", phoneNo="13900000002", phone="x") == OK | {"timeout": 60}
