"""Every page of the console, whoever writes it: what it derives from, what its actions are, where it is found."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from heihei_site.console import sidebar
from heihei_site.console.admin import ConsoleAdmin
from tests import factories

DJANGOS = {"delete_selected"}  # asks, and is written down by `log_deletions`


def deeds() -> Iterator[tuple[Any, str, Any]]:
    for console in site._registry.values():
        for name in {*(console.actions or ()), *console.actions_detail, *console.actions_row} - DJANGOS:
            yield console, name, getattr(type(console), name)


def test_every_page_is_a_page_of_the_console():
    assert [
        type(console).__name__ for console in site._registry.values() if not isinstance(console, ConsoleAdmin)
    ] == []


def test_every_action_is_an_act():
    assert [f"{type(console).__name__}.{name}" for console, name, deed in deeds() if not hasattr(deed, "needs")] == []


@pytest.mark.django_db
def test_every_action_needs_rights_that_exist():
    there = {
        f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    for console, name, deed in deeds():
        assert deed.needs, name
        for need in deed.needs:
            assert need in there if "." in need else hasattr(console, f"has_{need}_permission"), f"{name} needs {need}"


@pytest.mark.django_db
@pytest.mark.parametrize("app", ["users/user", "console/tunable"])
def test_an_address_that_no_text_can_have_leads_nowhere(app):
    console = Client()
    console.force_login(factories.person(username="chef", is_staff=True, is_superuser=True))
    assert console.get(f"/admin/{app}/%00/change/").status_code == 404


def test_every_page_is_found_in_the_sidebar():
    linked = {link.model for links in sidebar.GROUPS.values() for link in links}
    assert {model._meta.label_lower for model in site._registry} == {model for model in linked if model}


@pytest.mark.django_db
class TestTheSidebar:
    def groups(self, *codenames: str, superuser: bool = False, page: str = "index") -> list[dict[str, Any]]:
        user = factories.person("Helfer", username="helper", is_staff=True, is_superuser=superuser)
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user)
        answer = client.get(page if page.startswith("/") else reverse(f"admin:{page}"))
        assert answer.status_code == 200
        return list(answer.context["sidebar_navigation"])

    def test_shows_what_one_may_open_and_nothing_else(self):
        groups = self.groups("view_live", "view_record")
        assert [item["title"] for group in groups for item in group["items"]] == ["总览", "录音待审核", "直播", "录音"]

    def test_shows_everything_to_who_may_do_everything(self):
        shown = [item["title"] for group in self.groups(superuser=True) for item in group["items"]]
        assert shown == [link.title for links in sidebar.GROUPS.values() for link in links]

    @pytest.mark.parametrize(
        ("page", "title"),
        [
            ("/admin/", "总览"),
            ("/admin/records/record/", "录音"),
            ("/admin/records/record/?status__exact=0", "录音待审核"),
            ("/admin/records/record/?status__exact=1", "录音"),
            ("/admin/users/user/add/", "用户"),
        ],
    )
    def test_marks_one_place(self, page, title):
        groups = self.groups(superuser=True, page=page)
        assert [item["title"] for group in groups for item in group["items"] if item["active"]] == [title]


@pytest.mark.django_db
@pytest.mark.parametrize(("development", "mark"), [(True, "开发"), (False, "生产")])
def test_every_page_says_where_one_is(settings, development, mark):
    settings.DEVELOPMENT = development
    client = Client()
    client.force_login(factories.person("Chef", username="chef", is_staff=True, is_superuser=True))
    assert client.get("/admin/").context["environment"][0] == mark


@pytest.mark.parametrize("page", ["login/", "", "users/user/", "console/act/"])
@pytest.mark.django_db
def test_nothing_is_said_in_english(page):
    client = Client()
    if page != "login/":
        client.force_login(factories.person("主管", username="zhu", is_staff=True, is_superuser=True))
    content = client.get(f"/admin/{page}").content.decode()
    said = re.sub(
        r"<(script|style|svg).*?</\1>|<!--.*?-->|<span class=\"material-symbols.*?</span>", "", content, flags=re.S
    )
    said += " ".join(re.findall(r'(?:placeholder|title|aria-label)="([^"]*)"', content))
    assert (
        re.findall(r"\b(?:Welcome|Search|Return|Select|Filters|Apply|Results|Date)\b", re.sub(r"<[^>]*>", " ", said))
        == []
    )
