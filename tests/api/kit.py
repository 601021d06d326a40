"""Endpoints that show what arrived, mounted beside the real ones by `@pytest.mark.urls("tests.api.kit")`."""

from typing import Annotated, Any, ClassVar

from django.core import exceptions as django
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework import serializers

from heihei_site import urls
from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoint, Endpoints
from heihei_site.api.errors import InvalidParameter, NotEnoughGold, NotInRoom
from heihei_site.api.params import Flag, Id, Word, number_field, text_field
from heihei_site.api.parsers import parameters
from heihei_site.api.throttles import Limit


class KitEndpoints(Endpoints):
    registry: ClassVar[list[Endpoint]] = []  # of its own: init and the reference show none of these


api = KitEndpoints("kit")

Text = Annotated[str, Word(text_field(10_000, blank=True))]
Number = Annotated[int, Word(number_field(0, 100))]
File = Annotated[Any, Word(serializers.FileField)]
Choice = Annotated[str, Word(lambda **kwargs: serializers.ChoiceField(["a", "b"], **kwargs))]


@api.post(open_to_all=True)
def show(caller: Caller) -> dict[str, Any]:
    """Every parameter as it was read."""
    return {"got": parameters(caller.request)}


@api.post(open_to_all=True, body_bytes=3 * 1024 * 1024)
def keep(caller: Caller, *, file: File, text: Text = "") -> dict[str, Any]:
    """Takes a file."""
    return {"size": file.size, "end": file.read()[-3:].decode(), "text": text}


@api.get(open_to_all=True)
def read(
    caller: Caller,
    *,
    id: Id,
    text: Text = "",
    number: Number = 7,
    flag: Flag = False,
    choice: Choice = "a",
) -> dict[str, Any]:
    """The declared parameters as a service would get them."""
    return {"id": id, "text": text, "number": number, "flag": flag, "choice": choice}


@api.get()
def who(caller: Caller) -> dict[str, Any]:
    """Whom the token names."""
    return {"user_id": caller.person.pk}


@api.get(open_to_all=True)
def who_if_anyone(caller: Caller) -> dict[str, Any]:
    person = caller.anyone
    return {"user_id": person.pk if person else 0}


@api.get(open_to_all=True)
def generation(caller: Caller) -> dict[str, Any]:
    """Major and minor version of the client that asks."""
    return {"generation": list(caller.client.generation)}


@api.post(open_to_all=True)
def fail(caller: Caller, *, text: Text = "") -> dict[str, Any]:
    raise RuntimeError(f"kaputt {text}")


@api.post(open_to_all=True)
def answer_nonsense(caller: Caller) -> dict[str, Any]:
    """Fails where no view can catch it: the answer cannot be written as JSON."""
    return {"text": "\ud800"}


FRAMEWORK_ERRORS: list[Exception] = [
    drf.ParseError(),
    drf.NotAuthenticated(),
    drf.AuthenticationFailed(),
    drf.PermissionDenied(),
    drf.NotFound(),
    drf.MethodNotAllowed("PUT"),
    drf.UnsupportedMediaType("x"),
    drf.Throttled(),
    drf.ValidationError(),
    Http404(),
    django.BadRequest(),
    django.RequestDataTooBig(),
    django.TooManyFieldsSent(),
    django.TooManyFilesSent(),
    django.DisallowedHost(),
    django.SuspiciousFileOperation(),
]


@api.post(open_to_all=True)
def fail_as_the_framework(caller: Caller, *, number: Number) -> dict[str, Any]:
    raise FRAMEWORK_ERRORS[number]


@api.post(open_to_all=True, raises=[NotInRoom])
def refuse(caller: Caller, *, declared: Flag = True) -> dict[str, Any]:
    raise NotInRoom if declared else NotEnoughGold


@api.post(open_to_all=True, limits=[Limit("5/minute", by="address")])
def few(caller: Caller) -> dict[str, Any]:
    return {}


@api.post(limits=[Limit("2/minute"), Limit("1/minute", by="address", refuses=InvalidParameter)])
def fewer(caller: Caller) -> dict[str, Any]:
    return {}


urlpatterns = [*api.urls, *urls.urlpatterns]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
