import re
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from users.models import HEI_NUM_OFFSET, Report, User
from users.services import bans

admin.site.unregister(Group)


class OptionalUsername(UsernameField):
    """Only staff have one; Django's own field takes that for a mistake."""

    def to_python(self, value: Any) -> Any:
        return None if value in self.empty_values else super().to_python(value)


class PersonForm(UserChangeForm):
    class Meta(UserChangeForm.Meta):
        field_classes = {"username": OptionalUsername}


class StaffForm(UserCreationForm):
    """People make themselves by signing in; what is added here is staff."""

    username = UsernameField(label="运营账号", max_length=150)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = PersonForm
    add_form = StaffForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("id", "number", "display_name", "gender", "birthday", "level_now", "follower_count", "live_count",
                    "is_active", "date_joined")  # fmt: skip
    list_display_links = ("id", "display_name")
    list_filter = ("is_active", "is_staff", "gender", "kind")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", "display_name", "=phone", "=username")
    search_help_text = "id、黑号、昵称、手机号或运营账号"
    ordering = ("-pk",)
    actions = ("ban", "lift_ban")
    readonly_fields = ("number", "level_now", "experience", "points_earned", "gold_given", "follower_count",
                       "following_count", "live_count", "rename_count", "date_joined", "last_login",
                       "is_active")  # fmt: skip
    fieldsets = (
        (None, {"fields": ("number", "display_name", "gender", "birthday", "description", "kind", "is_active")}),
        ("数据", {"fields": ("level_now", "experience", "points_earned", "gold_given", "follower_count",
                             "following_count", "live_count", "rename_count", "date_joined")}),
        ("运营账号", {"fields": ("username", "password", "email", "is_staff", "is_superuser", "groups",
                                 "user_permissions", "last_login")}),
    )  # fmt: skip
    add_fieldsets: Any = ((None, {"fields": ("username", "password1", "password2", "is_staff")}),)

    @display(description="黑号", ordering="id")
    def number(self, user: User) -> int:
        return user.hei_num

    @display(description="等级", ordering="experience")
    def level_now(self, user: User) -> int:
        return user.level

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if re.fullmatch(r"[0-9]{7,10}", search_term) and HEI_NUM_OFFSET < int(search_term) < HEI_NUM_OFFSET + 2**31:
            found |= queryset.filter(pk=int(search_term) - HEI_NUM_OFFSET)
        return found, duplicates

    def save_model(self, request: HttpRequest, obj: Model, form: Form, change: bool) -> None:
        """Only what was edited: gifts, follows and bans since the page was opened stay."""
        edited = [name for name in form.changed_data if name not in ("groups", "user_permissions")]
        obj.save(update_fields=edited if change else None)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # people are banned: their money and messages are others' too

    @admin.action(description="封禁所选用户", permissions=["change"])
    def ban(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Out everywhere within two seconds. Staff cannot be banned here: take their console access first."""
        people = list(queryset.filter(is_staff=False))
        for user in people:
            bans.ban(user)
        self.message_user(request, f"已封禁 {len(people)} 人", messages.SUCCESS if people else messages.WARNING)

    @admin.action(description="解除封禁", permissions=["change"])
    def lift_ban(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            bans.lift_ban(user)
        self.message_user(request, "已解除封禁", messages.SUCCESS)


@admin.register(Report)
class ReportAdmin(ModelAdmin):
    list_display = ("pk", "target", "kind", "reporter", "handled", "created_at")
    list_filter = ("handled", "kind")
    list_select_related = ("target", "reporter")
    list_editable = ("handled",)
    show_full_result_count = False
    search_fields = ("=target__id", "target__display_name")
    fields = readonly_fields = ("target", "kind", "reporter", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
