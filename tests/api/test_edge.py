"""What Django is told of a request."""

from io import BytesIO
from typing import Any

from heihei_site.api.edge import environ_of


def environ(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    scope = {"method": "GET", "path": "/", "http_version": "1.1", "headers": headers, "client": ("10.0.0.9", 1)}
    return environ_of(scope, BytesIO())


def test_a_header_with_underscores_does_not_pass_for_the_real_one():
    """A proxy sets and removes `X-Forwarded-For`; it lets `X_Forwarded_For` through, and WSGI has one name for both."""
    forged = environ((b"x_forwarded_for", b"6.6.6.6"), (b"X_Forwarded_Proto", b"https"), (b"content_length", b"9"))
    assert not [name for name in forged if name.startswith("HTTP_")]
    assert forged["CONTENT_LENGTH"] == "0"
    for order in (1, -1):
        both = ((b"x-forwarded-for", b"10.1.1.1"), (b"x_forwarded_for", b"6.6.6.6"))[::order]
        assert environ(*both)["HTTP_X_FORWARDED_FOR"] == "10.1.1.1"


def test_headers_of_the_app_arrive():
    sent = environ((b"version", b"1.1.2"), (b"x-jiyu-uid", b""), (b"model", "华为".encode()))
    assert (sent["HTTP_VERSION"], sent["HTTP_X_JIYU_UID"]) == ("1.1.2", "")
    assert sent["HTTP_MODEL"].encode("latin-1").decode() == "华为"
