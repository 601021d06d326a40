"""A typed function is the endpoint: its keyword-only parameters are the parameters, their annotations the validation,
its docstring the documentation, its return type the answer (ADR 0001).

    api = Endpoints("live")

    @api.post(raises=[NotEnoughGold, NotInRoom])
    def buy_gift(caller: Caller, *, live: LiveParam, gift: GiftParam, amount: Count = 1) -> GoldLeft: ...

The function's name is the path (`live/buy-gift`) and the key in init's map (`live.buyGift`) unless told otherwise.
Every endpoint answers GET and POST; `get` and `post` say which one the reference recommends.
`body_bytes` is for one whose body brings a file (`bodies.py`).
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from django.dispatch import Signal
from django.urls import URLPattern, path
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from heihei_site.api import bodies, envelope, wire
from heihei_site.api.callers import Caller
from heihei_site.api.errors import InvalidParameter, Refusal, TokenInvalid
from heihei_site.api.params import Word
from heihei_site.api.parsers import parameters
from heihei_site.api.throttles import Limit

Function = Callable[..., Any]
Field = serializers.Field[Any, Any, Any, Any]

# Sent with `endpoint` and `refusal` when an endpoint refuses with what it never declared. The tests listen and fail.
undeclared_refusal = Signal()


@dataclass(frozen=True)
class Parameter:
    """One keyword-only parameter of an endpoint, as the signature declares it."""

    python_name: str
    wire_name: str
    word: Word
    default: Any

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    def make_field(self) -> Field:
        return self.word.field(required=self.required)


@dataclass(frozen=True)
class Endpoint:
    """What one declaration says; made once, at import."""

    function: Function
    group: str
    root: str
    path: str
    key: str
    also: tuple[str, ...]
    open_to_all: bool
    writes: bool
    limits: tuple[Limit, ...]
    body_bytes: int | None
    declared: tuple[type[Refusal], ...]
    parameters: tuple[Parameter, ...]

    @property
    def is_for_phones(self) -> bool:
        return self.root == "api"

    @cached_property
    def refusals(self) -> tuple[type[Refusal], ...]:
        """All that a caller may be told, in code order: what was declared and what the parameters imply."""
        found: set[type[Refusal]] = {
            InvalidParameter,
            *self.declared,
            *(limit.refuses for limit in self.limits),
        }
        found.update(refusal for parameter in self.parameters for refusal in parameter.word.refuses)
        if not self.open_to_all:
            found.add(TokenInvalid)
        return tuple(sorted(found, key=lambda refusal: (refusal.code, refusal.__name__)))

    @cached_property
    def serializer_class(self) -> type[serializers.Serializer[Any]]:
        fields = {parameter.wire_name: parameter.make_field() for parameter in self.parameters}
        fields["token"] = serializers.CharField(required=False, help_text="The credential (D5).")
        name = wire.camel(f"_{self.path}_request".replace("/", "_").replace("-", "_"))
        return type(name, (serializers.Serializer,), fields)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """By wire name. Made once for all requests: a field keeps nothing of what it checks."""
        return dict(self.serializer_class().fields)

    @cached_property
    def answer_type(self) -> Any:
        return get_type_hints(self.function).get("return")

    def read(self, caller: Caller) -> dict[str, Any]:
        """The function's keyword arguments out of a request, or InvalidParameter, or what a lookup refuses with.

        Every value is checked before anything is looked up.
        """
        given = wire.with_synonyms(parameters(caller.request), (parameter.wire_name for parameter in self.parameters))
        checked = [(parameter, self._checked(parameter, given)) for parameter in self.parameters]
        return {parameter.python_name: _found(caller, parameter, value) for parameter, value in checked}

    def _checked(self, parameter: Parameter, given: dict[str, Any]) -> Any:
        """The value as its field has it; None for no value, which null is, and an empty value of a number (B63)."""
        field, said = self.fields[parameter.wire_name], given.get(parameter.wire_name)
        if said is None or (said == "" and not getattr(field, "allow_blank", False)):
            if parameter.required:
                raise ValidationError({parameter.wire_name: "missing"})
            return None
        return field.run_validation(said)


def _found(caller: Caller, parameter: Parameter, value: Any) -> Any:
    if value is None:
        return parameter.default
    return value if parameter.word.find is None else parameter.word.find(caller, value)


class EndpointView(APIView):
    """The DRF view of one endpoint. Authentication, limits, parsers, answers and refusals are DRF settings."""

    endpoint: Endpoint
    http_method_names = ["get", "post", "head"]

    def get(self, request: Request) -> Response:
        return self.answer(request)

    def post(self, request: Request) -> Response:
        return self.answer(request)

    def answer(self, request: Request) -> Response:
        caller = Caller(request)
        if not self.endpoint.open_to_all and caller.anyone is None:
            raise caller.nobody()
        try:
            result = self.endpoint.function(caller, **self.endpoint.read(caller))
        except Refusal as refusal:
            if type(refusal) not in self.endpoint.refusals:
                undeclared_refusal.send(Endpoint, endpoint=self.endpoint, refusal=type(refusal))
            raise
        return Response(envelope.success(result))


class Endpoints:
    """The endpoints of one module. `group` is the key of the module in init's map, `prefix` its part of the path below
    `root`; phones know of nothing that is not below `api`."""

    registry: list[Endpoint] = []

    def __init__(self, group: str, *, prefix: str | None = None, root: str = "api") -> None:
        self.group = group
        self.root = root
        self.prefix = group if prefix is None else prefix
        self.urls: list[URLPattern] = []

    def get(self, **declaration: Any) -> Callable[[Function], Function]:
        """Declares an endpoint that only reads."""
        return self._declare(writes=False, **declaration)

    def post(self, **declaration: Any) -> Callable[[Function], Function]:
        """Declares an endpoint that changes something."""
        return self._declare(writes=True, **declaration)

    def _declare(
        self,
        *,
        writes: bool,
        raises: Sequence[type[Refusal]] = (),
        path: str | None = None,
        key: str | None = None,
        also: Sequence[str] = (),
        open_to_all: bool = False,
        limits: Sequence[Limit] = (),
        body_bytes: int | None = None,
    ) -> Callable[[Function], Function]:
        def declare(function: Function) -> Function:
            name = function.__name__
            endpoint = Endpoint(
                function=function,
                group=self.group,
                root=self.root,
                path="/".join(filter(None, (self.prefix, path or name.replace("_", "-")))),
                key=key or wire.camel(name),
                also=tuple(also),
                open_to_all=open_to_all,
                writes=writes,
                limits=tuple(limits),
                body_bytes=body_bytes,
                declared=tuple(raises),
                parameters=tuple(_read_signature(function)),
            )
            self._route(endpoint)
            return function

        return declare

    def _route(self, endpoint: Endpoint) -> None:
        self.registry.append(endpoint)
        shown = {"endpoint": endpoint, "__doc__": endpoint.function.__doc__}
        view: type[EndpointView] = type("EndpointView", (EndpointView,), shown)
        for place in (endpoint.path, *endpoint.also):
            if endpoint.body_bytes is not None:
                bodies.allow(f"/{self.root}/{place}", endpoint.body_bytes)
            self.urls.append(path(f"{self.root}/{place}", view.as_view()))


def _read_signature(function: Function) -> list[Parameter]:
    hints = get_type_hints(function, include_extras=True)
    found = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        word = _word_of(hints[parameter.name])
        if word is None:
            raise TypeError(f"{function.__qualname__}: parameter {parameter.name} is not annotated with a Word")
        name = word.name or wire.parameter_name(parameter.name)
        found.append(Parameter(parameter.name, name, word, parameter.default))
    return found


def _word_of(hint: Any) -> Word | None:
    """The Word of `Annotated[T, Word(...)]` or of `Annotated[T, Word(...)] | None`."""
    candidates = [hint] if get_origin(hint) is Annotated else get_args(hint)
    words = (extra for candidate in candidates for extra in getattr(candidate, "__metadata__", ()))
    return next((word for word in words if isinstance(word, Word)), None)
