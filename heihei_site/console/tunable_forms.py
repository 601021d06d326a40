"""What operators fill in to change a setting: one field of its kind, and the reason. Cleaned, it is what is kept."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from heihei_site.console.forms import ReasonForm
from heihei_site.console.tunable_kinds import Fen, Hours, Numbered, Switch, Tunable


class YuanField(forms.DecimalField):
    """Shows and takes yuan for what is kept in fen."""

    widget = UnfoldAdminDecimalFieldWidget

    def prepare_value(self, value: Any) -> Any:
        return f"{value / 100:.2f}" if type(value) is int else value

    def clean(self, value: Any) -> int:
        return int(super().clean(value) * 100)


class HoursField(forms.CharField):
    """`23-8` for [23, 8]."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return "-".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[int]:
        hours = super().clean(value).replace("–", "-").split("-")
        if len(hours) != 2 or not all(re.fullmatch("[0-9]{1,2}", hour) and int(hour) < 24 for hour in hours):
            raise ValidationError("请填两个 0–23 的整点，用“-”隔开，例如 23-8")
        return [int(hour) for hour in hours]


def field_of(tunable: Tunable[Any]) -> forms.Field:
    if isinstance(tunable, Fen):
        least, most = tunable.least / 100, tunable.most / 100
        return YuanField(
            label=f"{tunable.label}（元）",
            min_value=least,
            max_value=most,
            decimal_places=2,
            help_text=f"{tunable.hint}可填 {least:,.2f}–{most:,.2f}",
        )
    if isinstance(tunable, Numbered):
        return forms.IntegerField(
            label=f"{tunable.label}（{tunable.unit}）",
            min_value=tunable.least,
            max_value=tunable.most,
            help_text=f"{tunable.hint}可填 {tunable.least:,}–{tunable.most:,}",
            widget=UnfoldAdminIntegerFieldWidget,
        )
    if isinstance(tunable, Hours):
        return HoursField(label=tunable.label, help_text=f"{tunable.hint}起止整点，例如 23-8；两个相同表示没有")
    assert isinstance(tunable, Switch)
    return forms.BooleanField(
        label=tunable.label, required=False, help_text=tunable.hint, widget=UnfoldBooleanSwitchWidget
    )


class TuneForm(ReasonForm):
    """Of who `resets` it only the reason is asked."""

    def __init__(self, tunable: Tunable[Any], data: Any = None, *, value: Any, resets: bool = False) -> None:
        super().__init__(data, initial={"value": value})
        if not resets:
            self.fields["value"] = field_of(tunable)
            self.order_fields(["value", "reason"])
