from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from heihei_site.console.admin import ConsoleAdmin, ReadOnlyAdmin
from payment.exchange_models import Exchange, P2gPackage


@admin.register(P2gPackage)
class P2gPackageAdmin(ConsoleAdmin):
    list_display = ("id", "desc", "point", "gold", "active", "order")
    list_display_links = ("id", "desc")
    list_editable = ("active", "order")
    list_filter = ("active",)
    fields = ("desc", "point", "gold", "active", "order")

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
