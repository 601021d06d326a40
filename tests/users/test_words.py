"""The operators' list of blocked words: how it is kept, and how soon it counts."""

import pytest
from django.core.management import call_command
from django.test import Client

from users.models import BlockedWord, User
from users.services import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def console():
    client = Client()
    client.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    return client


@pytest.fixture
def clock(monkeypatch):
    """The one by which a process forgets."""
    now = [1000.0]
    monkeypatch.setattr("heihei_site.postgres.kept.time.monotonic", lambda: now[0])
    return now


def test_an_empty_list_blocks_nothing():
    assert not words.blocked_in("官方")
    assert not words.blocked_in("")


def test_many_words_are_found_each_wherever_it_stands():
    words.add([f"词{n}号" for n in range(500)] + ["ab", "abc"])
    for text in ("词7号", "我是词499号啊", "xabx", "A B C"):
        assert words.blocked_in(text)
    for text in ("词500号", "词号", "a1b", ""):
        assert not words.blocked_in(text)


def test_asking_again_asks_the_database_nothing(django_assert_num_queries):
    words.add(["官方"])
    words.blocked_in("x")
    with django_assert_num_queries(0):
        for _ in range(50):
            assert words.blocked_in("官方")


def test_another_process_learns_of_every_change_within_seconds(clock, settings):
    """Whoever made it, and however: here nobody tells this process anything."""
    assert not words.blocked_in("坏人")
    row = BlockedWord.objects.create(word="坏人")
    clock[0] += settings.KEPT_SECONDS + 0.1
    assert words.blocked_in("坏人")
    BlockedWord.objects.filter(pk=row.pk).update(word="恶人", key="恶人")
    clock[0] += settings.KEPT_SECONDS + 0.1
    assert not words.blocked_in("坏人") and words.blocked_in("恶人")
    BlockedWord.objects.all().delete()
    clock[0] += settings.KEPT_SECONDS + 0.1
    assert not words.blocked_in("恶人")
    assert settings.KEPT_SECONDS <= 10


def test_a_list_that_did_not_change_is_not_read_again(clock, settings, django_assert_num_queries):
    words.add(["官方"])
    words.blocked_in("x")
    clock[0] += settings.KEPT_SECONDS + 0.1
    with django_assert_num_queries(1):
        assert words.blocked_in("官方")


def test_a_first_list_comes_with_the_seed_and_stays_the_operators():
    call_command("seed", verbosity=0)
    assert words.blocked_in("黑黑官方")
    BlockedWord.objects.filter(word="官方").delete()
    words.listed.forget()
    call_command("seed", verbosity=0)
    words.listed.forget()
    assert not words.blocked_in("黑黑官方")
    assert words.blocked_in("客服")


class TestConsole:
    def add(self, console, lines):
        return console.post("/admin/users/blockedword/add/", {"word": lines})

    def listed(self):
        return sorted(BlockedWord.objects.values_list("word", flat=True))

    def test_many_are_added_at_once_one_a_line(self, console, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            assert self.add(console, "官方\n\n  客服 \r\nＡdmin\n官 方\n***").status_code == 302
        assert self.listed() == ["官方", "客服", "Ａdmin"]
        assert words.blocked_in("admin")

    def test_those_that_are_there_already_are_left_out(self, console):
        words.add(["客服"])
        assert self.add(console, "官方\n客服").status_code == 302
        assert self.add(console, "新词").status_code == 302
        assert self.listed() == ["官方", "客服", "新词"]

    @pytest.mark.parametrize("lines", ["", "  \n ", "***\n---", "官方" * 40, "ﷺ" * 60, "客服", "客 服"])
    def test_what_is_no_word_or_there_already_is_said_to_be(self, console, lines):
        words.add(["客服"])
        answer = self.add(console, lines)
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors
        assert self.listed() == ["客服"]

    def test_one_is_changed_and_deleted(self, console, django_capture_on_commit_callbacks):
        words.add(["官方", "客服"])
        row = BlockedWord.objects.get(word="官方")
        with django_capture_on_commit_callbacks(execute=True):
            console.post(f"/admin/users/blockedword/{row.pk}/change/", {"word": "公告"})
        assert words.blocked_in("公 告") and not words.blocked_in("官方")
        for wrong in ("客 服", "ﷺ" * 60):
            assert console.post(f"/admin/users/blockedword/{row.pk}/change/", {"word": wrong}).status_code == 200
        with django_capture_on_commit_callbacks(execute=True):
            console.post(f"/admin/users/blockedword/{row.pk}/delete/", {"post": "yes"})
        assert not words.blocked_in("公告")
        chosen = {"action": "delete_selected", "_selected_action": [BlockedWord.objects.get().pk], "post": "yes"}
        with django_capture_on_commit_callbacks(execute=True):
            console.post("/admin/users/blockedword/", chosen)
        assert not words.blocked_in("客服")
