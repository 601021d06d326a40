"""The one shape of an answer: HTTP 200, `errorcode`, `errormsg`, and what was asked for (D3)."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

import structlog
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseServerError
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from heihei_site.api import wire
from heihei_site.api.errors import (
    InvalidParameter,
    Refusal,
    ServerFault,
    TokenInvalid,
    TooManyRequests,
)

log = structlog.get_logger(__name__)


class Nothing(TypedDict):
    """An answer of errorcode and errormsg alone."""


# What the framework raises before or instead of us, as the refusal a phone understands.
_AS_REFUSAL: tuple[tuple[tuple[type[Exception], ...], type[Refusal]], ...] = (
    (
        (exceptions.NotAuthenticated, exceptions.AuthenticationFailed, exceptions.PermissionDenied),
        TokenInvalid,
    ),
    ((exceptions.Throttled,), TooManyRequests),
    (
        (
            exceptions.ValidationError,
            exceptions.ParseError,
            exceptions.MethodNotAllowed,
            exceptions.UnsupportedMediaType,
            exceptions.NotFound,
            BadRequest,
            RequestDataTooBig,
            SuspiciousOperation,
            Http404,
        ),
        InvalidParameter,
    ),
)


class AlwaysJson(BaseContentNegotiation):
    """JSON whatever the Accept header says; the parser by content type, a form where none is given."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        kind = request.content_type.partition(";")[0].strip().lower()
        wanted = kind or "application/x-www-form-urlencoded"
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """`format` chooses where there is more than one: the reference comes as YAML or JSON."""
        offered = list(renderers)
        wanted = request.query_params.get("format")
        chosen = next((renderer for renderer in offered if renderer.format == wanted), offered[0])
        return chosen, str(chosen.media_type)


def success(result: Mapping[str, Any] | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"errorcode": 0, "errormsg": "success"}
    answer.update(wire.encode(result or {}))
    return answer


def refusal(kind: type[Refusal], path: str, said: str = "") -> dict[str, Any]:
    """`path` is the endpoint's, without /api/: some texts differ by endpoint. `said` stands for any of them."""
    answer: dict[str, Any] = {"errorcode": kind.code, "errormsg": said or kind.text_at(path)}
    if kind is ServerFault:
        answer["traceId"] = trace_id()
    return answer


def trace_id() -> str:
    """The id under which everything about this request was logged."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def refuse(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every exception becomes an answer; those that are our fault are logged whole."""
    view, request = context["view"], context["request"]
    path = view.endpoint.path if hasattr(view, "endpoint") else request.path.removeprefix("/api/")
    if isinstance(error, Refusal):
        return Response(refusal(type(error), path, error.said))
    for raised, kind in _AS_REFUSAL:
        if isinstance(error, raised):
            return Response(refusal(kind, path))
    log.error("request_failed", endpoint=path, exc_info=error)
    return Response(refusal(ServerFault, path))


def _outside_a_view(request: HttpRequest, kind: type[Refusal], page: HttpResponse) -> HttpResponse:
    if not f"{request.path}/".startswith("/api/"):
        return page
    return HttpResponse(
        wire.to_json(refusal(kind, request.path.removeprefix("/api/"))), content_type="application/json"
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: bad hosts, too many fields and the like."""
    return _outside_a_view(request, InvalidParameter, HttpResponse("Bad Request", status=400))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: an unknown path under /api is a wrong parameter of the caller."""
    return _outside_a_view(request, InvalidParameter, HttpResponseNotFound("Not Found"))


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: what failed outside a view of ours; Django has logged it under the same request id."""
    return _outside_a_view(request, ServerFault, HttpResponseServerError("Server Error"))
