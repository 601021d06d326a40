"""What operators do is written down before it is done, and nobody takes it back."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, connection, transaction
from django.test import Client

from heihei_site.console import acts, export
from heihei_site.console.models import Act
from live.models import Live
from payment.models import Gift
from tests import factories, voices
from topics.models import Subject
from users.models import BlockedWord, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def chef() -> User:
    return factories.person("Chef", username="chef", is_staff=True, is_superuser=True)


@pytest.fixture
def console(chef: User) -> Client:
    return signed_in(chef)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def helper(*codenames: str) -> User:
    user = factories.person("Helfer", username="helper", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


def do(console: Client, model: str, action: str, *rows: Any, **said: Any) -> Any:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], **said}
    return console.post(f"/admin/{model}/", chosen, follow=True)


class TestActions:
    def test_an_action_that_asks_says_who_did_what_to_whom_with_which_words(self, console, chef):
        live = factories.live(title="一号")
        assert do(console, "live/live", "toast", live).template_name == "console/ask.html"
        assert not Act.objects.exists()
        do(console, "live/live", "toast", live, answered="yes", text="请注意", seconds=5)
        act = Act.objects.get()
        assert (act.operator, act.verb, act.model, act.object_id) == (
            chef,
            "向直播间发送弹窗提示",
            "live.live",
            str(live.pk),
        )
        assert (act.words, act.details, act.address) == (str(live), {"内容": "请注意", "显示秒数": 5}, "127.0.0.1")

    def test_what_is_wrong_with_an_answer_is_shown_and_nothing_is_done(self, console):
        live = factories.live()
        page = do(console, "live/live", "toast", live, answered="yes", text="", seconds=5)
        assert page.context["form"].errors == {"text": ["该字段是必填项。"]}
        assert not Act.objects.exists()

    def test_it_is_one_act_a_row(self, console):
        lives = [factories.live() for _ in range(3)]
        do(console, "live/live", "recommend", *lives, answered="yes")
        assert sorted(Act.objects.values_list("object_id", flat=True)) == sorted(str(live.pk) for live in lives)

    def test_too_many_rows_are_refused_as_a_whole(self, console, monkeypatch):
        monkeypatch.setattr(acts, "MOST", 2)
        lives = [factories.live() for _ in range(3)]
        page = do(console, "live/live", "recommend", *lives, answered="yes")
        assert "一次最多 2 条" in page.content.decode()
        assert not Act.objects.exists()
        assert not Live.objects.filter(recommended=True).exists()

    def test_whoever_lacks_a_right_does_nothing_and_nothing_is_written(self):
        live = factories.live()
        do(signed_in(helper("view_live")), "live/live", "recommend", live, answered="yes")
        assert not Act.objects.exists()
        assert not Live.objects.filter(recommended=True).exists()


class TestButtons:
    """The same act on the page of one row: it asks first, since a link alone changes nothing."""

    @pytest.fixture
    def address(self) -> str:
        return f"/admin/topics/subject/{voices.subject().pk}/"

    def test_asks_and_does_it_when_answered(self, console, address):
        assert f'href="{address}hide/"' in console.get(f"{address}change/").content.decode()
        asked = console.get(f"{address}hide/", headers={"referer": f"http://testserver{address}change/"})
        assert (asked.template_name, Act.objects.count()) == ("console/ask.html", 0)
        said = {"answered": "yes", "back": asked.context["back"]}
        done = console.post(f"{address}hide/", said)
        assert (done.status_code, done["Location"]) == (302, f"http://testserver{address}change/")
        assert Act.objects.get().verb == "屏蔽帖子"
        assert Subject.objects.get().state == Subject.State.HIDDEN

    def test_leads_nobody_elsewhere(self, console, address):
        done = console.post(f"{address}hide/", {"answered": "yes", "back": "https://evil.example/"})
        assert done["Location"] == f"{address}change/"

    def test_is_for_those_who_may(self, address):
        client = signed_in(helper("view_subject"))
        assert f"{address}hide/" not in client.get(f"{address}change/").content.decode()
        assert client.post(f"{address}hide/", {"answered": "yes"}).status_code == 403
        assert not Act.objects.exists()

    def test_of_nothing_there_is_none(self, console):
        assert console.post("/admin/topics/subject/999/hide/", {"answered": "yes"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_deed_that_fails_half_way_was_begun_by_somebody(console, chef, monkeypatch):
    live = factories.live()

    def fails(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr("live.services.moderation.show_toast", fails)
    with pytest.raises(ConnectionError):
        do(console, "live/live", "toast", live, answered="yes", text="请注意", seconds=5)
    assert [(act.operator, act.object_id) for act in Act.objects.all()] == [(chef, str(live.pk))]


class TestForms:
    def test_a_change_is_kept_with_the_old_and_the_new(self, console, chef, gifts):
        gift = Gift.objects.order_by("pk")[0]
        page = console.get(f"/admin/payment/gift/{gift.pk}/change/")
        said = {key: "" if value is None else value for key, value in page.context["adminform"].form.initial.items()}
        said |= {"resources-TOTAL_FORMS": 0, "resources-INITIAL_FORMS": 0, "gold": gift.gold + 7}
        for formset in page.context["inline_admin_formsets"]:
            said |= {f"{formset.formset.prefix}-{key}_FORMS": 0 for key in ("TOTAL", "INITIAL")}
        assert console.post(f"/admin/payment/gift/{gift.pk}/change/", said).status_code == 302
        act = Act.objects.get()
        label = str(Gift._meta.get_field("gold").verbose_name)
        assert act.details == {label: {"旧": gift.gold, "新": gift.gold + 7}}
        assert (act.operator, act.object_id) == (chef, str(gift.pk))

    def test_a_form_that_changes_nothing_is_no_deed(self, console):
        group = Group.objects.create(name="旧")
        assert console.post(f"/admin/auth/group/{group.pk}/change/", {"name": "旧"}).status_code == 302
        assert not Act.objects.exists()

    def test_rights_that_are_given_are_named(self, console):
        group, right = Group.objects.create(name="客服二"), Permission.objects.get(codename="view_live")
        said = {"name": "客服二", "permissions": [right.pk]}
        assert console.post(f"/admin/auth/group/{group.pk}/change/", said).status_code == 302
        assert list(Act.objects.get().details.values()) == [{"旧": [], "新": [str(right)]}]

    def test_what_is_added_and_deleted_is_kept(self, console):
        console.post("/admin/auth/group/add/", {"name": "新"})
        group = Group.objects.get(name="新")
        console.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
        added, deleted = Act.objects.order_by("pk")
        assert (added.object_id, list(added.details.values())) == (str(group.pk), [{"旧": None, "新": "新"}])
        assert (deleted.object_id, list(deleted.details.values())) == (str(group.pk), [{"旧": "新", "新": None}])

    def test_what_many_lose_at_once_is_one_act_each(self, console):
        words = [BlockedWord.objects.create(word=word) for word in ("一", "二")]
        do(console, "users/blockedword", "delete_selected", *words, post="yes")
        assert not BlockedWord.objects.exists()
        assert sorted(Act.objects.values_list("words", flat=True)) == ["一", "二"]

    def test_a_password_is_never_kept(self, console, chef):
        said = {"password1": "ganz-geheim-9", "password2": "ganz-geheim-9", "usable_password": "true"}
        assert console.post(f"/admin/users/user/{chef.pk}/password/", said).status_code == 302
        act = Act.objects.get()
        assert all(both == {"旧": "***", "新": "***"} for both in act.details.values())
        assert "geheim" not in str(act.details)


@pytest.mark.parametrize("sql", ["UPDATE console_act SET verb = ''", "DELETE FROM console_act", "TRUNCATE console_act"])
def test_nobody_takes_an_act_back(chef, sql):
    act = acts.record(chef, "试", chef)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE console_act ENABLE TRIGGER console_act_never_emptied")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(sql)
    assert Act.objects.get() == act


def test_who_did_something_cannot_be_removed(chef):
    acts.record(chef, "试", chef)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM users_user WHERE id = %s", [chef.pk])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert Act.objects.get().operator == chef


class TestExport:
    def rows(self, answer: Any) -> list[list[str]]:
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text)))

    def test_what_is_filtered_is_exported_and_written_down(self, console, chef):
        lives = [factories.live(title=title) for title in ("一号", "二号")]
        answer = console.get("/admin/live/live/export/?q=二号")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        header, *rows = self.rows(answer)
        assert header[:2] == ["liveId", "标题"]
        assert [row[:2] for row in rows] == [[str(lives[1].pk), "二号"]]
        act = Act.objects.get()
        assert (act.operator, act.verb, act.model, act.object_id) == (chef, "导出 CSV", "live.live", "")
        assert act.details["筛选"] == {"q": "二号"}

    @pytest.mark.parametrize("query", ["nothing=1", "id__exact=x"])
    def test_what_nobody_can_filter_by_is_not_exported(self, console, query):
        answer = console.get(f"/admin/live/live/export/?{query}", follow=True)
        assert (answer.request["PATH_INFO"], answer.status_code) == ("/admin/live/live/", 200)
        assert not Act.objects.exists()

    def test_many_rows_come_each_once(self, console, monkeypatch):
        monkeypatch.setattr(export, "ROWS", 2)
        words = [BlockedWord.objects.create(word=f"词{number}") for number in range(5)]
        _, *rows = self.rows(console.get("/admin/users/blockedword/export/"))
        assert [row[0] for row in rows] == [word.word for word in reversed(words)]

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", '=HYPERLINK("http://x")'])
    def test_a_text_is_never_computed(self, console, text):
        factories.live(title=text)
        _, row = self.rows(console.get("/admin/live/live/export/"))
        assert row[1] == f"'{text}"

    def test_it_is_for_those_who_may(self):
        console = signed_in(helper("view_live"))
        assert console.get("/admin/live/live/export/").status_code == 403
        assert "/export/" not in console.get("/admin/live/live/").content.decode()
        other = factories.person("Zweiter", username="other", is_staff=True)
        other.user_permissions.add(Permission.objects.get(codename="export_csv"))
        assert signed_in(other).get("/admin/live/live/export/").status_code == 403
        assert not Act.objects.exists()

    def test_the_button_takes_the_filters_along(self, console):
        factories.live(title="二号")
        assert "/admin/live/live/export/?q=%E4%BA%8C" in console.get("/admin/live/live/?q=二").content.decode()


class TestTheLog:
    def test_it_is_read_only(self, console, chef):
        act = acts.record(chef, "试", chef)
        assert console.get("/admin/console/act/").status_code == 200
        assert console.get(f"/admin/console/act/{act.pk}/change/").status_code == 200
        assert console.get("/admin/console/act/add/").status_code == 403
        assert console.post(f"/admin/console/act/{act.pk}/change/", {"verb": "x"}).status_code == 403
        assert console.post(f"/admin/console/act/{act.pk}/delete/", {"post": "yes"}).status_code == 403
        assert Act.objects.get().verb == "试"
