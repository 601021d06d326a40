"""Operators put lives before all others in the lists, in an order of their own and until a moment (ADR 0010)."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from heihei_site.console.acts import act
from heihei_site.console.admin import ConsoleAdmin
from live.models import Live
from live.services import feeds


class RecommendForm(forms.Form):
    place = forms.IntegerField(
        label="推荐顺序",
        required=False,
        min_value=0,
        max_value=2**15 - 1,
        help_text="小的在前；留空：排在最后",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    until = forms.DateTimeField(
        label="推荐到",
        required=False,
        help_text="留空：一直推荐",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )

    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until is not None and until <= timezone.now():
            raise forms.ValidationError("这个时间已经过去")
        return until


class Recommending(ConsoleAdmin):
    @act("推荐所选直播", permissions=["change"], form=RecommendForm)
    def recommend(self, request: HttpRequest, queryset: QuerySet[Live], said: dict[str, Any]) -> None:
        """A live that is over is in no list that could begin with it."""
        many = feeds.recommend(list(queryset), **said)
        self.message_user(request, f"已推荐 {many} 场直播", messages.SUCCESS if many else messages.WARNING)

    @act("取消推荐所选直播", permissions=["change"])
    def stop_recommending(self, request: HttpRequest, queryset: QuerySet[Live]) -> None:
        many = feeds.stop_recommending(list(queryset))
        self.message_user(request, f"已取消 {many} 场直播的推荐", messages.SUCCESS if many else messages.WARNING)
