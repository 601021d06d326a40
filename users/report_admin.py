"""What people report, with what there was to see, and what operators do about it (D17)."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Q, QuerySet
from django.forms import Form, Media, ModelForm
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from heihei_site.console.acts import act
from heihei_site.console.admin import ConsoleAdmin
from users import evidence
from users.ban_admin import BanForm, ban_all
from users.models import Report, Suspect, User
from users.querysets import UserQuerySet
from users.services import reports, tips
from users.tip_admin import TipForm, tip_of


class ReportRow(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = Report
        fields = ("handled",)

    def clean(self) -> dict[str, Any]:
        """A report is opened again only where the same person has not made it anew."""
        report = self.instance
        anew = Report.objects.filter(reporter=report.reporter_id, target=report.target_id, kind=report.kind)
        if (
            "handled" in self.changed_data
            and not self.cleaned_data["handled"]
            and anew.filter(pk__gt=report.pk).exists()
        ):
            raise ValidationError("此人之后又举报过同一原因，请处理最新的一条")
        return self.cleaned_data


class AboutPeople(ConsoleAdmin):
    """The evidence above a row's form, and what can be done about whom it is against, there and in the list."""

    actions = actions_detail = ("ban", "dismiss", "show_tip")  # type: ignore[assignment]  # unfold's own are none
    change_form_outer_before_template = "users/report.html"  # type: ignore[assignment]  # unfold's own are none
    list_per_page = 50
    show_full_result_count = False

    def people(self, queryset: QuerySet[Any]) -> UserQuerySet:
        raise NotImplementedError

    def shown(self, row: Any) -> dict[str, Any]:
        raise NotImplementedError

    @act("封禁所选用户", permissions=["change"], form=BanForm, note="立即在所有设备上退出；针对此人的举报一并处理")
    def ban(self, request: HttpRequest, queryset: QuerySet[Any], said: dict[str, Any]) -> None:
        """Staff cannot be banned here: take their console access first."""
        people = list(self.people(queryset).filter(is_staff=False))
        ban_all(request, people, said)
        reports.handle(people)
        self.message_user(request, f"已封禁 {len(people)} 人", messages.SUCCESS if people else messages.WARNING)

    @act("驳回举报", permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.message_user(request, f"已驳回 {self.close(queryset)} 条举报", messages.SUCCESS)

    def close(self, queryset: QuerySet[Any]) -> int:
        raise NotImplementedError

    @act("向所选用户发送提示", permissions=["change"], form=TipForm)
    def show_tip(self, request: HttpRequest, queryset: QuerySet[Any], said: dict[str, Any]) -> None:
        people = list(self.people(queryset).people())
        tips.show(people, tip_of(said))
        self.message_user(request, f"已发送给 {len(people)} 人", messages.SUCCESS if people else messages.WARNING)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        context = self.shown(row) | {"show_save": False, "show_save_and_continue": False} if row else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    @property
    def media(self) -> Media:
        media: Media = Media(css={"all": ("users/evidence.css",)}) + super().media
        return media

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Report)
class ReportAdmin(AboutPeople):
    list_display = ("pk", "target", "kind", "reporter", "handled", "created_at")
    list_filter = ("handled", "kind")
    list_select_related = ("target", "reporter")
    list_editable = ("handled",)
    search_fields = ("=target__id", "target__display_name")
    search_help_text = "被举报人 id 或昵称"
    fields = readonly_fields = ("target", "kind", "reporter", "created_at", "handled")

    def people(self, queryset: QuerySet[Report]) -> UserQuerySet:
        found: UserQuerySet = User.objects.filter(pk__in=queryset.values("target"))
        return found

    def shown(self, row: Report) -> dict[str, Any]:
        return {
            "cases": evidence.cases([row]),
            "others": evidence.others(row),
            "bans": evidence.bans_of(row.target),
        }

    def close(self, queryset: QuerySet[Report]) -> int:
        return reports.close(queryset)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[ReportRow]:
        return ReportRow

    def save_model(self, request: HttpRequest, obj: Any, form: Form, change: bool) -> None:
        super().save_model(request, obj, form, change)
        reports.forget_evidence([obj.target_id])


@admin.register(Suspect)
class SuspectAdmin(AboutPeople):
    """The queue: whom several people have reported. Banning or dismissing takes them out of it."""

    list_display = ("id", "display_name", "reporters", "reasons", "newest")
    list_display_links = ("id", "display_name")
    fields = readonly_fields = (
        "id",
        "display_name",
        "description",
        "gender",
        "birthday",
        "follower_count",
        "live_count",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suspect]:
        is_open = Q(reports__handled=False)
        suspects: QuerySet[Suspect] = super().get_queryset(request)
        return suspects.annotate(
            people=Count("reports__reporter", filter=is_open, distinct=True),
            kinds=ArrayAgg("reports__kind", filter=is_open, distinct=True),
            newest_report=Max("reports__created_at", filter=is_open),
        ).order_by("-newest_report", "-pk")

    @display(description="举报人数", ordering="people")
    def reporters(self, suspect: Suspect) -> int:
        return int(suspect.people)  # type: ignore[attr-defined]

    @display(description="原因")
    def reasons(self, suspect: Suspect) -> str:
        return "、".join(Report.Kind(kind).label for kind in suspect.kinds)  # type: ignore[attr-defined]

    @display(description="最近举报", ordering="newest_report")
    def newest(self, suspect: Suspect) -> datetime:
        return suspect.newest_report  # type: ignore[attr-defined,no-any-return]

    def people(self, queryset: QuerySet[Suspect]) -> UserQuerySet:
        found: UserQuerySet = User.objects.filter(pk__in=[suspect.pk for suspect in queryset])
        return found

    def shown(self, row: Suspect) -> dict[str, Any]:
        return {"cases": evidence.open_against(row), "others": None, "bans": evidence.bans_of(row)}

    def close(self, queryset: QuerySet[Suspect]) -> int:
        return reports.handle(list(queryset))
