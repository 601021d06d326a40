"""What is sold, who bought it, and what gateways said. Operators change the packages; the rest they can only read, and
with the permission `payment.refund_order` pay back."""

from collections import Counter
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import TabularInline
from unfold.decorators import display

from heihei_site.console.acts import act, operator_of
from heihei_site.console.admin import ConsoleAdmin, ReadOnlyAdmin
from heihei_site.console.tunables import tunables
from payment.order_models import Bill, BillLine, Channel, Notification, Order, Package, Refund
from payment.services import refunds

ID_DIGITS = 10  # ids of people are below 2^31 (D6)


@admin.register(Package)
class PackageAdmin(ConsoleAdmin):
    list_display = ("id", "channel", "product_id", "desc", "gold", "price", "rate", "active", "position")
    list_editable = ("active", "position")
    list_filter = ("channel", "active")
    search_fields = ("=id", "product_id")

    @admin.display(description="价格", ordering="pay_money")
    def price(self, package: Package) -> str:
        return yuan(package.pay_money)

    @admin.display(description="每元钻石")
    def rate(self, package: Package) -> str:
        """Beside the others' a slip of the finger shows."""
        return f"{100 * package.gold / package.pay_money:.1f}"

    def get_readonly_fields(self, request: HttpRequest, obj: Package | None = None) -> tuple[str, ...]:
        return ("channel",) if obj else ()  # a package of another channel would be another package

    def has_delete_permission(self, request: HttpRequest, obj: Package | None = None) -> bool:
        return False


class Inline(TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NotificationInline(Inline):
    model = Notification
    fields = readonly_fields = ("received_at", "source", "verdict", "reason", "trade_state", "settled_at")


class RefundInline(Inline):
    model = Refund
    fields = readonly_fields = ("number", "state", "gold", "reason", "by", "refused", "created_at", "settled_at")


class RefundForm(forms.Form):
    reason = forms.CharField(label="退款原因", max_length=100)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    ordering = ("-id",)
    list_display = ("number", "buyer", "channel", "gold", "price", "how", "created_at", "paid_at")
    list_filter = ("state", "channel")
    list_select_related = ("buyer",)
    search_fields = ("number", "gateway_number")
    search_help_text = "用户 ID、订单号或渠道流水号"
    inlines = (NotificationInline, RefundInline)
    actions = ("refund",)
    exclude = ("begun",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """By index, however many there are (D40): a person by their id, which is shorter than numbers of orders."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.isascii() and term.isdigit() and len(term) <= ID_DIGITS:
            return queryset.filter(buyer=int(term)), False
        return queryset.filter(Q(number=term) | Q(channel__in=Channel.values, gateway_number=term)), False

    @admin.display(description="金额", ordering="pay_money")
    def price(self, order: Order) -> str:
        return yuan(order.pay_money)

    @display(description="状态", ordering="state", label={"已支付": "success", "已退款": "danger", "待支付": "info"})
    def how(self, order: Order) -> str:
        return order.get_state_display()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """The caps that are in force, where those look who wonder why somebody was refused."""
        caps = f"每日充值上限:{yuan(tunables.RECHARGE_CAP)};注册不满 {tunables.RECHARGE_NEW_FOR.days} 天 "
        caps += f"{yuan(tunables.RECHARGE_CAP_NEW)};未成年人 "
        caps += "不可充值" if tunables.MINOR_PROTECTION else yuan(tunables.RECHARGE_CAP_MINOR)
        return super().changelist_view(request, {"title": f"充值订单（{caps}）", **(extra_context or {})})

    @act("退款所选订单", permissions=["payment.refund_order"], form=RefundForm)
    def refund(self, request: HttpRequest, queryset: QuerySet[Order], said: dict[str, Any]) -> None:
        """The gold is taken back at once, what is spent is owed; the gateway is asked by a job."""
        done = Counter(self._refunded(request, order, said["reason"]) for order in queryset)
        self.message_user(
            request,
            f"已发起 {done[True]} 笔退款，{done[False]} 笔不能退款（未支付、已在退款，或须由 App Store 退款）",
            messages.WARNING if done[False] else messages.SUCCESS,
        )

    def _refunded(self, request: HttpRequest, order: Order, reason: str) -> bool:
        try:
            refunds.begin(order, by=operator_of(request), reason=reason)
        except refunds.NotRefundable:
            return False
        return True


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    ordering = ("-id",)
    list_display = ("number", "order", "state", "gold", "reason", "by", "refused", "created_at", "settled_at")
    list_filter = ("state",)
    list_select_related = ("order", "by")
    search_fields = ("=number", "=order__number", "=order__buyer__id")


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    ordering = ("-id",)
    list_display = ("received_at", "channel", "source", "verdict", "reason", "order", "trade_state", "settled_at")
    list_filter = ("verdict", "channel", "source")
    list_select_related = ("order",)
    search_fields = ("=order__number", "=gateway_number", "=address")
    search_help_text = "订单号、渠道流水号或来源地址"


class BillLineInline(Inline):
    model = BillLine
    fields = readonly_fields = ("order_number", "gateway_number", "fen")
    show_change_link = False


@admin.register(Bill)
class BillAdmin(ReadOnlyAdmin):
    list_display = ("day", "channel", "fetched_at")
    list_filter = ("channel",)
    ordering = ("-day", "channel")
    inlines = (BillLineInline,)


def yuan(fen: int) -> str:
    return f"¥{fen / 100:,.2f}"
