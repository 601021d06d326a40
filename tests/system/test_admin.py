"""The operators' console: finding people and lives, and shutting them out."""

import html
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from live.admin import LiveAdmin
from live.models import Live, Member
from tests import factories
from tests.answers import BANNED
from users.admin import UserAdmin
from users.models import PhoneCode, Report, Session, User

pytestmark = pytest.mark.django_db
DEAD = {"errorcode": 720, "errormsg": BANNED}


@pytest.fixture
def staff(db: None) -> Client:
    console = Client()
    console.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    return console


def listed(console: Client, model: str, **query: Any) -> list[int]:
    answer = console.get(f"/admin/{model}/", query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list]


def act(console: Client, model: str, action: str, *rows: Any) -> str:
    """As who answers at once what they would be asked."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "answered": "yes"}
    answer = console.post(f"/admin/{model}/", chosen, follow=True)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


class TestComingIn:
    def test_who_is_not_signed_in_is_asked_to(self):
        answer = Client().get("/admin/users/user/")
        assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/admin/users/user/")
        assert Client().get("/admin/login/").status_code == 200

    def test_staff_sign_in_with_name_and_password(self, staff):
        console = Client()
        wrong = console.post("/admin/login/", {"username": "chef", "password": "falsch"})
        assert (wrong.status_code, "_auth_user_id" in console.session) == (200, False)
        right = console.post("/admin/login/?next=/admin/", {"username": "chef", "password": "geheim"})
        assert (right.status_code, right["Location"]) == (302, "/admin/")

    def test_a_person_of_the_app_has_no_way_in(self, api):
        person = factories.person()
        token = factories.token(person)
        for way in ({"HTTP_TOKEN": token}, {"HTTP_AUTHORIZATION": f"Token {token}"}):
            assert Client(**way).get("/admin/", {"token": token}).status_code == 302

    def test_staff_without_the_right_see_no_people(self):
        helper = User.objects.create_user("helper", "", "x", is_staff=True)
        console = Client()
        console.force_login(helper)
        assert console.get("/admin/users/user/").status_code == 403
        helper.user_permissions.add(Permission.objects.get(codename="view_user"))
        assert console.get("/admin/users/user/").status_code == 200

    def test_staff_who_may_only_look_cannot_ban(self, told):
        helper = User.objects.create_user("helper", "", "x", is_staff=True)
        helper.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "view_live"]))
        console = Client()
        console.force_login(helper)
        live = factories.live()
        act(console, "live/live", "ban", live)
        act(console, "users/user", "ban", live.owner)
        live.refresh_from_db()
        live.owner.refresh_from_db()
        assert (live.status, live.owner.is_active, told) == (Live.Status.PLAYING, True, [])


@pytest.mark.parametrize(
    "page", ["", "users/user/", "users/report/", "live/live/", "payment/gift/", "auth/group/", "users/user/add/"]
)
def test_every_page_opens(staff, gifts, page):
    live = factories.live()
    Report.objects.create(reporter=factories.person(), target=live.owner, kind=1)
    assert staff.get(f"/admin/{page}").status_code == 200


def test_a_person_and_a_live_open(staff):
    live = factories.live()
    assert staff.get(f"/admin/users/user/{live.owner_id}/change/").status_code == 200
    assert staff.get(f"/admin/live/live/{live.pk}/change/").status_code == 200


def test_people_are_found_by_id_hei_number_phone_and_name(staff):
    person, other = factories.person("小白"), factories.person("阿黑")
    for term in (person.pk, person.hei_num, person.phone, "小白", "白"):
        assert listed(staff, "users/user", q=term) == [person.pk], term
    assert set(listed(staff, "users/user")) >= {person.pk, other.pk}


@pytest.mark.parametrize(
    "term", ["9" * 30, "9" * 5000, "%", "_", "-1", "1e3", "abc", str(2**31), str(990_000 + 2**31), "²", "٣"]
)
def test_an_odd_search_finds_nobody(staff, term):
    factories.live()
    assert listed(staff, "users/user", q=term) == []
    assert listed(staff, "live/live", q=term) == []


@pytest.mark.parametrize("term", ["'", '"', "\0", " "])
def test_a_search_for_nothing_breaks_nothing(staff, term):
    live = factories.live()
    assert live.owner_id in listed(staff, "users/user", q=term)
    assert listed(staff, "live/live", q=term) == [live.pk]


def test_lives_are_found_by_live_id_owner_and_title(staff):
    live, other = factories.live(title="一号"), factories.live(title="二号")
    for term in (live.pk, live.owner_id, "一号", live.owner.display_name):
        assert live.pk in listed(staff, "live/live", q=term), term
        assert other.pk not in listed(staff, "live/live", q=term), term


def test_a_banned_live_is_over_at_once_and_its_viewers_are_told(staff, told, api, django_capture_on_commit_callbacks):
    live, viewer = factories.live(), factories.person()
    factories.inside(live, viewer)
    with django_capture_on_commit_callbacks(execute=True):
        assert "已封禁 1 场直播" in act(staff, "live/live", "ban", live)
    live.refresh_from_db()
    assert (live.status, live.occupied) == (Live.Status.BANNED, 0)
    assert live.ended_at is not None
    assert not Member.objects.filter(left_at=None).exists()
    said, stopped, closed = told
    assert (said["msgType"], said["text"]) == ("system", "该直播因违反社区规定已被关闭")
    assert (stopped["action"], stopped["live"]["liveId"], stopped["live"]["status"]) == ("stop-live", live.pk, 3)
    assert closed == {"do": "close", "room": live.pk}
    gone = {"errorcode": 731, "errormsg": "直播无效"}
    for version in ("1.1.2", "2.0.0"):
        assert api(factories.person(), version=version).post("live/join-live", liveId=live.pk) == gone
    assert api(live.owner).post("live/start-live", liveId=live.pk) == gone
    assert api(viewer).post("live/list-live-by-recommend")["lives"] == []


def test_the_second_ban_of_a_live_and_one_of_an_ended_live_do_nothing(staff, told, django_capture_on_commit_callbacks):
    live, ended = factories.live(), factories.live(status=Live.Status.STOPPED)
    act(staff, "live/live", "ban", live)
    with django_capture_on_commit_callbacks(execute=True):
        assert "已封禁 0 场直播" in act(staff, "live/live", "ban", live, ended)
    ended.refresh_from_db()
    live.refresh_from_db()
    assert (live.status, ended.status, told) == (Live.Status.BANNED, Live.Status.STOPPED, [])


def test_a_banned_person_is_out_everywhere(staff, told, api, django_capture_on_commit_callbacks):
    live, elsewhere = factories.live(), factories.live()
    person = live.owner
    factories.inside(elsewhere, person)
    phone = api(person)
    session = Session.objects.get(user=person).pk
    with django_capture_on_commit_callbacks(execute=True):
        assert "已封禁 1 人" in act(staff, "users/user", "ban", person)
    assert {"do": "end", "sessions": [session]} in told
    assert [message["action"] for message in told if message.get("room") == live.pk and "action" in message] == [
        "stop-live"
    ]
    for call in ("user/info", "live/heart-beat", "live/unclosed-live"):
        assert phone.post(call, liveId=live.pk, isCreator=1) == DEAD
    live.refresh_from_db()
    elsewhere.refresh_from_db()
    assert live.status == Live.Status.STOPPED
    assert not Member.objects.filter(user=person, left_at=None).exists()
    assert elsewhere.occupied == 1
    assert api(factories.person()).post("user/info", uid=person.pk)["errorcode"] == 710


def test_a_banned_person_cannot_sign_in_again_until_the_ban_is_lifted(staff, api, monkeypatch):
    codes: list[str] = []
    monkeypatch.setattr("users.services.sms_codes.hand_over", lambda job, phone, code: codes.append(code))
    person = factories.person()

    def sign_in() -> int:
        PhoneCode.objects.all().delete()
        api().post("user/get-sms-verification-code", phoneNo=person.phone)
        return int(api().post("user/sign-in-cl-by-phone", phoneNo=person.phone, verifyCode=codes[-1])["errorcode"])

    act(staff, "users/user", "ban", person)
    assert sign_in() == 721
    assert not Session.objects.filter(user=person).exists()
    act(staff, "users/user", "lift_ban", person)
    assert sign_in() == 0


def test_the_second_ban_of_a_person_does_nothing(staff, told, django_capture_on_commit_callbacks):
    person = factories.person()
    with django_capture_on_commit_callbacks(execute=True):
        act(staff, "users/user", "ban", person)
        act(staff, "users/user", "ban", person)
    assert told == []


@pytest.mark.parametrize("of", ["live/live", "users/user"])
def test_scripts_that_post_the_action_alone_ban(staff, of):
    live = factories.live()
    staff.post(f"/admin/{of}/", {"action": "ban", "_selected_action": [live.pk if "live" in of else live.owner_id]})
    live.refresh_from_db()
    assert (live.status, live.owner.is_active) == (
        (Live.Status.BANNED, True) if "live" in of else (Live.Status.STOPPED, False)
    )


def test_staff_are_not_banned_by_mistake(staff):
    chef = User.objects.get(username="chef")
    assert "已封禁 0 人" in act(staff, "users/user", "ban", chef)
    chef.refresh_from_db()
    assert chef.is_active


def test_no_page_shows_a_phone_number_or_a_session(staff):
    person = factories.person()
    factories.token(person)
    for page in ("users/user/", f"users/user/{person.pk}/change/"):
        content = staff.get(f"/admin/{page}").content.decode()
        assert person.phone not in content
        assert bytes(Session.objects.get().digest).hex() not in content


def test_an_operator_makes_a_minor_an_adult(staff):
    """D19: nobody else may."""
    minor = factories.person("小明", birthday=date(2015, 1, 1))
    form = staff.get(f"/admin/users/user/{minor.pk}/change/").context["adminform"].form
    said = {name: "" if value is None else value for name, value in form.initial.items()}
    answer = staff.post(f"/admin/users/user/{minor.pk}/change/", said | {"birthday": "1990-01-01"})
    assert answer.status_code == 302, answer.context["errors"]
    minor.refresh_from_db()
    assert (minor.birthday, minor.username, minor.phone is not None) == (date(1990, 1, 1), None, True)


def test_staff_are_added_with_a_name_and_not_without(staff):
    given = {"password1": "ganz-geheim-9", "password2": "ganz-geheim-9", "is_staff": "on", "usable_password": "true"}
    assert staff.post("/admin/users/user/add/", given | {"username": ""}).status_code == 200
    assert staff.post("/admin/users/user/add/", given | {"username": "helferin"}).status_code == 302
    assert [user.username for user in User.objects.filter(is_staff=True).order_by("pk")] == ["chef", "helferin"]


def test_a_form_that_was_open_for_a_while_takes_nothing_back(staff, monkeypatch):
    room, person = factories.live(title="旧"), factories.person("旧")
    load = LiveAdmin.get_object, UserAdmin.get_object

    def then_life_goes_on(model_admin, request, object_id, from_field=None):
        found = load[isinstance(model_admin, UserAdmin)](model_admin, request, object_id, from_field)
        Live.objects.filter(pk=room.pk).update(status=2, total_tickets=7)
        User.objects.filter(pk=person.pk).update(experience=70, is_active=False)
        return found

    for admin in (LiveAdmin, UserAdmin):
        monkeypatch.setattr(admin, "get_object", then_life_goes_on)
    said = {"title": "新", "recommended": "", "visible": "on", "guests-TOTAL_FORMS": 0, "guests-INITIAL_FORMS": 0}
    assert staff.post(f"/admin/live/live/{room.pk}/change/", said).status_code == 302
    card = {"display_name": "新", "gender": "Female", "birthday": "1990-01-01", "kind": "Normal", "username": ""}
    assert staff.post(f"/admin/users/user/{person.pk}/change/", card).status_code == 302
    room.refresh_from_db()
    person.refresh_from_db()
    assert (room.title, room.status, room.total_tickets) == ("新", 2, 7)
    assert (person.display_name, person.experience, person.is_active) == ("新", 70, False)


def test_people_are_banned_and_never_deleted(staff):
    person = factories.person()
    assert "delete_selected" not in staff.get("/admin/users/user/").content.decode()
    assert staff.post(f"/admin/users/user/{person.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=person.pk).exists()


def test_lives_are_neither_made_nor_deleted_here(staff):
    live = factories.live()
    assert staff.get("/admin/live/live/add/").status_code == 403
    assert staff.post(f"/admin/live/live/{live.pk}/delete/", {"post": "yes"}).status_code == 403
    act(staff, "live/live", "delete_selected", live)
    assert Live.objects.filter(pk=live.pk).exists()


def test_a_title_is_text_not_html(staff):
    factories.live(factories.person("<b>x</b>"), title="<script>alert(1)</script>")
    for page in ("live/live/", "users/user/"):
        content = staff.get(f"/admin/{page}").content.decode()
        assert "<script>alert(1)" not in content
        assert "<b>x</b>" not in content


def test_the_lists_take_as_many_queries_for_many_rows_as_for_few(staff, django_assert_max_num_queries):
    for page in ("live/live", "users/user"):
        for _ in range(20):
            factories.live()
        with django_assert_max_num_queries(8):
            listed(staff, page)
