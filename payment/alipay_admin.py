"""Who somebody is, in stars; in the clear for who may, with a reason, and written down (D37)."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import CharField, Form
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from heihei_site import console
from heihei_site.postgres.sealed import WrongKey
from payment.services import alipay
from payment.withdrawal_models import AlipayAccount, AlipayOpening

if TYPE_CHECKING:
    from users.models import User


class Reason(Form):
    reason = CharField(
        label="原因", max_length=200, widget=UnfoldAdminTextInputWidget, help_text="会和您的名字一起记录"
    )


class ReadOnly(ModelAdmin):
    """Looked at; changed by what people and jobs do."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


UNREADABLE = "无法解密（SEAL_KEYS 缺少密钥）"


def operator_of(request: HttpRequest) -> "User":
    assert request.user.is_authenticated
    return request.user


def people(ids: list[int]) -> SafeString:
    """Links to their pages."""
    links = ((reverse("admin:users_user_change", args=[each]), each) for each in ids)
    return format_html_join("　", '<a href="{}">{}</a>', links)


@admin.register(AlipayAccount)
class AlipayAccountAdmin(ReadOnly):
    list_display = ("owner", "account_shown", "name_shown", "verified_at")
    list_select_related = ("owner",)
    search_fields = ("=owner__id",)
    search_help_text = "用户 ID"
    ordering = ("-verified_at", "-pk")
    fields = ("owner", "account_shown", "name_shown", "idcard_shown", "phone_shown", "verified_at", "others")
    actions = ("open_details",)

    @display(description="支付宝账号")
    def account_shown(self, row: AlipayAccount) -> str:
        return self.masked(row).account

    @display(description="姓名")
    def name_shown(self, row: AlipayAccount) -> str:
        return self.masked(row).name

    @display(description="身份证")
    def idcard_shown(self, row: AlipayAccount) -> str:
        return self.masked(row).idcard

    @display(description="手机号")
    def phone_shown(self, row: AlipayAccount) -> str:
        return self.masked(row).phone

    @staticmethod
    def masked(row: AlipayAccount) -> alipay.Details:
        details = alipay.readable(row)
        return details.masked() if details else alipay.Details(*[UNREADABLE] * 4)

    @display(description="同一身份证或账号的其他用户")
    def others(self, row: AlipayAccount) -> SafeString:
        return people(alipay.others_of(row)) or format_html("{}", "无")

    def has_open_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payment.open_alipayaccount")

    @admin.action(description="查看完整资料（会被记录）", permissions=["open"])
    def open_details(self, request: HttpRequest, queryset: QuerySet[AlipayAccount]) -> TemplateResponse | None:
        """Of one person at a time."""
        if queryset.count() != 1:
            self.message_user(request, "一次只能查看一个人", messages.WARNING)
            return None
        form = console.answer(request, Reason)
        if not form.is_valid():
            return console.ask(self, request, queryset, form, action="open_details", title="查看完整资料")
        row, reason = queryset.select_related("owner").get(), form.cleaned_data["reason"]
        try:
            details = alipay.open_for(operator=operator_of(request), person_id=row.pk, reason=reason)
        except WrongKey:
            self.message_user(request, UNREADABLE, messages.ERROR)
            return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "完整资料",
            "person": row.owner,
            "details": details,
            "reason": reason,
        }
        response = TemplateResponse(request, "payment/opened.html", context)
        response["Cache-Control"] = "no-store"
        return response


@admin.register(AlipayOpening)
class AlipayOpeningAdmin(ReadOnly):
    list_display = ("created_at", "operator", "owner", "reason")
    list_select_related = ("operator", "owner")
    search_fields = ("=owner__id", "=operator__id")
    search_help_text = "用户 ID 或运营 ID"
    ordering = ("-pk",)
