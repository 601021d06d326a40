"""Addresses of the API that other companies' servers call, in their formats and not ours (D3, D44).

They are documented and handed out by init beside the endpoints, but nothing of the kit is for them: no parameters, no
token, no envelope. What fails is answered 500, so that whoever calls tries again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import structlog
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request
from rest_framework.views import APIView

from heihei_site.api.schema import first_sentence

Answer = Callable[[HttpRequest], HttpResponse]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Callback:
    group: str
    key: str
    path: str
    answer: Answer


class CallbackSchema(AutoSchema):
    """A body of theirs, an answer of theirs."""

    @property
    def callback(self) -> Callback:
        return cast(CallbackView, self.view).callback

    def get_operation_id(self) -> str:
        return f"{self.callback.path.replace('/', '_')}_{self.method.lower()}"

    def get_tags(self) -> list[str]:
        return [self.callback.group]

    def get_summary(self) -> str:
        return first_sentence(self.callback.answer.__doc__ or "")

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular dropped the arguments
        return " ".join((self.callback.answer.__doc__ or "").split())

    def get_auth(self) -> list[Any]:
        return []

    def get_request_serializer(self) -> Any:
        return None

    def get_response_serializers(self) -> Any:
        return {(200, "*/*"): {"type": "string"}}


class CallbackView(APIView):
    """What is raised is logged and answered 500, never in our envelope: 200 would tell the caller that all is well."""

    callback: Callback
    authentication_classes = ()
    throttle_classes = ()
    http_method_names = ["get", "post", "head"]
    schema = CallbackSchema()

    def get(self, request: Request) -> HttpResponse:
        return self.callback.answer(request._request)

    post = get

    def handle_exception(self, exc: Exception) -> Any:
        log.error("callback_failed", callback=self.callback.path, exc_info=exc)
        return HttpResponse(status=500)


class Callbacks:
    """The callbacks of one module, as `Endpoints` are its endpoints."""

    registry: list[Callback] = []

    def __init__(self, group: str) -> None:
        self.group = group
        self.urls: list[URLPattern] = []

    def __call__(self, answer: Answer) -> Answer:
        """Declares one; the function's name is its path and its key in init's map."""
        name = answer.__name__
        callback = Callback(self.group, name, f"{self.group}/{name}", answer)
        self.registry.append(callback)
        shown = {"callback": callback, "__doc__": answer.__doc__}
        view: type[CallbackView] = type("CallbackView", (CallbackView,), shown)
        self.urls.append(path(f"api/{callback.path}", view.as_view()))
        return answer
