"""The audit page: found by who, what, about what and when; readable; and who came in."""

import pytest
from django.test import Client

from heihei_site.console import acts
from heihei_site.console.models import Act
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
PAGE = "/admin/console/act/"


@pytest.fixture
def chef() -> User:
    return User.objects.create_superuser("chef", "chef@example.com", "geheim", display_name="Chef")


@pytest.fixture
def console(chef: User) -> Client:
    client = Client()
    client.force_login(chef)
    return client


def listed(console: Client, **query: str) -> list[str]:
    answer = console.get(PAGE, query)
    assert answer.status_code == 200
    return [act.verb for act in answer.context["cl"].result_list]


def test_acts_are_found_by_who_what_about_what_and_when(console, chef):
    other = User.objects.create_superuser("other", "", "x")
    live = factories.live()
    acts.record(chef, "封禁直播", live)
    acts.record(other, "封禁用户", live.owner)
    acts.record(None, "登录失败", User)
    assert listed(console) == ["登录失败", "封禁用户", "封禁直播"]
    assert listed(console, operator=str(other.pk)) == ["封禁用户"]
    assert listed(console, operator="0") == ["登录失败"]
    assert listed(console, verb="封禁直播") == ["封禁直播"]
    assert listed(console, model="live.live") == ["封禁直播"]
    assert listed(console, q=str(live.pk)) == ["封禁直播"]
    assert listed(console, at_from_0="2099-01-01", at_from_1="00:00:00") == []
    assert len(listed(console, at_from_0="2020-01-01", at_from_1="00:00:00")) == 3


def test_old_and_new_are_read_and_the_object_is_a_link(console, chef):
    live = factories.live()
    details = {
        "标题": {"旧": "一", "新": "二"},
        "可见": {"旧": True, "新": False},
        "标签": {"旧": [], "新": ["甲", "乙"]},
    }
    acts.record(chef, "修改直播", live, details=details)
    page = console.get(PAGE).content.decode()
    for words in ("标题：一 → 二", "可见：是 → 否", "标签：无 → 甲、乙", f'href="/admin/live/live/{live.pk}/change/"'):
        assert words in page


def test_what_operators_did_with_somebody_is_told_on_the_persons_page(console, chef):
    person = factories.person("小白")
    acts.record(chef, "封禁用户", person, reason="<b>刷屏</b>")
    acts.record(chef, "封禁用户", factories.person(), reason="别的原因")
    page = console.get(f"/admin/users/user/{person.pk}/history/").content.decode()
    assert "&lt;b&gt;刷屏&lt;/b&gt;" in page
    assert "别的原因" not in page
    assert console.get("/admin/users/user/999999/history/").status_code == 404


def test_what_is_about_a_queue_of_people_is_about_the_person(console, chef):
    from users.models import Suspect

    person = factories.person()
    acts.record(chef, "驳回举报", Suspect(pk=person.pk, display_name="x"))
    assert [act.verb for act in Act.objects.about(person)] == ["驳回举报"]


def test_the_log_is_exported_like_every_list(console, chef):
    acts.record(chef, "封禁用户", chef, reason="=1+1")
    text = b"".join(console.get(f"{PAGE}export/").streaming_content).decode("utf-8-sig")
    assert "'=1+1" in text
    assert Act.objects.latest("pk").verb == "导出 CSV"


class TestTheDoor:
    def tries(self, name: str, password: str) -> None:
        Client(REMOTE_ADDR="10.0.0.1").post("/admin/login/", {"username": name, "password": password})

    def test_who_comes_in_is_written_down(self, chef):
        self.tries("chef", "geheim")
        act = Act.objects.get()
        assert (act.operator, act.verb, act.object_id, act.address) == (chef, "登录", str(chef.pk), "10.0.0.1")

    def test_who_fails_is_nobody_yet_and_their_words_are_not_kept(self, chef):
        self.tries("chef", "falsch-geheim")
        self.tries("mein-passwort", "falsch-geheim")
        meant, unknown = Act.objects.order_by("pk")
        assert (meant.operator, meant.verb, meant.object_id) == (None, "登录失败", str(chef.pk))
        assert (unknown.operator, unknown.verb, unknown.object_id) == (None, "登录失败", "")
        assert "passwort" not in str(Act.objects.values_list())
        assert "falsch" not in str(Act.objects.values_list())

    def test_who_says_nothing_has_not_come_in(self, chef):
        self.tries("chef", "")
        self.tries("", "geheim")
        assert not Act.objects.exists()

    def test_a_door_that_shuts_is_written_down_once(self, chef):
        for _ in range(8):
            self.tries("chef", "falsch")
        assert list(Act.objects.order_by("pk").values_list("verb", flat=True)) == ["登录失败"] * 4 + [
            "登录失败，已锁定"
        ]


def test_whom_a_superuser_makes_staff_is_written_down(console, chef):
    person = factories.person("Neu", username="neu")
    page = console.get(f"/admin/users/user/{person.pk}/change/")
    said = {name: "" if value is None else value for name, value in page.context["adminform"].form.initial.items()}
    assert console.post(f"/admin/users/user/{person.pk}/change/", said | {"is_staff": "on"}).status_code == 302
    act = Act.objects.get()
    assert (act.operator, act.object_id, list(act.details.values())) == (
        chef,
        str(person.pk),
        [{"旧": False, "新": True}],
    )
