"""What operators give and take back: proposed by one, decided by another (ADR 20)."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import CharField, Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from heihei_site.console.acts import act, operator_of
from payment.credit_models import Credit
from payment.queue_admin import ByState, QueueAdmin
from payment.services import credits
from payment.services.decisions import Undecided

STATES = {"待审批": "warning", "已入账": "success", "已拒绝": "danger", "已过期": "info"}
PROPOSED = ("owner", "kind", "gold", "point", "reason")


class Refusal(Form):
    reason = CharField(label="拒绝原因", max_length=200, widget=UnfoldAdminTextInputWidget, help_text="申请人会看到")


@admin.register(Credit)
class CreditAdmin(QueueAdmin):
    list_display = (
        "number", "owner", "kind", "moved", "reason", "proposed_by", "waited", "state_shown", "decided_by",
    )  # fmt: skip
    list_filter = (ByState, "kind")
    list_select_related = ("owner", "proposed_by", "decided_by")
    search_fields = ("=number", "=owner__id", "=proposed_by__id")
    search_help_text = "编号、用户 ID 或申请人 ID"
    raw_id_fields = ("owner",)
    actions = ("approve", "refuse")
    actions_detail = ("approve", "refuse")  # type: ignore[assignment]  # buttons on the page of one

    @admin.display(description="数额")
    def moved(self, row: Credit) -> str:
        return row.moved

    @display(description="状态", label=STATES, ordering="state")
    def state_shown(self, row: Credit) -> str:
        return row.get_state_display()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payment.propose_credit")

    def get_fields(self, request: HttpRequest, obj: Credit | None = None) -> tuple[str, ...]:
        if obj is None:
            return PROPOSED
        return ("number", *PROPOSED, "state_shown", "proposed_by", "created_at", "expires_at", "decided_by", "refusal",
                "closed_at")  # fmt: skip

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """What is refused can be said again otherwise: the form is as it was."""
        try:
            return super().add_view(request, form_url, extra_context)
        except Undecided as why:
            self.message_user(request, f"{why}", messages.ERROR)
            said = {name: request.POST[name] for name in PROPOSED}
            return HttpResponseRedirect(f"{request.path}?{urlencode(said)}")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in PROPOSED}
        obj.pk = credits.propose(operator=operator_of(request), **said).pk
        obj.refresh_from_db()

    @act("批准所选申请", permissions=["payment.approve_credit"], note="批准后立即入账，并通知用户")
    def approve(self, request: HttpRequest, queryset: QuerySet[Credit]) -> None:
        self.decide(
            request,
            queryset,
            lambda row: credits.approve(operator=operator_of(request), credit_id=row.pk),
            "已批准",
        )

    @act("拒绝所选申请", permissions=["payment.approve_credit"], form=Refusal)
    def refuse(self, request: HttpRequest, queryset: QuerySet[Credit], said: dict[str, Any]) -> None:
        self.decide(
            request,
            queryset,
            lambda row: credits.refuse(operator=operator_of(request), credit_id=row.pk, reason=said["reason"]),
            "已拒绝",
        )
