"""The operators' queue of withdrawals (D37): above a limit two of them agree."""

from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.forms import CharField, Form
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from heihei_site.console.acts import act, operator_of
from heihei_site.jobs import NoWorker, hand_over
from heihei_site.postgres.sealed import WrongKey
from payment import ledger, limits, masks, tasks
from payment.alipay_admin import UNREADABLE
from payment.queue_admin import QueueAdmin
from payment.services import decisions
from payment.withdrawal_models import Decision, Withdrawal, asked_lately, yuan

STATES = {
    "待审核": "warning",
    "待打款": "info",
    "打款中": "info",
    "已到账": "success",
    "已退回": "danger",
}


class ReturnReason(Form):
    reason = CharField(label="退回原因", max_length=200, widget=UnfoldAdminTextInputWidget, help_text="用户会看到")


class Decisions(TabularInline):
    model = Decision
    fields = readonly_fields = ("operator", "approved", "created_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Withdrawal)
class WithdrawalAdmin(QueueAdmin):
    list_display = (
        "number", "owner", "amount", "payee", "waited", "state_shown", "approvals", "created_at", "last_answer",
    )  # fmt: skip
    list_select_related = ("owner",)
    search_fields = ("=owner__id", "=number", "=gateway_number")
    search_help_text = "用户 ID、编号或支付宝单号"
    fields = (
        "number", "owner", "debt", "account_link", "amount", "point", "payee", "state_shown", "approvals", "created_at",
        "tries", "due_at", "last_answer", "gateway_number", "return_reason", "closed_at",
    )  # fmt: skip
    inlines = (Decisions,)
    actions = actions_detail = ("approve", "reject")  # type: ignore[assignment]  # unfold's own are none
    actions_list = ("show_limits",)  # type: ignore[assignment]  # buttons above the list

    def get_queryset(self, request: HttpRequest) -> QuerySet[Withdrawal]:
        agreed = Count("decisions", filter=Q(decisions__approved=True))
        rows: QuerySet[Withdrawal] = super().get_queryset(request).annotate(agreed=agreed, lately=asked_lately())
        return rows

    @display(description="金额")
    def amount(self, row: Withdrawal) -> str:
        return f"¥{row.yuan}"

    @display(description="收款人")
    def payee(self, row: Withdrawal) -> str:
        if not row.account:
            return "—"
        try:
            return f"{masks.account(row.account.open())} {masks.name(row.name.open())}"
        except WrongKey:
            return UNREADABLE

    @display(description="状态", label=STATES, ordering="state")
    def state_shown(self, row: Withdrawal) -> str:
        return row.get_state_display()

    @display(description="同意")
    def approvals(self, row: Withdrawal) -> str:
        """Where its person asked for others within 24 hours, what they come to together: that is what counts."""
        together = "" if row.lately <= row.fen else f"（24 小时内 ¥{yuan(row.lately)}）"
        return f"{row.agreed} / {row.approvals_needed}{together}"  # type: ignore[attr-defined]

    @display(description="欠款(钻石)")
    def debt(self, row: Withdrawal) -> int:
        """Of a refund whose gold was spent: who owes that is looked at twice."""
        return ledger.debt(row.owner_id)

    @display(description="实名资料")
    def account_link(self, row: Withdrawal) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:payment_alipayaccount_change", args=[row.owner_id]), "支付宝账号"
        )

    @act("同意所选提现", permissions=["payment.decide_withdrawal"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Withdrawal]) -> None:
        """Paid a moment after the last approval that is needed."""

        def deed(row: Withdrawal) -> None:
            if (
                decisions.approve(operator=operator_of(request), withdrawal_id=row.pk).state
                == Withdrawal.State.APPROVED
            ):
                hurry(row.pk)

        self.decide(request, queryset, deed, "已同意")

    @act("退回所选提现", permissions=["payment.decide_withdrawal"], form=ReturnReason)
    def reject(self, request: HttpRequest, queryset: QuerySet[Withdrawal], said: dict[str, Any]) -> None:
        def deed(row: Withdrawal) -> None:
            decisions.reject(operator=operator_of(request), withdrawal_id=row.pk, reason=said["reason"])

        self.decide(request, queryset, deed, "已退回")

    @action(description="限额", url_path="limits", permissions=["view"])  # type: ignore[operator]  # a decorator, whatever unfold says
    def show_limits(self, request: HttpRequest) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "限额",
            "limits": limits.shown(),
        }
        return TemplateResponse(request, "payment/limits.html", context)


def hurry(withdrawal_id: int) -> None:
    """The sweep finds it all the same."""
    with suppress(NoWorker):
        hand_over(tasks.pay_withdrawal, withdrawal_id)
