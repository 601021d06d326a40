"""What each role may open and do, page by page: `roles.txt` is the table. UPDATE_ROLES=1 writes it anew."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from heihei_site.console import roles
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
FILE = Path(__file__).parent / "roles.txt"


def staff(role: str) -> Client:
    user = factories.person(role, username=f"of-{role}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def what_is_offered(client: Client, console: Any) -> str:
    """Of a list: `—` where it does not open; else what can be done from it besides looking."""
    page = console.opts.label_lower
    answer = client.get(reverse(f"admin:{page.replace('.', '_')}_changelist"))
    if answer.status_code == 403:
        return "—"
    assert answer.status_code == 200, page
    request = answer.wsgi_request
    rights = {
        "添加": console.has_add_permission(request),
        "修改": console.has_change_permission(request),
        "删除": console.has_delete_permission(request),
        "导出": console.exports and console.has_export_permission(request),
    }
    offered = [word for word, is_so in rights.items() if is_so]
    offered += [name for name in console.get_actions(request) if name != "delete_selected"]
    return " ".join(["看", *offered])


def test_each_role_opens_and_does_what_the_table_says(gifts):
    clients = {role: staff(role) for role in roles.ROLES}
    lines = []
    for console in sorted(site._registry.values(), key=lambda one: one.opts.label_lower):
        lines.append(console.opts.label_lower)
        for role, client in clients.items():
            lines.append(f"    {role}　{what_is_offered(client, console)}")
    if os.environ.get("UPDATE_ROLES") == "1":
        FILE.write_text("\n".join(lines) + "\n")
    assert lines == FILE.read_text().splitlines()


def test_every_right_of_a_role_exists():
    there = {
        f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    for role, rights in roles.ROLES.items():
        assert set(roles.names(rights)) <= there, role


def test_nobody_but_superusers_makes_staff_or_gives_rights():
    for role, rights in roles.ROLES.items():
        assert not [name for name in roles.names(rights) if name.startswith("auth.")], role
    client = staff("管理员")
    assert client.get("/admin/users/user/add/").status_code == 403
    assert client.get("/admin/auth/group/").status_code == 403


def test_even_who_may_edit_groups_edits_no_role_and_gives_no_rights():
    helper = factories.person("Helfer", username="helper", is_staff=True)
    helper.user_permissions.add(*Permission.objects.filter(content_type__app_label="auth", codename__endswith="_group"))
    client = Client()
    client.force_login(helper)
    mine = Group.objects.create(name="meine")
    everything = list(Permission.objects.values_list("pk", flat=True)[:100])
    assert (
        client.post(f"/admin/auth/group/{mine.pk}/change/", {"name": "x", "permissions": everything}).status_code == 403
    )
    assert not mine.permissions.exists()
    chef = Client()
    chef.force_login(User.objects.create_superuser("chef", "", "x"))
    role = Group.objects.get(name="客服")
    assert chef.post(f"/admin/auth/group/{role.pk}/change/", {"name": "x"}).status_code == 403
    assert chef.post(f"/admin/auth/group/{role.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_migrate_puts_the_roles_right_and_leaves_other_groups_alone():
    Group.objects.get(name="客服").permissions.clear()
    mine = Group.objects.create(name="meine")
    roles.make()
    roles.make()
    assert sorted(Group.objects.get(name="客服").permissions.values_list("codename", flat=True)) == sorted(
        name.split(".")[1] for name in roles.names(roles.SUPPORT)
    )
    assert list(Group.objects.order_by("name").values_list("name", flat=True)) == sorted([*roles.ROLES, "meine"])
    assert not mine.permissions.exists()


class TestPhones:
    @pytest.fixture
    def person(self) -> User:
        return factories.person("小白", phone="13900001111")

    def found(self, client: Client, page: str, term: str) -> int:
        answer = client.get(f"/admin/{page}/", {"q": term})
        return len(answer.context["cl"].result_list)

    @pytest.mark.parametrize(("role", "many"), [("客服", 1), ("管理员", 1), ("审核", 0)])
    def test_who_may_finds_people_by_them(self, person, role, many):
        factories.token(person)
        client = staff(role)
        for page in ("users/user", "users/session"):
            assert self.found(client, page, person.phone) == many
            assert self.found(client, page, "小白") == 1

    @pytest.mark.parametrize("query", ["phone=13900001111", "phone__startswith=139", "password__startswith=a"])
    def test_nobody_asks_for_them_by_the_address(self, person, query):
        client = staff("管理员")
        answer = client.get(f"/admin/users/user/?{query}")
        assert answer.status_code != 200

    def test_no_list_exports_them(self, person):
        answer = staff("管理员").get("/admin/users/user/export/")
        text = b"".join(answer.streaming_content).decode()
        assert "小白" in text
        assert person.phone not in text
