"""The catalogue is the operators'; the ledger they can only read."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import action

from heihei_site.console.admin import ConsoleAdmin, ReadOnlyAdmin
from payment import alipay_admin, credit_admin, exchange_admin, withdrawal_admin  # noqa: F401  (they register themselves)
from payment.models import Account, Currency, Entry, Gift, GiftResource, Transfer
from payment.reconciliation import PROMISES, breaches
from payment.selectors import address_of, all_resources

GIFTS_A_PAGE = 10  # of the 1.1 app, which drops an incomplete last page (D28)


class GiftResourceInline(TabularInline):
    model = GiftResource
    extra = 0


@admin.register(Gift)
class GiftAdmin(ConsoleAdmin):
    list_display = ("id", "picture", "name", "gold", "type", "active", "order")
    list_display_links = ("id", "name")
    list_editable = ("active", "order")
    list_filter = ("active", "type")
    search_fields = ("id", "name")
    inlines = (GiftResourceInline,)

    @admin.display(description="图片")
    def picture(self, gift: Gift) -> SafeString:
        return format_html(
            '<img src="{}" alt="" width="36" height="36" style="background:rgb({},{},{});border-radius:8px">',
            address_of(gift.image, ""),
            gift.red,
            gift.green,
            gift.blue,
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        active = Gift.objects.filter(active=True).count()
        if request.method == "GET" and active % GIFTS_A_PAGE:
            text = f"上架礼物现有 {active} 个,不是 {GIFTS_A_PAGE} 的倍数:1.1 版客户端不显示不满一页的礼物。"
            messages.warning(request, text)
        return super().changelist_view(request, extra_context)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        all_resources.changed()

    def get_readonly_fields(self, request: HttpRequest, obj: Gift | None = None) -> tuple[str, ...]:
        return ("id",) if obj else ()  # another id would be another gift

    def has_delete_permission(self, request: HttpRequest, obj: Gift | None = None) -> bool:
        return False


class LedgerAdmin(ReadOnlyAdmin):
    """Read-only. Searched by user id or by text, each by its index: these tables only grow (D40)."""

    person_lookup: ClassVar[str]
    text_lookup: ClassVar[str]
    ordering = ("-id",)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [self.person_lookup, self.text_lookup]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The flag says that a person's transfer may be found by each of its legs."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.isascii() and term.isdigit():
            return queryset.filter(**{self.person_lookup: int(term)}), "entries" in self.person_lookup
        return queryset.filter(**{self.text_lookup: term}), False


@admin.register(Account)
class AccountAdmin(LedgerAdmin):
    list_display = ("id", "owner", "name", "currency", "balance")
    list_filter = ("currency",)
    list_select_related = ("owner",)
    person_lookup = "owner"
    text_lookup = "name"
    search_help_text = "用户 ID 或内部账户名称"


class EntryInline(TabularInline):
    model = Entry
    extra = 0
    fields = readonly_fields = ("account", "currency", "amount", "balance_after")
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).select_related("account")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Transfer)
class TransferAdmin(LedgerAdmin):
    actions_list = ("reconciliation",)  # type: ignore[assignment]  # any number of them
    list_display = ("id", "reason", "key", "created_at")
    list_filter = ("reason",)
    person_lookup = "entries__account__owner"
    text_lookup = "key__startswith"
    search_help_text = "用户 ID,或幂等键的开头"
    inlines = (EntryInline,)

    @action(description="对账", url_path="reconciliation", permissions=["view"])  # type: ignore[operator]  # unfold's own types
    def reconciliation(self, request: HttpRequest) -> TemplateResponse:
        """Every promise of the money, and what breaks it; read anew at each call."""
        found: dict[str, list[str]] = {promise: [] for promise in PROMISES}
        for breach in breaches():
            found[breach.promise].append(breach.detail)
        owed = Account.objects.filter(currency=Currency.DEBT).aggregate(sum=Sum("balance"))["sum"] or 0
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "对账",
            "promises": found.items(),
            "sound": not any(found.values()),
            "owed": owed,
        }
        return TemplateResponse(request, "payment/reconciliation.html", context)


@admin.register(Entry)
class EntryAdmin(LedgerAdmin):
    list_display = ("id", "transfer", "account", "currency", "amount", "balance_after")
    list_filter = ("currency",)
    list_select_related = ("transfer", "account")
    person_lookup = "account__owner"
    text_lookup = "transfer__key"
    search_help_text = "用户 ID 或幂等键"


from payment import order_admin  # noqa: E402, F401  registers itself
