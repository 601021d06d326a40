"""OpenAPI from the same declarations that serve the requests: drf-spectacular's hooks, no second description."""

import inspect
import re
import types
import typing
from typing import Any, NotRequired, Required, cast, get_args, get_origin, get_type_hints, is_typeddict

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample

from heihei_site.api import wire
from heihei_site.api.endpoints import Endpoint, EndpointView
from heihei_site.api.examples import example_of

BODIES = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data")
_SCALARS: dict[Any, dict[str, Any]] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
}


class EndpointSchema(AutoSchema):
    """Describes one method of one endpoint of ours; other views are left to drf-spectacular."""

    @property
    def endpoint(self) -> Endpoint:
        return cast(EndpointView, self.view).endpoint

    def get_operation_id(self) -> str:
        return f"{self.path.removeprefix('/api/').strip('/').replace('/', '_')}_{self.method.lower()}"

    def get_tags(self) -> list[str]:
        root = self.endpoint.path if self.endpoint.is_for_phones else self.endpoint.root
        return [root.partition("/")[0]]

    def get_summary(self) -> str:
        return first_sentence(_doc(self.endpoint))

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular dropped the arguments
        refusals = "\n".join(
            f"* `{refusal.code}` {refusal.text_at(self.endpoint.path)}" for refusal in self.endpoint.refusals
        )
        limits = "".join(f"\nAt most {limit.rate} per {limit.by}.\n" for limit in self.endpoint.limits)
        return f"{_doc(self.endpoint)}\n{limits}\n**errorcode**\n\n* `0` success\n{refusals}"

    def get_examples(self) -> list[OpenApiExample]:
        """What was sent and answered once, and the shape of every refusal."""
        if (example := example_of(self.endpoint.path)) is None:
            return []
        refusal = self.endpoint.refusals[-1]
        refused = {"errorcode": refusal.code, "errormsg": refusal.text_at(self.endpoint.path)}
        sent = [OpenApiExample("a call", value=example.params, request_only=True, media_type=kind) for kind in BODIES]
        return [
            *sent,
            OpenApiExample("its answer", value=example.answer, response_only=True),
            OpenApiExample("a refusal", value=refused, response_only=True),
        ]

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._get_parameters()
        example = example_of(self.endpoint.path)
        for parameter in parameters:
            if example and parameter["name"] in example.params:
                parameter["example"] = example.params[parameter["name"]]
        return parameters

    def get_request_serializer(self) -> Any:
        return self.endpoint.serializer_class if self.method == "POST" else None

    def get_override_parameters(self) -> list[Any]:
        return [self.endpoint.serializer_class] if self.method == "GET" else []

    def get_response_serializers(self) -> Any:
        envelope = {
            "errorcode": {"type": "integer"},
            "errormsg": {"type": "string"},
            "traceId": {"type": "string"},
        }
        properties, _ = self._members(self.endpoint.answer_type)
        return {
            200: {
                "type": "object",
                "properties": envelope | properties,
                "required": ["errorcode", "errormsg"],
            }
        }

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False

    def _members(self, answer: Any, inside: str = "") -> tuple[dict[str, Any], list[str]]:
        """Wire properties and required wire names of a TypedDict."""
        properties: dict[str, Any] = {}
        required: list[str] = []
        if not is_typeddict(answer):
            return properties, required
        for key, hint in get_type_hints(answer, include_extras=True).items():
            optional = get_origin(hint) is NotRequired or key not in answer.__required_keys__
            hint = get_args(hint)[0] if get_origin(hint) in (NotRequired, Required) else hint
            for name in wire.spellings(key, inside):
                properties[name] = self._schema_of(hint, key)
                required += [] if optional else [name]
        return properties, required

    def _schema_of(self, hint: Any, inside: str) -> dict[str, Any]:
        if hint in _SCALARS:
            return dict(_SCALARS[hint])
        if is_typeddict(hint):
            return self._component(hint, inside)
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is list:
            return {"type": "array", "items": self._schema_of(arguments[0], inside)}
        if origin is dict:
            return {"type": "object", "additionalProperties": self._schema_of(arguments[1], inside)}
        if origin in (types.UnionType, typing.Union):
            return self._schema_of(next(item for item in arguments if item is not type(None)), inside)
        return {}

    def _component(self, hint: Any, inside: str) -> dict[str, Any]:
        """A named schema; the same card under a key that doubles names is a component of its own."""
        name = hint.__name__ + (wire.camel(f"_in_{inside}") if inside in wire.SPELLINGS_INSIDE else "")
        component: Any = cast(Any, ResolvedComponent)(name=name, type=ResolvedComponent.SCHEMA, object=name)
        if component not in self.registry:
            self.registry.register(component)
            properties, required = self._members(hint, inside)
            component.schema = {"type": "object", "properties": properties}
            component.schema |= {"required": sorted(required)} if required else {}
        return dict(component.ref)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """D5: the `token` parameter is the credential; tools may use the Authorization header instead."""

    target_class = "users.auth.TokenParameterAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "query", "name": "token"}


def only_api(endpoints: list[Any]) -> list[Any]:
    """Preprocessing hook: the reference has the API's endpoints and callbacks and nothing else."""
    return [entry for entry in endpoints if hasattr(entry[3].cls, "endpoint") or hasattr(entry[3].cls, "callback")]


def first_sentence(text: str) -> str:
    """For a line of the page, which shows it as it is: without marks."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=[.?!])\s", paragraph, maxsplit=1)[0].replace("`", "")


def _doc(endpoint: Endpoint) -> str:
    return inspect.cleandoc(endpoint.function.__doc__ or endpoint.key)
