"""The door of the operators' console: who guesses passwords finds it shut, whoever is guessed at."""

from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from heihei_site.api import throttles
from heihei_site.console import acts
from users.models import User

log = structlog.get_logger(__name__)

SHUT = "登录失败次数过多，请稍后再试"


class GuardedLogin(AuthenticationForm):
    """Counts what failed, by name and by address. Past either limit a right password is refused as well, and not even
    looked at, so nobody learns whether it was one. Counted in Redis for all processes; without it the door is open."""

    error_messages = {**AuthenticationForm.error_messages, "invalid_login": "账号或密码不对（区分大小写）"}

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username", "")).casefold()
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        counted = {  # names are not logged: one may be a password in the wrong field
            (settings.CONSOLE_FAILURES_A_NAME, "console-name", name),
            (settings.CONSOLE_FAILURES_AN_ADDRESS, "console-address", address),
        }
        if any(throttles.used_up(*limit) for limit in counted):
            log.warning("console_login_shut", address=address)
            raise ValidationError(SHUT, code="shut")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            for limit in counted:
                throttles.allowed(*limit)
            log.warning("console_login_failed", address=address)
            shut = any(throttles.used_up(*limit) for limit in counted)
            self.write_down("登录失败，已锁定" if shut else "登录失败", self.meant(name), address)
            raise
        if self.get_user() is not None:  # where a field is empty nobody has been looked for
            self.write_down("登录", self.get_user(), address)
        return cleaned

    @staticmethod
    def meant(name: str) -> User | None:
        return User.objects.filter(is_staff=True, username__iexact=name).first() if name else None

    def write_down(self, verb: str, who: User | None, address: str) -> None:
        """Who failed is nobody yet. What is refused at a shut door is not written: there could be any number of it."""
        operator = who if verb == "登录" else None
        acts.record(operator, verb, who or User, address=address)
