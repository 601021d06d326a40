import re
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import CharField, Form, Media, ModelForm, Textarea
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from heihei_site.console.acts import act, operator_of
from heihei_site.console.admin import ConsoleAdmin, ShownToEverybody
from heihei_site.console.roles import ROLES
from heihei_site.realtime.publish import telling
from users import auth, evidence, names
from users import report_admin as _reports  # noqa: F401  (these two register themselves)
from users import session_admin as _sessions  # noqa: F401
from users.ban_admin import BanForm, ban_all, unasked
from users.finding import with_phone
from users.models import HEI_NUM_OFFSET, BlockedWord, User
from users.services import bans, tips, words
from users.signals import became_minor
from users.tip_admin import TipForm, tip_of

admin.site.unregister(Group)


STAFF_FIELDS = ("username", "email", "is_staff", "is_superuser", "groups", "user_permissions")


def _may_make_staff(request: HttpRequest) -> bool:
    """Whoever may edit people could else let themselves, or anybody, do everything."""
    return request.user.is_active and request.user.is_superuser


class OptionalUsername(UsernameField):
    """Only staff have one; Django's own field takes that for a mistake."""

    def to_python(self, value: Any) -> Any:
        return None if value in self.empty_values else super().to_python(value)


class PersonForm(UserChangeForm):
    class Meta(UserChangeForm.Meta):
        field_classes = {"username": OptionalUsername}
        help_texts = {"is_active": "用上方的按钮封禁和解封"}


class StaffForm(UserCreationForm):
    """People make themselves by signing in; what is added here is staff."""

    username = UsernameField(label="运营账号", max_length=150)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ConsoleAdmin):
    """Whoever may give rights could give them to themselves: superusers. Roles are changed in their table."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may_make_staff(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return _may_make_staff(request) and not (obj is not None and obj.name in ROLES)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return self.has_change_permission(request, obj)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ConsoleAdmin):
    form = PersonForm
    add_form = StaffForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("id", "number", "display_name", "gender", "birthday", "level_now", "follower_count", "live_count",
                    "is_active", "date_joined")  # fmt: skip
    list_display_links = ("id", "display_name")
    list_filter = ("is_active", "is_staff", "gender", "kind")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", "display_name", "=username")
    search_help_text = "id、黑号、昵称或运营账号；有权限的也可用手机号"
    ordering = ("-pk",)
    actions = ("show_tip", "ban_for", "ban", "lift_ban", "sign_out_everywhere")
    actions_detail = ("show_tip", "ban_for", "lift_ban", "sign_out_everywhere")  # type: ignore[assignment]  # unfold's own are none
    change_form_outer_before_template = "users/money.html"  # type: ignore[assignment]  # unfold's own are none
    change_form_outer_after_template = "users/history.html"  # type: ignore[assignment]  # unfold's own are none
    readonly_fields = ("number", "level_now", "experience", "points_earned", "gold_given", "follower_count",
                       "following_count", "live_count", "rename_count", "date_joined", "last_login",
                       "is_active", "sign_ins", "lives", "deletion_due_at", "erased_at")  # fmt: skip
    fieldsets = (
        (None, {"fields": ("number", "display_name", "gender", "birthday", "description", "kind", "is_active",
                           "sign_ins", "lives", "deletion_due_at", "erased_at")}),
        ("数据", {"fields": ("level_now", "experience", "points_earned", "gold_given", "follower_count",
                             "following_count", "live_count", "rename_count", "date_joined")}),
        ("运营账号", {"fields": ("username", "password", "email", "is_staff", "is_superuser", "groups",
                                 "user_permissions", "last_login")}),
    )  # fmt: skip
    add_fieldsets: Any = ((None, {"fields": ("username", "password1", "password2", "is_staff")}),)

    @display(description="黑号", ordering="id")
    def number(self, user: User) -> int:
        return user.hei_num

    @display(description="登录")
    def sign_ins(self, user: User) -> SafeString:
        where = reverse("admin:users_session_changelist")
        return format_html(
            '<a class="text-primary-600" href="{}?user__id__exact={}">{} 处</a>', where, user.pk, user.sessions.count()
        )

    @display(description="直播")
    def lives(self, user: User) -> SafeString:
        where = f"{reverse('admin:live_live_changelist')}?owner__id__exact={user.pk}"
        bans = f"{reverse('admin:live_liveban_changelist')}?owner__id__exact={user.pk}"
        pages = ((f"{where}&status__in=0,1", "进行中"), (where, "全部"), (bans, "封禁与禁播"))
        return format_html_join("　", '<a class="text-primary-600" href="{}">{}</a>', pages)

    @display(description="等级", ordering="experience")
    def level_now(self, user: User) -> int:
        return user.level

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return with_phone(request, super().get_search_fields(request), "=phone")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        person = self.get_object(request, unquote(object_id))
        context = {"bans": evidence.bans_of(person)} if person else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    @property
    def media(self) -> Media:
        media: Media = Media(css={"all": ("users/evidence.css",)}) + super().media
        return media

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if re.fullmatch(r"[0-9]{7,10}", search_term) and HEI_NUM_OFFSET < int(search_term) < HEI_NUM_OFFSET + 2**31:
            found |= queryset.filter(pk=int(search_term) - HEI_NUM_OFFSET)
        return found, duplicates

    def save_model(self, request: HttpRequest, obj: Any, form: Form, change: bool) -> None:
        """Only what was edited: gifts, follows and bans since the page was opened stay. Who becomes a minor by it
        broadcasts no longer (D19)."""
        edited = [name for name in form.changed_data if name not in ("groups", "user_permissions")]
        with telling():
            obj.save(update_fields=edited if change else None)
            if change and "birthday" in edited and obj.is_protected_minor:
                became_minor.send(User, user=obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _may_make_staff(request) else (*fields, *STAFF_FIELDS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may_make_staff(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff, their passwords included, are superusers' business."""
        if obj is not None and obj.is_staff and not _may_make_staff(request):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # people are banned: their money and messages are others' too

    @act("向所选用户发送提示", permissions=["change"], form=TipForm)
    def show_tip(self, request: HttpRequest, queryset: QuerySet[User], said: dict[str, Any]) -> None:
        """Who is not connected sees it when they come back."""
        people = list(queryset.filter(is_active=True, deletion_due_at=None))
        tips.show(people, tip_of(said))
        self.message_user(request, f"已发送给 {len(people)} 人", messages.SUCCESS if people else messages.WARNING)

    @act("封禁所选用户", permissions=["change"], form=BanForm, note="立即在所有设备上退出，正在进行的直播和通话结束")
    def ban_for(self, request: HttpRequest, queryset: QuerySet[User], said: dict[str, Any]) -> None:
        """Out everywhere within two seconds. Staff cannot be banned here: take their console access first."""
        self.shut_out(request, queryset, said)

    @act("立即永久封禁所选用户（不询问）", permissions=["change"])
    def ban(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.shut_out(request, queryset, unasked(BanForm))

    def shut_out(self, request: HttpRequest, queryset: QuerySet[User], said: dict[str, Any]) -> None:
        people = list(queryset.filter(is_staff=False))
        ban_all(request, people, said)
        self.message_user(request, f"已封禁 {len(people)} 人", messages.SUCCESS if people else messages.WARNING)

    @act("解除封禁", permissions=["change"])
    def lift_ban(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            bans.lift_ban(user, by=operator_of(request))
        self.message_user(request, "已解除封禁", messages.SUCCESS)

    @act("在所有设备上退出", permissions=["change"])
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Every sign-in of theirs ends, in the app only: the console has its own."""
        people = list(queryset)
        for user in people:
            auth.end_sessions(user)
        self.message_user(request, f"已让 {len(people)} 人退出登录", messages.SUCCESS)


class NewWords(ModelForm):
    """One a line: operators have lists."""

    word = CharField(label="词", widget=Textarea, help_text="一行一个；大小写、全角和中间的空格符号不影响匹配")
    lines: list[str]

    class Meta:
        model = BlockedWord
        fields = ("word",)

    def clean_word(self) -> str:
        """The first that is not there yet; the others follow it."""
        self.lines = [line.strip() for line in self.cleaned_data["word"].splitlines() if names.bare(line)]
        if any(len(line) > 64 for line in self.lines):
            raise ValidationError("一个词最多 64 个字符")
        if any(len(names.bare(line)) > BlockedWord.KEY_LENGTH for line in self.lines):
            raise ValidationError("一个词太长")
        keys = [names.bare(line) for line in self.lines]
        there = set(BlockedWord.objects.filter(key__in=keys).values_list("key", flat=True))
        return next((line for line in self.lines if names.bare(line) not in there), (self.lines or [""])[0])


@admin.register(BlockedWord)
class BlockedWordAdmin(ShownToEverybody):
    kept = words.listed
    list_display = ("word", "added_at")
    search_fields = ("word",)
    ordering = ("-pk",)
    show_full_result_count = False
    fields = ("word",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs) if obj else NewWords

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        obj.save()
        words.add(getattr(form, "lines", ()))
