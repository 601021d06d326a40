"""Operators on duty: what they see of lives, and what they say into rooms and to people."""

import html
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models.functions import Now
from django.test import Client

from heihei_site.console import acts
from heihei_site.realtime.models import Message, StreamKind
from live.models import Guest, Live, MicLink
from tests import factories
from tests.live.test_moderation import mute
from users.models import User

pytestmark = pytest.mark.django_db
LIVES, PEOPLE = "/admin/live/live/", "/admin/users/user/"
TIP = {"type": "alert", "title": "昵称提醒", "desc": "请修改昵称", "timeout": 5}


@pytest.fixture
def staff(db: None) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    return browser


@pytest.fixture
def onlooker(db: None) -> Client:
    helper = User.objects.create_user("helper", "", "x", is_staff=True)
    helper.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "view_live"]))
    browser = Client()
    browser.force_login(helper)
    return browser


def choose(browser: Client, where: str, action: str, *rows: Any, **said: Any) -> Any:
    answer = browser.post(where, {"action": action, "_selected_action": [row.pk for row in rows]} | said, follow=True)
    assert answer.status_code == 200
    return answer


def page(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def listed(browser: Client, **query: Any) -> list[int]:
    return [row.pk for row in browser.get(LIVES, query).context["cl"].result_list]


class TestAToast:
    def test_is_asked_for_on_a_page_of_its_own_first(self, staff, evening):
        answer = choose(staff, LIVES, "toast", evening.live)
        assert "发送弹窗提示" in page(answer)
        assert evening.live.title in page(answer)
        assert evening.told == []

    def test_lies_over_every_screen_in_the_room(self, staff, evening, committed):
        other = factories.live()
        evening.told.clear()
        with committed():
            answer = choose(staff, LIVES, "toast", evening.live, answered="yes", text="五分钟后维护", seconds=3)
        assert "已发送到 1 个直播间" in page(answer)
        assert evening.shown("toast") == [
            {"room": evening.live.pk, "msgType": "toast", "roomId": evening.live.pk, "text": "五分钟后维护",
             "expireTime": 3}
        ]  # fmt: skip
        assert not Message.objects.filter(kind=StreamKind.ROOM, owner_id=other.pk).exists()

    def test_reaches_nobody_where_a_live_is_over(self, staff, evening, committed):
        over = factories.live(status=Live.Status.STOPPED)
        evening.told.clear()
        with committed():
            answer = choose(staff, LIVES, "toast", over, answered="yes", text="x", seconds=3)
        assert "已发送到 0 个直播间" in page(answer)
        assert evening.told == []

    @pytest.mark.parametrize("said", [{}, {"text": ""}, {"text": "x", "seconds": 0}, {"text": "x", "seconds": 61}])
    def test_is_asked_for_again_where_something_is_missing(self, staff, evening, committed, said):
        with committed():
            answer = choose(staff, LIVES, "toast", evening.live, answered="yes", **said)
        assert "发送弹窗提示" in page(answer)
        assert evening.told == []

    def test_is_not_for_who_may_only_look(self, onlooker, evening, committed):
        with committed():
            choose(onlooker, LIVES, "toast", evening.live, answered="yes", text="x", seconds=3)
        assert evening.told == []

    def test_of_a_title_with_html_shows_it_as_text(self, staff):
        live = factories.live(title="<script>alert(1)</script>")
        assert "<script>alert(1)" not in choose(staff, LIVES, "toast", live).content.decode()


class TestATip:
    def test_is_told_to_the_person_and_kept_for_them(self, staff, evening, committed):
        assert "发送提示" in page(choose(staff, PEOPLE, "show_tip", evening.viewer))
        assert evening.told == []
        button = {"button": "去修改", "link": "wmlives_heihei://user?id=1221"}
        with committed():
            answer = choose(staff, PEOPLE, "show_tip", evening.viewer, answered="yes", **TIP, **button)
        assert "已发送给 1 人" in page(answer)
        [told] = evening.shown("show-tip")
        assert told == {
            "person": evening.viewer.pk,
            "msgType": "action",
            "action": "show-tip",
            "comment": "tip消息",
            "message": {
                "type": "alert",
                "title": "昵称提醒",
                "desc": "请修改昵称",
                "jump": "",
                "timeout": 5,
                "image": "",
                "buttons": [
                    {"title": "去修改", "action": "wmlives_heihei://user?id=1221", "jump": ""},
                    {"title": "关闭", "action": "", "jump": ""},
                ],
            },
        }
        assert Message.objects.filter(kind=StreamKind.PERSON, owner_id=evening.viewer.pk).count() == 1

    def test_of_a_picture_needs_one(self, staff, evening, committed):
        with committed():
            answer = choose(staff, PEOPLE, "show_tip", evening.viewer, answered="yes", **TIP | {"type": "image"})
        assert "请填 http(s) 开头的图片地址" in page(answer)
        assert evening.told == []
        picture = TIP | {"type": "image", "image": "https://cdn.example/a.png"}
        with committed():
            choose(staff, PEOPLE, "show_tip", evening.viewer, answered="yes", **picture)
        [told] = evening.shown("show-tip")
        assert (told["message"]["image"], told["message"]["buttons"]) == ("https://cdn.example/a.png", [])

    @pytest.mark.parametrize(
        "said",
        [
            {"title": "", "desc": ""},
            {"type": "video"},
            {"timeout": 0},
            {"link": "https://a.example"},
            {"desc": "x" * 501},
        ],
    )
    def test_is_asked_for_again_where_something_is_wrong(self, staff, evening, committed, said):
        with committed():
            choose(staff, PEOPLE, "show_tip", evening.viewer, answered="yes", **TIP | said)
        assert evening.told == []

    def test_is_not_sent_to_who_is_banned(self, staff, evening, committed):
        gone = factories.person(is_active=False)
        with committed():
            assert "已发送给 0 人" in page(choose(staff, PEOPLE, "show_tip", gone, answered="yes", **TIP))
        assert evening.told == []

    def test_is_not_for_who_may_only_look(self, onlooker, evening, committed):
        with committed():
            choose(onlooker, PEOPLE, "show_tip", evening.viewer, answered="yes", **TIP)
        assert evening.told == []

    def test_goes_to_a_page_of_people_at_most(self, staff, evening, monkeypatch):
        monkeypatch.setattr(acts, "MOST", 1)
        answer = choose(staff, PEOPLE, "show_tip", evening.viewer, evening.owner)
        assert "一次最多 1 条" in page(answer)


class TestOnDuty:
    def test_the_list_says_who_is_on_the_mic_and_how_many_are_muted_and_managers(self, staff, evening):
        quiet = factories.live()
        factories.inside(evening.live, *(others := [factories.person(), factories.person()]))
        for each in (evening.viewer, *others):
            mute(evening, each)
        Guest.objects.filter(user=others[0]).update(manager_since=Now())
        MicLink.objects.create(live=evening.live, user=evening.viewer, state=MicLink.State.CONNECTED)
        rows = {row.pk: row for row in staff.get(LIVES).context["cl"].result_list}
        one, other = rows[evening.live.pk], rows[quiet.pk]
        assert (one.on_the_mic, one.muted, one.managers) == (True, 3, 1)
        assert (other.on_the_mic, other.muted, other.managers) == (False, 0, 0)
        assert listed(staff, mic="1") == listed(staff, muted="1") == [evening.live.pk]
        assert listed(staff, mic="0") == listed(staff, muted="0") == [quiet.pk]

    def test_a_live_says_who_they_are(self, staff, evening):
        mute(evening, evening.viewer)
        knocked = factories.person("敲门的人")
        Guest.objects.create(live=evening.live, user=knocked, knocked_at=Now())
        content = page(staff.get(f"{LIVES}{evening.live.pk}/change/"))
        assert "小白" in content
        assert "敲门的人" not in content

    def test_a_live_is_still_edited(self, staff, evening):
        mute(evening, evening.viewer)
        address = f"{LIVES}{evening.live.pk}/change/"
        shown = staff.get(address).context
        said = {
            form.add_prefix(name): form[name].value()
            for form in (
                shown["adminform"].form,
                *(each.formset.management_form for each in shown["inline_admin_formsets"]),
            )
            for name in form.fields
        }
        for formset in shown["inline_admin_formsets"]:
            for form in formset.formset.forms:
                said |= {form.add_prefix(name): form[name].value() for name in form.fields}
        said = {name: value for name, value in said.items() if value not in (None, False)}
        assert staff.post(address, said | {"title": "新标题"}).status_code == 302
        assert evening.row().title == "新标题"
        assert Guest.objects.get().muted_at is not None

    def test_a_person_leads_to_their_lives(self, staff, evening):
        factories.live(evening.owner, status=Live.Status.STOPPED)
        content = page(staff.get(f"{PEOPLE}{evening.owner.pk}/change/"))
        assert f"{LIVES}?owner__id__exact={evening.owner.pk}&status__in=0,1" in content
        factories.live()
        assert listed(staff, owner__id__exact=evening.owner.pk, status__in="0,1") == [evening.live.pk]
        assert len(listed(staff, owner__id__exact=evening.owner.pk)) == 2
