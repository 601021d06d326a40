"""What operators tell many people: each once, a second operator where they are many, stopped at once."""

import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import ClassVar

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from heihei_site.console.models import Act
from heihei_site.realtime.models import Message, StreamKind
from messages import tasks
from messages.announcement_admin import AnnouncementAdmin
from messages.announcement_models import Announcement
from messages.models import Entry, InstantMessage, Mailbox, Push
from messages.services import announcements, announcing, official
from tests import factories
from tests.answers import ok
from tests.messages.conftest import told
from tests.messages.push_vendor import phone, somebody
from tests.processes import ROOT
from tests.races.crowd import at_once
from users.models import Block, Session, User

pytestmark = pytest.mark.django_db(transaction=True)
State = Announcement.State


@pytest.fixture
def chef() -> User:
    return operator("chef")


def operator(name: str) -> User:
    return factories.person(username=name, is_staff=True)


def draft(author: User, **fields: object) -> Announcement:
    said = {"title": "维护通知", "text": "今晚两点停机半小时。", "author": author}
    return Announcement.objects.create(**said | fields)


def state(announcement: Announcement) -> State:
    announcement.refresh_from_db()
    return State(announcement.state)


def received() -> Counter[int]:
    """How often each person has it: stored, told with a number, and unread in their list."""
    stored = Counter(InstantMessage.objects.values_list("recipient", flat=True))
    assert stored == Counter(
        Message.objects.filter(kind=StreamKind.PERSON, element__contains="sysnotify").values_list("owner_id", flat=True)
    )
    assert stored == Counter(dict(Entry.objects.values_list("owner", "unread")))
    assert stored == Counter(dict(Mailbox.objects.values_list("owner", "unread")))
    return stored


class TestWhatPeopleGet:
    def test_a_notice_of_the_official_account_as_any_other(self, api, chef):
        her = factories.person("阿嘿")
        announcements.propose(draft(chef, picture="https://cdn/p.png").pk, operator=chef)
        (element,) = told(her)
        assistant = official.account()
        message = element["msg"]
        assert (message["msgType"], message["fromUserId"], message["toUserId"]) == ("sysnotify", assistant.pk, her.pk)
        assert message["content"] == {"text": "【维护通知】今晚两点停机半小时。", "img": "https://cdn/p.png"}
        assert message["jump"] == {"text": "查看", "link": "wmlives_heihei://homepage"}
        assert set(element["users"]) == {str(assistant.pk), str(her.pk)}
        (entry,) = ok(api(her, version="2.0.0").get("msg/message-list"))["messages"]
        assert (entry["fromUserId"], entry["data"]["unread"]) == (assistant.pk, 1)

    def test_is_pushed_behind_what_is_said_to_one(self, chef):
        her = somebody()
        announcements.propose(draft(chef).pk, operator=chef)
        push = Push.objects.get(user=her)
        assert (push.lane, push.notice.title, push.notice.text) == (
            Push.Lane.MANY,
            official.NAME,
            "【维护通知】今晚两点停机半小时。",
        )


class TestWhoGetsIt:
    def test_everybody_but_the_banned_and_those_who_block_the_account(self, chef):
        people = [factories.person() for _ in range(3)]
        factories.person(is_active=False)
        Block.objects.create(user=factories.person(), target=official.account())
        announcements.propose(draft(chef).pk, operator=chef)
        assert received() == Counter(person.pk for person in [chef, *people])

    def test_those_of_one_platform_who_were_here_lately(self, chef):
        def signed_in(platform: str, days: int) -> User:
            user = factories.person()
            phone(user)
            Session.objects.filter(user=user).update(platform=platform, active_at=Now() - timedelta(days=days))
            return user

        signed_in("android", 1)
        signed_in("ios", 8)
        her = signed_in("iOS", 6)
        announcements.propose(draft(chef, platform="ios", active_days=7).pk, operator=chef)
        assert received() == Counter([her.pk])

    def test_nobody_is_no_audience(self, chef):
        announcement = draft(chef, platform="ios")
        with pytest.raises(announcements.NotNow, match="没有符合条件的用户"):
            announcements.propose(announcement.pk, operator=chef)
        assert state(announcement) == State.DRAFT


class TestFourEyes:
    @pytest.fixture(autouse=True)
    def few(self, settings):
        settings.ANNOUNCED_ALONE = 2

    def test_many_wait_for_a_second_operator(self, chef):
        factories.person()
        other, announcement = operator("zweite"), draft(chef)
        announcements.propose(announcement.pk, operator=chef)
        assert (state(announcement), announcement.expected) == (State.PROPOSED, 3)
        tasks.announce()
        with pytest.raises(announcements.NotNow, match="以外"):
            announcements.confirm(announcement.pk, operator=chef)
        assert not received()
        announcements.confirm(announcement.pk, operator=other)
        assert (state(announcement), announcement.told) == (State.DONE, 3)
        assert set(received().values()) == {1}

    def test_an_audience_that_has_grown_past_it_waits_as_well(self, chef):
        announcement = draft(chef, send_at=Now() + timedelta(days=1))
        announcements.propose(announcement.pk, operator=chef)
        other, _ = operator("zweite"), factories.person()
        Announcement.objects.update(send_at=Now())
        tasks.announce()
        assert (state(announcement), received()) == (State.PROPOSED, Counter())
        announcements.confirm(announcement.pk, operator=other)
        assert (state(announcement), sum(received().values())) == (State.DONE, 3)

    def test_two_who_confirm_at_once_send_it_once(self, chef):
        factories.person()
        announcement, seconds = draft(chef), [operator(name) for name in "ab"]
        announcements.propose(announcement.pk, operator=chef)

        def confirm(who: User) -> bool:
            try:
                announcements.confirm(announcement.pk, operator=who)
            except announcements.NotNow:
                return False
            return True

        assert sorted(at_once([lambda who=who: confirm(who) for who in seconds])) == [False, True]
        tasks.announce()
        assert set(received().values()) == {1}


class TestWhen:
    def test_at_its_time_and_not_before(self, chef):
        announcement = draft(chef, send_at=Now() + timedelta(minutes=5))
        announcements.propose(announcement.pk, operator=chef)
        tasks.announce()
        assert (state(announcement), received()) == (State.SENDING, Counter())
        Announcement.objects.update(send_at=Now())
        tasks.announce()
        assert (state(announcement), received()) == (State.DONE, Counter([chef.pk]))

    def test_stopped_in_the_middle_the_others_never_get_it(self, chef, monkeypatch):
        monkeypatch.setattr(announcing, "BATCH", 2)
        monkeypatch.setattr(announcements, "_nudge", lambda: None)
        for _ in range(4):
            factories.person()
        announcement = draft(chef)
        announcements.propose(announcement.pk, operator=chef)
        assert announcing.tell_next_batch()
        announcements.stop(announcement.pk)
        tasks.announce()
        assert (state(announcement), sum(received().values())) == (State.STOPPED, 2)
        with pytest.raises(announcements.NotNow):
            announcements.propose(announcement.pk, operator=chef)

    def test_what_was_sent_cannot_be_sent_again(self, chef):
        announcement = draft(chef)
        announcements.propose(announcement.pk, operator=chef)
        for again in (announcements.propose, announcements.confirm):
            with pytest.raises(announcements.NotNow):
                again(announcement.pk, operator=operator(again.__name__))
        announcements.stop(announcement.pk)
        assert state(announcement) == State.DONE


def test_what_cannot_be_told_holds_up_nothing_else(chef, monkeypatch):
    monkeypatch.setattr(announcements, "_nudge", lambda: None)
    broken, sound = draft(chef, title="坏的"), draft(chef)
    for each in (broken, sound):
        announcements.propose(each.pk, operator=chef)
    tell = announcing._tell

    def fail(announcement, *given):
        tell(announcement, *given)
        if announcement.pk == broken.pk:
            raise ValueError("not this one")

    monkeypatch.setattr(announcing, "_tell", fail)
    with pytest.raises(ValueError, match="not this one"):
        announcing.tell_next_batch()
    assert announcing.tell_next_batch()
    assert (state(broken), state(sound), received()) == (State.SENDING, State.DONE, Counter([chef.pk]))
    with pytest.raises(ValueError, match="not this one"):
        announcing.tell_next_batch()


def test_four_workers_share_it_while_people_read_and_write(chef, api, monkeypatch):
    """Message lists and mailboxes are locked in the same order by all of them."""
    monkeypatch.setattr(announcing, "BATCH", 7)
    monkeypatch.setattr(announcements, "_nudge", lambda: None)
    people = [factories.person() for _ in range(40)]
    phones = [api(user, version="2.0.0") for user in people[:8]]
    announcement = draft(chef)
    announcements.propose(announcement.pk, operator=chef)

    def work() -> None:
        while announcing.tell_next_batch():
            pass

    def live(number: int) -> None:
        for turn in range(4):
            ok(phones[number].post("msg/send-msg", toUserId=people[(number + 1) % 8].pk, content='{"text": "在吗"}'))
            ok(phones[number].post("msg/message-read-all" if turn % 2 else "msg/message-list"))

    at_once([work] * 4 + [lambda number=number: live(number) for number in range(8)])
    work()
    assert state(announcement) == State.DONE
    notices = InstantMessage.objects.filter(kind=InstantMessage.Kind.NOTICE)
    assert Counter(notices.values_list("recipient", flat=True)) == Counter(user.pk for user in [chef, *people])


WORKER = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from heihei_site.realtime import bus
from messages import tasks
from messages.services import announcing, entries

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def in_the_second_batch(real, batches=[0]):
    def step(*given, **more):
        batches[0] += 1
        return real(*given, **more) if batches[0] == 1 else die()
    return step

announcing.BATCH = 2
{fault}
tasks.announce()
"""
FAULTS = {
    "it has people in hand": "announcing._tell = in_the_second_batch(announcing._tell)",
    "their messages are stored": "entries.note = in_the_second_batch(entries.note)",
    "it is about to say how far it is": "announcing._move_on = in_the_second_batch(announcing._move_on)",
    "it has committed and rings": "bus.send = in_the_second_batch(bus.send)",
}


@pytest.mark.parametrize("when", FAULTS)
def test_a_worker_that_is_killed_when(when, chef, monkeypatch, tmp_path):
    """…has told some, and who comes after it tells the others: everybody once."""
    monkeypatch.setattr(announcements, "_nudge", lambda: None)
    people = [chef, *(factories.person() for _ in range(6))]
    announcement = draft(chef)
    announcements.propose(announcement.pk, operator=chef)
    ended = subprocess.run(
        [sys.executable, "-c", WORKER.format(fault=FAULTS[when]), str(connection.settings_dict["NAME"])],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "heihei_site.settings", "HEIHEI_VAR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert 2 <= sum(received().values()) <= 4 < len(people)
    tasks.announce()
    assert (state(announcement), announcement.told) == (State.DONE, len(people))
    assert received() == Counter(person.pk for person in people)


class TestTheConsole:
    LIST = "/admin/inbox/announcement/"
    SAID: ClassVar = {
        "title": "维护通知",
        "text": "今晚两点停机半小时。",
        "link": "wmlives_heihei://homepage",
        "picture": "",
        "platform": "",
        "active_days": "",
        "send_at_0": "",
        "send_at_1": "",
    }

    @pytest.fixture
    def boss(self) -> User:
        return factories.person(username="boss", is_staff=True, is_superuser=True)

    @staticmethod
    def signed_in(user: User) -> Client:
        console = Client()
        console.force_login(user)
        return console

    def write(self, console: Client, **changes: str) -> Announcement:
        assert console.post(f"{self.LIST}add/", self.SAID | changes).status_code == 302
        return Announcement.objects.latest("pk")

    def press(self, console: Client, button: str, announcement: Announcement) -> str:
        """Asked first, then answered; the page that comes after."""
        address = f"{self.LIST}{announcement.pk}/{button}/"
        assert console.get(address).template_name == "console/ask.html"
        return console.post(address, {"answered": "yes"}, follow=True).content.decode()

    def test_a_draft_is_previewed_counted_sent_and_recorded(self, boss):
        console = self.signed_in(boss)
        announcement = self.write(console)
        assert (announcement.author, announcement.state) == (boss, State.DRAFT)
        console.post(f"{self.LIST}{announcement.pk}/change/", self.SAID | {"title": "停机通知"})
        page = console.get(f"{self.LIST}{announcement.pk}/change/").content.decode()
        assert "【停机通知】今晚两点停机半小时。" in page and "1 人" in page
        assert self.LIST in page and f"/{announcement.pk}/propose/" in page and "/confirm/" not in page
        assert "发送中（0 / 1 人）" in self.press(console, "propose", announcement)
        assert (state(announcement), received()) == (State.DONE, Counter([boss.pk]))
        verbs = Act.objects.order_by("pk").values_list("verb", "object_id")
        assert list(verbs) == [(verb, str(announcement.pk)) for verb in ("添加公告", "修改公告", "提交发送")]

    def test_the_second_operator_confirms_what_the_first_could_not(self, boss, settings):
        settings.ANNOUNCED_ALONE = 1
        factories.person()
        console, announcement = self.signed_in(boss), draft(boss)
        assert "待复核" in self.press(console, "propose", announcement)
        assert "须由提交人以外的人复核" in self.press(console, "confirm", announcement)
        assert not received()
        second = factories.person(username="zweite", is_staff=True)
        second.user_permissions.add(*Permission.objects.filter(codename__in=["view_announcement", "send_announcement"]))
        self.press(self.signed_in(second), "confirm", announcement)
        assert (state(announcement), announcement.confirmed_by) == (State.DONE, second)
        assert set(received().values()) == {1}

    def test_what_was_proposed_is_edited_no_more(self, boss, settings):
        settings.ANNOUNCED_ALONE = 0
        console, announcement = self.signed_in(boss), draft(boss)
        announcements.propose(announcement.pk, operator=boss)
        said = self.SAID | {"text": "别的"}
        page = console.post(f"{self.LIST}{announcement.pk}/change/", said, follow=True).content.decode()
        assert "没有保存：这条公告已经提交" in page and "成功" not in page
        assert not Act.objects.exists()
        announcement.refresh_from_db()
        assert (announcement.text, announcement.state) == ("今晚两点停机半小时。", State.PROPOSED)

    def test_who_proposes_while_another_edits_sends_what_was_saved(self, boss, monkeypatch):
        console, announcement = self.signed_in(boss), draft(boss, send_at=Now() + timedelta(days=1))
        save_model, proposing = AnnouncementAdmin.save_model, []

        def slow(self, *given):
            proposing.append(pool.submit(announcements.propose, announcement.pk, operator=boss))
            with pytest.raises(TimeoutError):
                proposing[0].result(timeout=0.5)
            save_model(self, *given)

        monkeypatch.setattr(AnnouncementAdmin, "save_model", slow)
        said = self.SAID | {"text": "别的", "send_at_0": "2030-01-01", "send_at_1": "00:00"}
        with ThreadPoolExecutor(1) as pool:
            console.post(f"{self.LIST}{announcement.pk}/change/", said)
            assert proposing[0].result(timeout=30).text == "别的"
            pool.submit(lambda: connection.close()).result()
        assert state(announcement) == State.SENDING

    def test_stopped_it_stays_so(self, boss):
        console, announcement = self.signed_in(boss), draft(boss)
        assert "已停止" in self.press(console, "stop", announcement)
        assert "只有草稿可以提交" in self.press(console, "propose", announcement)
        assert not received()

    @pytest.mark.parametrize("nothing", ["999", "x"])
    def test_an_address_of_none_leads_back(self, boss, nothing):
        assert self.signed_in(boss).get(f"{self.LIST}{nothing}/change/").status_code == 302

    def test_writing_is_not_sending(self):
        writer = factories.person(username="helper", is_staff=True)
        codenames = ["add_announcement", "change_announcement", "view_announcement"]
        writer.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
        console = self.signed_in(writer)
        announcement = self.write(console)
        for button in ("propose", "confirm", "stop"):
            assert console.post(f"{self.LIST}{announcement.pk}/{button}/", {"answered": "yes"}).status_code == 403
        assert console.post(f"{self.LIST}{announcement.pk}/delete/", {"post": "yes"}).status_code == 403
        assert state(announcement) == State.DRAFT

    @pytest.mark.parametrize("wrong", [{"link": "https://x"}, {"active_days": "0"}, {"text": ""}, {"title": "题" * 41}])
    def test_what_phones_could_not_show_is_no_draft(self, boss, wrong):
        assert self.signed_in(boss).post(f"{self.LIST}add/", self.SAID | wrong).status_code == 200
        assert not Announcement.objects.exists()
