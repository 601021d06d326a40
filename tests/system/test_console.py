"""Operators word pages, schedule banners, publish versions and read logs; who may not, cannot."""

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from heihei_site.system.models import AppVersion, Banner, ClientLog, Page
from payment.models import Gift, GiftResource
from tests import factories
from tests.answers import ok
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)  # what is kept is forgotten after commits
MODELS = ("banner", "appversion", "page", "clientlog")


@pytest.fixture
def staff() -> Client:
    console = Client()
    console.force_login(User.objects.create_superuser("chef", "chef@example.com", "geheim"))
    return console


def helper(*rights: str) -> Client:
    user = User.objects.create_user("helper", "", "x", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    console = Client()
    console.force_login(user)
    return console


def banner(desc: str = "广告", **fields: Any) -> Banner:
    return Banner.objects.create(desc=desc, **{"cover": "https://a.example/b.png", "type": 1, "link": "x", **fields})


def everything() -> dict[str, Any]:
    """One row of each."""
    version = AppVersion.objects.create(platform="ios", version_code="2.1", text="新", url="https://a.example")
    page = Page.objects.create(slug="contact-us", title="联系我们", text="在这里")
    return {"banner": banner(), "appversion": version, "page": page, "clientlog": ClientLog.objects.create(text="boom")}


def filled(console: Client, address: str, **said: Any) -> dict[str, Any]:
    """A form as the browser would send it."""
    form = console.get(address).context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    given = {
        name: "on" if value is True else value
        for name, value in values.items()
        if value is not None and value is not False
    }
    return {**given, **said}


def descriptions(api: Any) -> list[str]:
    return [each["desc"] for each in ok(api(factories.person()).get("social/get-banner"))["banners"]]


class TestRights:
    @pytest.mark.parametrize("model", MODELS)
    def test_who_is_not_signed_in_sees_nothing(self, model):
        row = everything()[model]
        for page in ("", "add/", f"{row.pk}/change/"):
            assert Client().get(f"/admin/system/{model}/{page}").status_code == 302

    @pytest.mark.parametrize("model", MODELS)
    def test_staff_without_the_right_see_nothing(self, model):
        row, console = everything()[model], helper()
        for page in ("", "add/", f"{row.pk}/change/", f"{row.pk}/delete/"):
            assert console.get(f"/admin/system/{model}/{page}").status_code == 403

    @pytest.mark.parametrize("model", ["banner", "appversion", "page"])
    def test_staff_who_may_only_look_change_nothing(self, model, api):
        rows = everything()
        console = helper(*(f"view_{name}" for name in MODELS))
        row = rows[model]
        assert console.get(f"/admin/system/{model}/").status_code == 200
        assert console.get(f"/admin/system/{model}/{row.pk}/change/").status_code == 200
        assert console.post(f"/admin/system/{model}/{row.pk}/change/", {"title": "x", "desc": "x"}).status_code == 403
        assert console.post(f"/admin/system/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        console.post(
            f"/admin/system/{model}/", {"action": "delete_selected", "_selected_action": [row.pk], "post": "y"}
        )
        inline = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": row.pk, "form-0-order": 5, "_save": "x"}
        console.post(f"/admin/system/{model}/", inline)
        again = type(row).objects.get(pk=row.pk)
        assert {name: getattr(again, name) for name in vars(row) if name != "_state"} == {
            name: value for name, value in vars(row).items() if name != "_state"
        }

    def test_nobody_writes_logs_or_adds_pages(self, staff):
        rows = everything()
        assert staff.get("/admin/system/clientlog/add/").status_code == 403
        assert staff.post(f"/admin/system/clientlog/{rows['clientlog'].pk}/change/", {"text": "x"}).status_code == 403
        assert staff.get("/admin/system/page/add/").status_code == 403
        assert staff.post("/admin/system/page/contact-us/delete/", {"post": "yes"}).status_code == 403
        assert ClientLog.objects.get().text == "boom"
        assert Page.objects.exists()


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens(staff, model):
    row = everything()[model]
    assert staff.get(f"/admin/system/{model}/").status_code == 200
    assert staff.get(f"/admin/system/{model}/{row.pk}/change/").status_code == 200
    assert staff.get(f"/admin/system/{model}/", {"q": "x"}).status_code == 200


class TestBanners:
    def test_a_new_one_is_shown_at_once(self, staff, api):
        assert descriptions(api) == []
        said = {"desc": "周末歌会", "cover": "https://a.example/b.png", "type": 2, "link": "77"}
        answer = staff.post("/admin/system/banner/add/", filled(staff, "/admin/system/banner/add/", **said))
        assert answer.status_code == 302, answer.context["errors"]
        [shown] = ok(api(factories.person()).get("social/get-banner"))["banners"]
        assert (shown["desc"], shown["type"], shown["link"]) == ("周末歌会", 2, "wmlives_heihei://live?id=77")

    def test_a_link_that_leads_nowhere_is_pointed_out(self, staff):
        said = {"desc": "x", "cover": "https://a.example/b.png", "type": 1, "link": "ycl://live/5"}
        answer = staff.post("/admin/system/banner/add/", filled(staff, "/admin/system/banner/add/", **said))
        assert "请填用户 ID" in html.unescape(answer.content.decode())
        assert not Banner.objects.exists()

    def test_they_are_put_in_order_and_switched_off_in_the_list(self, staff, api):
        rows = [banner(name, order=place) for place, name in enumerate("abc")]
        assert descriptions(api) == ["a", "b", "c"]
        said = {"form-TOTAL_FORMS": 3, "form-INITIAL_FORMS": 3, "_save": "x"}
        for place, (row, order) in enumerate(zip(rows, (2, 1, 0), strict=True)):
            said |= {f"form-{place}-id": row.pk, f"form-{place}-order": order}
        said |= {"form-0-active": "on", "form-2-active": "on"}
        assert staff.post("/admin/system/banner/", said).status_code == 302
        assert descriptions(api) == ["c", "a"]

    def test_the_list_says_which_are_shown(self, staff):
        banner("x", active=False)
        assert "停用" in staff.get("/admin/system/banner/").content.decode()

    def test_one_that_is_deleted_is_gone_at_once(self, staff, api):
        first, second, third = banner("a"), banner("b"), banner("c")
        descriptions(api)
        staff.post(f"/admin/system/banner/{first.pk}/delete/", {"post": "yes"})
        assert descriptions(api) == ["b", "c"]
        chosen = {"action": "delete_selected", "_selected_action": [second.pk, third.pk], "post": "yes"}
        staff.post("/admin/system/banner/", chosen)
        assert descriptions(api) == []

    def test_a_picture_is_dragged_into_place(self, staff):
        banner()
        assert 'data-ordering-field="order"' in staff.get("/admin/system/banner/").content.decode()


class TestVersions:
    def told(self, api: Any) -> bool:
        return "info" in api(version="2.0.0").get("sys/update", versionCode="1.0.0", devicesType="android")

    def test_a_version_is_told_when_it_is_published(self, staff, api):
        said = {"platform": "android", "version_code": "1.10.0", "text": "新", "url": "https://a.example/x.apk"}
        address = "/admin/system/appversion/add/"
        answer = staff.post(address, filled(staff, address, **said))
        assert answer.status_code == 302, answer.context["errors"]
        assert not self.told(api)
        change = f"/admin/system/appversion/{AppVersion.objects.get().pk}/change/"
        assert staff.post(change, filled(staff, change, published="on")).status_code == 302
        assert self.told(api)

    @pytest.mark.parametrize(
        "wrong", [{"version_code": "neu"}, {"url": "javascript:alert(1)"}, {"platform": "windows"}, {"text": ""}]
    )
    def test_what_no_phone_could_use_is_not_taken(self, staff, wrong):
        said = {"platform": "android", "version_code": "1.2", "text": "新", "url": "https://a.example/x.apk"} | wrong
        address = "/admin/system/appversion/add/"
        assert staff.post(address, filled(staff, address, **said)).status_code == 200
        assert not AppVersion.objects.exists()


class TestPages:
    def test_a_new_wording_is_read_at_once(self, staff):
        everything()
        address = "/static/app/contact-us.html"
        assert "在这里" in Client().get(address).content.decode()
        change = "/admin/system/page/contact-us/change/"
        assert staff.post(change, filled(staff, change, text="## 新\n\n<script>")).status_code == 302
        read = Client().get(address).content.decode()
        assert "<h2>新</h2>" in read
        assert "<p>&lt;script&gt;</p>" in read

    def test_an_operator_sees_how_it_looks_with_one_click(self, staff):
        everything()
        [link] = re.findall(
            r'href="(/admin/r/[^"]+)"', staff.get("/admin/system/page/contact-us/change/").content.decode()
        )
        assert staff.get(link)["Location"].endswith("/static/app/contact-us.html")


class TestLogs:
    def test_a_log_is_read_as_text(self, staff):
        person = factories.person()
        log = ClientLog.objects.create(user=person, text="<script>alert(1)</script>\nzweite Zeile", version="1.1.2")
        for page in ("", f"{log.pk}/change/"):
            read = staff.get(f"/admin/system/clientlog/{page}").content.decode()
            assert "<script>alert(1)" not in read
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in read
        assert "zweite Zeile" in read

    @pytest.mark.parametrize("term", ["9" * 30, "abc", "%", "-1"])
    def test_an_odd_search_finds_nothing(self, staff, term):
        ClientLog.objects.create(user=factories.person(), text="x", version="1.1.2")
        answer = staff.get("/admin/system/clientlog/", {"q": term})
        assert (answer.status_code, list(answer.context["cl"].result_list)) == (200, [])

    def test_logs_are_found_by_person_and_version(self, staff):
        person = factories.person()
        log = ClientLog.objects.create(user=person, text="x", version="1.1.2")
        ClientLog.objects.create(text="y", version="2.0.0")
        for term in (person.pk, "1.1.2"):
            found = staff.get("/admin/system/clientlog/", {"q": term}).context["cl"].result_list
            assert list(found) == [log]

    def test_the_list_takes_as_many_queries_for_many_as_for_few(self, staff, django_assert_max_num_queries):
        for _ in range(20):
            ClientLog.objects.create(user=factories.person(), text="x" * 1000)
        with django_assert_max_num_queries(8):
            assert staff.get("/admin/system/clientlog/").status_code == 200


def test_a_gift_whose_picture_is_gone_can_still_be_taken_off_sale_in_the_list(staff, gifts):
    Gift.objects.filter(pk__gt=101).delete()
    Gift.objects.update(image="gone.png")
    said = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": 101, "form-0-order": 7, "_save": "x"}
    assert staff.post("/admin/payment/gift/", said).status_code == 302
    assert Gift.objects.values_list("active", "order").get() == (False, 7)


def test_a_new_file_of_a_gift_is_told_at_once(staff, api, gifts):
    def files() -> list[str]:
        answer = ok(api(factories.person()).get("social/gift-resources", giftIds=101))
        return [each["attr_file"] for each in answer["resources"]]

    assert files() == ["http://testserver/static/gifts/101.png"]
    gift, file = Gift.objects.get(pk=101), GiftResource.objects.get(gift=101)
    address = f"/admin/payment/gift/{gift.pk}/change/"
    inline = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 1, "0-id": file.pk, "0-gift": 101, "0-current": "on",
              "0-attr_file": "https://cdn.example.com/101.zip"}  # fmt: skip
    said = filled(staff, address, **{f"resources-{name}": value for name, value in inline.items()})
    assert staff.post(address, said).status_code == 302
    assert files() == ["https://cdn.example.com/101.zip"]
