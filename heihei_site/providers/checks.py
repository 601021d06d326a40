from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string


@register("providers", deploy=True)
def providers_are_real(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Import every configured provider; a development twin has no place in a deployment, nor has one
    without its keys."""
    return [problem for need, path in settings.PROVIDERS.items() if (problem := _problem(need, path))]


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
