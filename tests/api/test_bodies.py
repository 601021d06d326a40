"""Hostile bodies: refused with the documented error, without growing (D2, D3). Most over the real server."""

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.test import Client

pytestmark = pytest.mark.urls("tests.api.kit")
WRONG = {"errorcode": 700, "errormsg": "参数错误"}
FORM = "application/x-www-form-urlencoded"
MEGABYTE = 1024 * 1024


def kilobytes_at_most() -> int:
    """The most memory this process ever had, in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize(
    "content_type", [FORM, "application/json", "multipart/form-data; boundary=x", "", "text/plain"]
)
def test_ten_megabytes_are_a_wrong_parameter(server, content_type):
    body = b"a=" + b"x" * (10 * MEGABYTE)
    headers = [f"Content-Type: {content_type}"] if content_type else []
    assert server.post("/api/kit/show", body, *headers) == (200, WRONG)


def test_a_file_of_ten_megabytes_in_a_form_is_a_wrong_parameter(server):
    part = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
    body = part.format("a", "").encode() + b"1\r\n" + part.format("f", '; filename="f"').encode()
    body += b"x" * (10 * MEGABYTE) + b"\r\n--x--\r\n"
    headers = "Content-Type: multipart/form-data; boundary=x"
    assert server.post("/api/kit/show", body, headers) == (200, WRONG)


def test_fifty_megabytes_take_no_memory(server):
    server.post("/api/kit/show", b"a=1", f"Content-Type: {FORM}")
    before = kilobytes_at_most()
    piece = b"x" * 65536
    size = 50 * MEGABYTE
    body: Iterator[bytes] = (piece for _ in range(size // len(piece)))
    assert server.post("/api/kit/show", body, f"Content-Length: {size}", f"Content-Type: {FORM}") == (200, WRONG)
    assert kilobytes_at_most() - before < 16 * 1024


def form_with_file(size: int) -> bytes:
    part = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
    body = part.format("text", "").encode() + "你好\r\n".encode() + part.format("file", '; filename="f"').encode()
    end = b"end\r\n--x--\r\n"
    return body + b"x" * (size - len(body) - len(end)) + end


def test_an_endpoint_that_takes_a_file_may_have_as_long_a_body_as_it_declares(server):
    size = 3 * MEGABYTE
    headers = "Content-Type: multipart/form-data; boundary=x"
    status, answer = server.post("/api/kit/keep", form_with_file(size), headers)
    assert (status, answer["errorcode"], answer["text"], answer["end"]) == (200, 0, "你好", "end")
    assert size - 300 < answer["size"] < size
    assert server.post("/api/kit/keep", form_with_file(size + 1), headers) == (200, WRONG)
    assert server.post("/api/kit/keep", b"file=" + b"x" * MEGABYTE, f"Content-Type: {FORM}") == (200, WRONG)


def test_whoever_sends_without_an_end_is_answered_and_hung_up_on(server):
    """A gigabyte in chunks: nobody listens for so long."""
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = f"POST /api/kit/show HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        with suppress(OSError):
            for sent in range(0, 1024 * MEGABYTE, 65536):  # noqa: B007
                connection.sendall(piece)
    assert 65 * MEGABYTE < sent < 100 * MEGABYTE


def test_a_megabyte_is_still_read(server):
    body = b"a=" + b"x" * (MEGABYTE - 2)
    status, answer = server.post("/api/kit/show", body, f"Content-Type: {FORM}")
    assert (status, answer["got"]) == (200, {"a": "x" * (MEGABYTE - 2)})
    assert server.post("/api/kit/show", body + b"x", f"Content-Type: {FORM}") == (200, WRONG)


def test_a_body_in_chunks_is_read_like_any_other(server):
    def chunks() -> Iterator[bytes]:
        for piece in ("a=你".encode(), " 好&b".encode(), b"=1"):
            yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        yield b"0\r\n\r\n"

    status, answer = server.post("/api/kit/show", chunks(), "Transfer-Encoding: chunked", f"Content-Type: {FORM}")
    assert (status, answer["got"]) == (200, {"a": "你 好", "b": "1"})


def test_ten_megabytes_in_chunks_are_a_wrong_parameter(server):
    def chunks() -> Iterator[bytes]:
        for _ in range(160):
            yield b"10000\r\n" + b"x" * 65536 + b"\r\n"
        yield b"0\r\n\r\n"

    answer = server.post("/api/kit/show", chunks(), "Transfer-Encoding: chunked", f"Content-Type: {FORM}")
    assert answer == (200, WRONG)


@pytest.mark.parametrize("separator", ["&", "你&"], ids=["encoded", "as the shipped app sends"])
def test_too_many_fields_are_a_wrong_parameter(call, separator):
    assert call("kit/show", separator.join(f"f{n}=1" for n in range(200)))["errorcode"] == 0
    assert call("kit/show", separator.join(f"f{n}=1" for n in range(201))) == WRONG


def test_too_many_fields_in_json_a_query_or_a_multipart_form_are_a_wrong_parameter(call):
    many = {f"f{n}": "1" for n in range(201)}
    assert call("kit/show", json.dumps(many), "application/json") == WRONG
    assert call("kit/show", query="&".join(f"{name}=1" for name in many)) == WRONG
    assert Client().post("/api/kit/show", many).json() == WRONG


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '[{"a":1}]',
        '"a"',
        "1",
        "null",
        "true",
        "{",
        '{"a":}',
        "{a:1}",
        "{'a':1}",
        "NaN",
        '{"a":NaN}',
        '{"a":1e999}',
        '{"a":"\\ud800"}',
        '{"\\udfff":1}',
        "[" * 100_000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        "\ufeff{}",
    ],
    ids=lambda body: body[:12],
)
def test_what_is_no_json_object_is_a_wrong_parameter(call, body):
    assert call("kit/show", body.encode(errors="surrogatepass"), "application/json") == WRONG


@pytest.mark.parametrize("body", [b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b"\x00", b"\xff\xfe{\x00}\x00"])
def test_json_that_is_not_utf8_is_a_wrong_parameter(call, body):
    assert call("kit/show", body, "application/json") == WRONG


def test_an_empty_json_body_is_an_empty_object(call):
    assert call("kit/show", b"", "application/json")["got"] == {}
    assert call("kit/show", b" \n", "application/json")["got"] == {}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "image/png", "nonsense", "/", "multipart/mixed; boundary=x", "中文"],
)
def test_an_unknown_content_type_is_a_wrong_parameter(call, content_type):
    assert call("kit/show", "a=1", content_type) == WRONG


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"a=1"),
        ("multipart/form-data; boundary=", b"a=1"),
        ("multipart/form-data; boundary=\xff", b"a=1"),
        ("multipart/form-data; boundary=" + "x" * 300, b"a=1"),
    ],
)
def test_a_multipart_form_that_is_none_is_a_wrong_parameter(call, content_type, body):
    assert call("kit/show", body, content_type) == WRONG


@pytest.mark.parametrize("body", ["id=1&text=a%00b", "id=1&text=a b\0"])
def test_nul_is_a_wrong_parameter(call, body):
    assert call("kit/read", body) == WRONG


def test_a_file_where_a_text_is_wanted_is_a_wrong_parameter():
    body = '--x\r\nContent-Disposition: form-data; name="{}"; filename="file.txt"\r\n\r\n1\r\n--x--\r\n'
    for name in ("id", "text", "number", "flag", "choice"):
        answer = Client().post("/api/kit/read?id=1", body.format(name), content_type="multipart/form-data; boundary=x")
        assert answer.json() == WRONG, name


def test_a_header_of_the_shipped_app_may_be_raw_utf8(server):
    head = "GET /api/kit/show?a=1 HTTP/1.1\r\nmodel: 华为:荣耀\r\nversion: 1.1.2".encode()
    assert server.send(head)[1]["got"] == {"a": "1"}
