from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.http.request import validate_host
from django.utils.module_loading import import_string

LOCAL_UPLOADS = "heihei_site.providers.credentials.local.LocalCredentials"
OUR_MEDIA_SERVER = "heihei_site.providers.streaming.rtmp.RtmpStreaming"


@register("providers", deploy=True)
def providers_are_real(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Import every configured provider; a development twin has no place in a deployment, nor has one
    without its keys."""
    return [problem for need, path in settings.PROVIDERS.items() if (problem := _problem(need, path))]


@register("providers", deploy=True)
def media_server_is_heard(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Otherwise every phone that wants to send would be refused, without a word."""
    if settings.PROVIDERS.get("streaming") != OUR_MEDIA_SERVER:
        return []
    hooks = urlsplit(settings.RTMP_HOOKS_URL)
    if hooks.scheme == "http" and validate_host(hooks.hostname or "", settings.ALLOWED_HOSTS):
        return []
    hint = "The media server speaks plain HTTP; add the host of RTMP_HOOKS_URL to ALLOWED_HOSTS."
    return [Error(f"{settings.RTMP_HOOKS_URL} is not heard.", hint=hint, id="providers.E004")]


@register("providers", deploy=True)
def uploads_are_reached(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Files in a bucket are not at our own address."""
    local = settings.PROVIDERS.get("credentials") == LOCAL_UPLOADS
    if local or settings.UPLOADS_URL not in ("", settings.PUBLIC_URL):
        return []
    hint = "UPLOADS_URL is the public address of the bucket, or of what serves its data/."
    return [Error("Nobody would find what is in the bucket of uploads.", hint=hint, id="providers.E005")]


def _problem(need: str, path: str) -> CheckMessage | None:
    try:
        provider = import_string(path)
    except ImportError as error:
        return Error(f"The {need} provider {path} cannot be imported: {error}", id="providers.E001")
    if provider.development_only:
        hint = f'Name a real provider in PROVIDERS["{need}"].'
        return Error(f"{path} only writes down what it would have sent.", hint=hint, id="providers.E002")
    if missing := [name for name in getattr(provider, "needs", ()) if not getattr(settings, name)]:
        return Error(f"{path} needs {', '.join(missing)}.", id="providers.E003")
    return None
