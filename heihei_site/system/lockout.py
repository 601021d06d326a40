"""The door of the operators' console: who guesses passwords finds it shut, whoever is guessed at."""

from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from heihei_site.api import throttles

log = structlog.get_logger(__name__)

SHUT = "登录失败次数过多，请稍后再试"


class GuardedLogin(AuthenticationForm):
    """Counts what failed, by name and by address. Past either limit a right password is refused as well, and not even
    looked at, so nobody learns whether it was one. Counted in Redis for all processes; without it the door is open."""

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username", "")).casefold()
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        counted = {
            (settings.CONSOLE_FAILURES_A_NAME, "console-name", name),
            (settings.CONSOLE_FAILURES_AN_ADDRESS, "console-address", address),
        }
        if any(throttles.used_up(*limit) for limit in counted):
            log.warning("console_login_shut", name=name, address=address)
            raise ValidationError(SHUT, code="shut")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            for limit in counted:
                throttles.allowed(*limit)
            log.warning("console_login_failed", address=address)  # a name may be a password in the wrong field
            raise
        return cleaned
