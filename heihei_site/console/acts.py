"""Deeds of operators, each written down before it is done."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.enums import ActionVariant

from heihei_site.console import values
from heihei_site.console.models import WORDS, Act, name_of

if TYPE_CHECKING:
    from heihei_site.console.admin import ConsoleAdmin
    from users.models import User

MOST = 100  # rows that one deed may be about

Deed = Callable[..., HttpResponse | None]


def record(
    operator: "User | None",
    verb: str,
    about: Model | type[Model],
    *,
    reason: str = "",
    details: dict[str, Any] | None = None,
    address: str = "",
) -> Act:
    """Part of the caller's transaction, if there is one. `about` is a row, or a model where it is the whole list."""
    act = _act(operator, verb, about, reason, details or {}, address)
    act.save(force_insert=True)
    return act


def record_for(
    request: HttpRequest,
    verb: str,
    about: Model | type[Model],
    *,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> Act:
    """By whoever is signed in to the console, from where they are."""
    return record(operator_of(request), verb, about, reason=reason, details=details, address=address_of(request))


def act(
    description: str, *, permissions: Sequence[str], form: type[Form] | None = None, note: str = ""
) -> Callable[[Deed], Deed]:
    """Makes an action of a `ConsoleAdmin` out of `def deed(self, request, queryset)` or, where a form is asked first,
    `def deed(self, request, queryset, said)` with the form's `cleaned_data`.

    It may stand in `actions` (of the list), and by the same name in `actions_detail` and `actions_row` (buttons
    about one row, that ask before anything happens). `permissions` are all needed: `"change"` asks the class's
    `has_change_permission`, `"app.codename"` the person. `note` is read by who is asked. One `Act` a row is committed
    before the deed runs: what fails half-way was begun by somebody. More than MOST rows are refused.
    """
    verb = description.replace("所选", "")

    def decorate(deed: Deed) -> Deed:
        @wraps(deed)
        def action(
            console: "ConsoleAdmin", request: HttpRequest, queryset: QuerySet[Any] | None = None, *, object_id: str = ""
        ) -> HttpResponse | None:
            if not console.may(request, permissions):
                raise PermissionDenied
            chosen = queryset if queryset is not None else _one(console, request, object_id)
            rows = list(chosen[: MOST + 1])
            if len(rows) > MOST:
                console.message_user(request, f"一次最多 {MOST} 条，请缩小范围；什么都没有做", messages.ERROR)
                return None
            said: tuple[dict[str, Any], ...] = ()
            details: dict[str, Any] = {}
            if form is not None or request.method != "POST":
                asked = (form or Form)(request.POST) if "answered" in request.POST else (form or Form)()
                if not asked.is_valid():
                    return _ask(console, request, rows, asked, name=deed.__name__, title=verb, note=note)
                if form is not None:
                    said, details = (asked.cleaned_data,), values.filled_in(asked, without="reason")
            reason = str(said[0].get("reason", "")) if said else ""
            _commit([_act(operator_of(request), verb, row, reason, details, address_of(request)) for row in rows])
            answer = deed(console, request, chosen.filter(pk__in=[row.pk for row in rows]), *said)
            if answer is None and queryset is None:
                return HttpResponseRedirect(_back(console, request, object_id))
            return answer

        action.short_description = description  # type: ignore[attr-defined]  # as Django and unfold look for them
        action.needs = tuple(permissions)  # type: ignore[attr-defined]
        action.attrs = {}  # type: ignore[attr-defined]
        action.variant = ActionVariant.DEFAULT  # type: ignore[attr-defined]
        return action

    return decorate


def operator_of(request: HttpRequest) -> "User":
    assert request.user.is_authenticated
    return request.user


def address_of(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _act(
    operator: "User | None", verb: str, about: Model | type[Model], reason: str, details: dict[str, Any], address: str
) -> Act:
    row = about if isinstance(about, Model) else None
    return Act(
        operator=operator,
        verb=verb[:64],
        model=name_of(type(about) if isinstance(about, Model) else about),
        object_id=str(row.pk)[:64] if row is not None else "",
        words=(str(row) if row is not None else str(about._meta.verbose_name_plural))[:WORDS],
        reason=reason[:WORDS],
        details=details,
        address=address[:45],
    )


def _commit(rows: Iterable[Act]) -> None:
    with transaction.atomic(durable=True):
        Act.objects.bulk_create(rows)


def _one(console: "ConsoleAdmin", request: HttpRequest, object_id: str) -> QuerySet[Any]:
    row = console.get_object(request, unquote(object_id))
    if row is None:
        raise Http404
    found: QuerySet[Any] = console.get_queryset(request).filter(pk=row.pk)
    return found


def _ask(
    console: "ConsoleAdmin", request: HttpRequest, rows: list[Any], form: Form, *, name: str, title: str, note: str
) -> TemplateResponse:
    """The page with the form, what it is about, and a button that does it; what was wrong with the last answer."""
    context = {
        **console.admin_site.each_context(request),
        "opts": console.model._meta,
        "title": title,
        "note": note,
        "form": form,
        "media": console.media + form.media,
        "about": rows,
        "action": name,
        "checkbox": ACTION_CHECKBOX_NAME,
        "back": request.POST.get("back") or request.headers.get("Referer", ""),
    }
    return TemplateResponse(request, "console/ask.html", context)


def _back(console: "ConsoleAdmin", request: HttpRequest, object_id: str) -> str:
    """Where the button was pressed; the list, if the row is not among its rows any more."""
    meta = console.model._meta
    if console.get_object(request, unquote(object_id)) is None:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}):
        return back
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[object_id])
