"""Who somebody is, in stars; in the clear for who may, with a reason, and written down (D37)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from heihei_site.console.acts import act, operator_of
from heihei_site.console.admin import ReadOnlyAdmin
from heihei_site.console.forms import ReasonForm
from heihei_site.postgres.sealed import WrongKey
from payment.services import alipay
from payment.withdrawal_models import AlipayAccount, AlipayOpening

UNREADABLE = "无法解密（SEAL_KEYS 缺少密钥）"


def people(ids: list[int]) -> SafeString:
    """Links to their pages."""
    links = ((reverse("admin:users_user_change", args=[each]), each) for each in ids)
    return format_html_join("　", '<a href="{}">{}</a>', links)


@admin.register(AlipayAccount)
class AlipayAccountAdmin(ReadOnlyAdmin):
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

    @act("查看完整资料", permissions=["payment.open_alipayaccount"], form=ReasonForm, note="查看会被记录，一次一个人")
    def open_details(
        self, request: HttpRequest, queryset: QuerySet[AlipayAccount], said: dict[str, Any]
    ) -> TemplateResponse | None:
        """Of one person at a time."""
        if queryset.count() != 1:
            self.message_user(request, "一次只能查看一个人", messages.WARNING)
            return None
        row, reason = queryset.select_related("owner").get(), said["reason"]
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
class AlipayOpeningAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "operator", "owner", "reason")
    list_select_related = ("operator", "owner")
    search_fields = ("=owner__id", "=operator__id")
    search_help_text = "用户 ID 或运营 ID"
    ordering = ("-pk",)
