"""Reading parameters as three generations of phones send them (D2). Parsers read the raw stream under a byte cap."""

from collections.abc import Mapping
from typing import IO, Any, cast
from urllib.parse import parse_qsl

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from heihei_site.api import bodies


def read_capped(stream: IO[bytes]) -> bytes:
    body = stream.read(settings.API_BODY_BYTES + 1)
    if len(body) > settings.API_BODY_BYTES:
        raise ParseError("body too large")
    return body


def parse_form(body: bytes) -> dict[str, str]:
    """A form body: the last of repeated names wins.

    The 1.1 app encodes nothing: a raw space or a non-ASCII byte gives it away, and then only `&` and `=` mean
    anything. Every other form is decoded as usual, a stray `%` literally.
    """
    if body.isascii() and b" " not in body:
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=settings.API_FIELDS)
        except ValueError as error:
            raise ParseError(str(error)) from error
        return dict(pairs)
    parts = body.decode(errors="replace").split("&")
    if len(parts) > settings.API_FIELDS:
        raise ParseError("too many fields")
    return {name: value for name, _, value in (part.partition("=") for part in parts) if name}


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty body is an empty object."""
    if not body.strip():
        return {}
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ParseError("not JSON") from error
    if not isinstance(found, dict) or len(found) > settings.API_FIELDS:
        raise ParseError("not a JSON object of parameters")
    return found


class FormParser(BaseParser):
    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        return parse_form(read_capped(stream))


class JsonParser(BaseParser):
    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return parse_json(read_capped(stream))


class MultipartParser(MultiPartParser):
    """DRF's own under the cap of the path: Django's does not count files. Those of more than 2.5 MB go to disk."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        path = parser_context["request"].path_info if parser_context else ""
        capped = Capped(stream, bodies.cap(path))
        return super().parse(cast(IO[bytes], capped), media_type, parser_context)


class Capped:
    """A stream that ends in a refusal where it is too long."""

    def __init__(self, stream: IO[bytes], cap: int) -> None:
        self._stream = stream
        self._left = cap

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(chunk)
        if self._left < 0:
            raise ParseError("body too large")
        return chunk


def parameters(request: Request) -> Mapping[str, Any]:
    """Query and body together: the body wins over the query, the last of a repeated name over the first."""
    kept = vars(request)  # whoever asks first reads for all: authentication, the kit, the endpoint
    if "_parameters" not in kept:
        kept["_parameters"] = _read_parameters(request)
    return cast(Mapping[str, Any], kept["_parameters"])


def _read_parameters(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = request.query_params.dict()
    data = request.data if request.method == "POST" else {}
    found.update(data.dict() if hasattr(data, "dict") else data)
    return found
