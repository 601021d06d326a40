"""Actions of the operators' console that ask for something before they happen, on a page of their own."""

from typing import Any, TypeVar

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

MOST = 100  # rows that one such action may be about

AnyForm = TypeVar("AnyForm", bound=Form)


def answer(request: HttpRequest, form: type[AnyForm]) -> AnyForm:
    """The form as it was filled in, or an empty one, which is never valid."""
    return form(request.POST) if "answered" in request.POST else form()


def ask(
    console: ModelAdmin, request: HttpRequest, about: QuerySet[Any], form: Form, *, action: str, title: str
) -> TemplateResponse:
    """The page with the form, what it is about, and a button that does it; what was wrong with the last answer."""
    context = {
        **console.admin_site.each_context(request),
        "opts": console.model._meta,
        "title": title,
        "form": form,
        "media": console.media + form.media,
        "about": about[:MOST],
        "most": MOST if about.count() > MOST else None,
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "system/ask.html", context)
