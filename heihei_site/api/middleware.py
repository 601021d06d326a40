"""What requests pass on their way in. Most of them are calls of the API, and those pass little."""

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import Http404, HttpRequest
from django.middleware import csrf
from django.utils.deprecation import MiddlewareMixin as Middleware
from django_structlog.middlewares import RequestMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

if TYPE_CHECKING:
    from django.utils.deprecation import MiddlewareMixin
else:
    MiddlewareMixin = object

PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestLog(RequestMiddleware):
    """One line a request, when its end is known, under an id that everything logged meanwhile carries too."""

    def prepare(self, request: HttpRequest) -> None:
        """An id of ours, and the peer's address as the server knows it. An id of the caller's own making is noted as
        such, where it is plain: it finds their log line, it is never our trace id."""
        structlog.contextvars.bind_contextvars(request_id=str(uuid4()), ip=request.META.get("REMOTE_ADDR", ""))
        if PLAIN_ID.fullmatch(theirs := request.headers.get("X-Request-ID", "")):
            structlog.contextvars.bind_contextvars(client_request_id=theirs)


class ForPages(MiddlewareMixin):
    """Before a middleware that people with browsers need: calls of the API, which know no cookie, go past it."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith("/api/"):
            return self.get_response(request)
        return super().__call__(request)


class Addresses(ForPages, Middleware):
    """404 for an address with a NUL: nothing is called so, and PostgreSQL would fail when it is asked."""

    def process_request(self, request: HttpRequest) -> None:
        if "\0" in request.path_info:
            raise Http404


class StaticFiles(ForPages, WhiteNoiseMiddleware):  # type: ignore[misc]  # which has no types
    pass


class Sessions(ForPages, sessions.SessionMiddleware):
    pass


class Authentication(ForPages, auth.AuthenticationMiddleware):
    pass


class Messages(ForPages, messages.MessageMiddleware):
    pass


class Csrf(ForPages, csrf.CsrfViewMiddleware):
    pass
