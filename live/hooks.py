"""What our media server asks and tells us (deploy/nginx-rtmp/nginx.conf). 2xx is yes; it closes the connection of a
phone whose `publish` gets anything else."""

import hmac
from collections.abc import Callable
from functools import wraps

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from heihei_site.providers.streaming.media_server import hook_secret
from live.services import media

LONGEST_NUMBER = 18  # digits

log = structlog.get_logger(__name__)


class Unclear(Exception):
    """A parameter is missing or came twice."""


class Hook:
    """Its parameters, each exactly once: what a publisher writes behind the name of the stream comes as parameters too,
    and must not pass for what the media server says."""

    def __init__(self, request: HttpRequest) -> None:
        self._said = request.POST
        if self.word("app") != settings.RTMP_HUB:
            raise Unclear("app")
        self.stream = self.word("name")

    def word(self, name: str) -> str:
        values = self._said.getlist(name)
        if len(values) != 1:
            raise Unclear(name)
        return values[0]

    @property
    def connection(self) -> int:
        number = self.word("clientid")
        if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER):
            raise Unclear("clientid")
        return int(number)


def from_media_server(deed: Callable[[Hook], None]) -> Callable[[HttpRequest], HttpResponse]:
    """Only who knows the secret in the address is heard; `deed` refuses with PublishRefused."""

    @csrf_exempt
    @require_POST
    @wraps(deed)
    def answer(request: HttpRequest) -> HttpResponse:
        secret = request.GET.get("secret", "").encode(errors="replace")
        if not hmac.compare_digest(secret, hook_secret().encode()):
            return HttpResponse(status=403)
        try:
            deed(Hook(request))
        except (Unclear, media.PublishRefused) as error:
            log.info("hook_refused", hook=deed.__name__, reason=f"{type(error).__name__}: {error}")
            return HttpResponse(status=403)
        return HttpResponse(status=204)

    return answer


@from_media_server
def publish(hook: Hook) -> None:
    media.sound_begins(stream=hook.stream, key=hook.word("key"), connection=hook.connection)


@from_media_server
def publish_done(hook: Hook) -> None:
    media.sound_ends(stream=hook.stream, connection=hook.connection)


@from_media_server
def record_done(hook: Hook) -> None:
    media.recorded(stream=hook.stream)
