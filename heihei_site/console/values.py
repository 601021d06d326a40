"""Values as an act keeps them: JSON that a person can read, and no secrets."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.core.files import File
from django.db.models import Model
from django.db.models.fields.files import FieldFile
from django.forms import BaseForm, Field
from django.forms.models import BaseModelFormSet, ModelChoiceField

from heihei_site.console.models import NEW, OLD

HIDDEN = "***"
LONGEST = 1000  # characters of one value
_SECRET = re.compile(r"password|secret|token|private|phone|idcard")

Values = dict[str, Any]


def is_secret(name: str) -> bool:
    return _SECRET.search(name.lower()) is not None


def plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, date | timedelta):  # datetime is a date
        return str(value)
    if isinstance(value, FieldFile | File):
        return value.name or ""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Model):
        return (
            {str(key): plain(each) for key, each in value.items()}
            if isinstance(value, dict)
            else list(map(plain, value))
        )
    return str(value)[:LONGEST]


def filled_in(form: BaseForm, *, without: str = "") -> Values:
    """What somebody said in it, by its labels; not the field that is kept elsewhere."""
    return {
        _label(form.fields[name], name): HIDDEN if _hides(form, name) else _shown(form.fields[name], value)
        for name, value in form.cleaned_data.items()
        if name in form.fields and name != without and value not in (None, "")
    }


def changed(form: BaseForm, formsets: "Iterable[BaseModelFormSet[Any, Any]]" = ()) -> Values:
    """`{label: {旧: …, 新: …}}` of a form that was saved, and of the rows below it."""
    found = _changed_in(form)
    for rows in formsets:
        name = str(rows.model._meta.verbose_name)  # type: ignore[union-attr]  # a formset of an admin has one
        found |= {f"添加{name}": pair(None, str(row)) for row in rows.new_objects}
        found |= {f"删除{name} {row.pk or ''}".strip(): pair(str(row), None) for row in rows.deleted_objects}
        edited = {row.pk for row, _ in rows.changed_objects}
        for each in rows.initial_forms:
            if each.instance.pk in edited:
                found |= {f"{name} {each.instance}·{label}": both for label, both in _changed_in(each).items()}
    return found


def pair(old: Any, new: Any) -> Values:
    return {OLD: old, NEW: new}


def of_row(row: Model) -> Values:
    """What a form could show of it."""
    return {
        str(field.verbose_name): HIDDEN if is_secret(field.name) else plain(field.value_from_object(row))
        for field in row._meta.concrete_fields
        if field.editable and not field.primary_key
    }


def _changed_in(form: BaseForm) -> Values:
    found = {}
    for name in form.changed_data:
        field = form.fields.get(name)
        if field is None or _hides(form, name):  # a form of a new password says "password", which is no field of it
            found[_label(field, name)] = pair(HIDDEN, HIDDEN)
        else:
            old, new = form.get_initial_for_field(field, name), form.cleaned_data.get(name)
            found[_label(field, name)] = pair(_shown(field, old), _shown(field, new))
    return found


def _label(field: Field | None, name: str) -> str:
    return str(field.label or name) if field is not None else name


def _hides(form: BaseForm, name: str) -> bool:
    return is_secret(name) or getattr(form.fields[name].widget, "input_type", "") == "password"


def _shown(field: Field, value: Any) -> Any:
    """In the words of the choice, where there are some."""
    if isinstance(field, ModelChoiceField):
        if value is None or isinstance(value, Model):
            return plain(value)
        if isinstance(value, Iterable) and not isinstance(value, str):
            return [str(each) for each in value]
        chosen = (
            field.queryset.filter(**{field.to_field_name or "pk": value}).first()
            if field.queryset is not None
            else None
        )
        return plain(chosen or value)
    choices = dict(getattr(field, "choices", ()))
    return str(choices[value]) if value in choices and isinstance(value, str | int) else plain(value)
