"""Absolute addresses (D41): what one caller is told follows its own host, what is stored follows PUBLIC_URL."""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def base_url(request: Request | HttpRequest) -> str:
    """PUBLIC_URL where set, else the host the caller used (Django has checked it against ALLOWED_HOSTS)."""
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    return f"{request.scheme}://{request.get_host()}"


def public_url() -> str:
    """The base for addresses that are stored, pushed, or made by a job."""
    return settings.PUBLIC_URL or f"http://127.0.0.1:{settings.PORT}"
