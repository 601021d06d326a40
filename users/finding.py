"""By what operators find people: ids, names, and the phone number where they may. No page shows one."""

from collections.abc import Sequence

from django.http import HttpRequest


def with_phone(request: HttpRequest, fields: Sequence[str], phone: str) -> tuple[str, ...]:
    return (*fields, phone) if request.user.has_perm("users.find_by_phone") else tuple(fields)
