from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from heihei_site.console.admin import ConsoleAdmin, ReadOnlyAdmin
from payment.exchange_models import Exchange, P2gPackage


@admin.register(P2gPackage)
class P2gPackageAdmin(ConsoleAdmin):
    list_display = ("id", "desc", "point", "gold", "rate", "active", "order")
    list_display_links = ("id", "desc")
    list_editable = ("active", "order")
    list_filter = ("active",)
    search_fields = ("=id", "desc")
    fields = ("desc", "point", "gold", "active", "order")

    @admin.display(description="每百黑票钻石")
    def rate(self, package: P2gPackage) -> str:
        """Beside the others' a slip of the finger shows."""
        return f"{100 * package.gold / package.point:.1f}"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # exchanges name it


@admin.register(Exchange)
class ExchangeAdmin(ReadOnlyAdmin):
    """Read-only."""

    list_display = ("number", "owner", "point", "gold", "point_after", "created_at")
    list_select_related = ("owner",)
    search_fields = ("=owner__id", "=number")
    search_help_text = "用户 ID 或编号"
    ordering = ("-created_at", "-number")
