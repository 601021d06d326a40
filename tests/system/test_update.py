"""`sys/update`: is there a newer app? (D31)"""

from typing import Any

import pytest

from heihei_site.system import updates
from heihei_site.system.models import AppVersion
from heihei_site.system.releases import release
from tests import factories
from tests.answers import ok, refused

pytestmark = pytest.mark.django_db
URL = "https://cdn.example.com/heihei.apk"


def version(code: str, **fields: Any) -> AppVersion:
    given = {"platform": "android", "text": "新版本来了，更新吧！", "url": URL, "published": True, **fields}
    return AppVersion.objects.create(version_code=code, **given)


def told(phone: Any, code: str = "1.2.0", platform: str = "android", **params: Any) -> str | None:
    """Which version the phone is told about."""
    info = ok(phone.get("sys/update", versionCode=code, devicesType=platform, **params)).get("info")
    return info and str(info["versionCode"])


def test_a_newer_version_is_described_as_documented(api):
    version("1.4.0", channel="xiaomi", title="更新", force=True)
    answer = api(version="1.3.0").get("sys/update", versionCode="1.3.0", devicesType="android", channel="xiaomi")
    assert answer == {
        "errorcode": 0,
        "errormsg": "success",
        "info": {
            "force": True,
            "url": URL,
            "title": "更新",
            "text": "新版本来了，更新吧！",
            "fileName": "heihei.apk",
            "versionCode": "1.4.0",
            "channel": "xiaomi",
        },
    }


@pytest.mark.parametrize("version_header", ["1.1.2", "2.0.0"])
def test_with_nothing_newer_there_is_no_info_for_anybody(api, version_header):
    version("1.1.2")
    answer = api(version=version_header).get("sys/update", versionCode="1.1.2", devicesType="android")
    assert answer == {"errorcode": 0, "errormsg": "success"}


class TestTheShippedApp:
    """B51: it shows its dialog for a refusal with `info`, and for nothing else. 720 would sign it out."""

    def test_people_with_the_shipped_app_are_offered_the_new_one(self, api):
        version("1.2.0")
        answer = api(version="1.1.2").get("sys/update", channel="huawei", devicesType="android", versionCode="1.1.2")
        assert (answer["errorcode"], answer["errormsg"]) == (1, "发现新版本")
        assert answer["info"]["versionCode"] == "1.2.0"
        assert answer["info"]["force"] is False

    def test_so_are_those_whose_call_came_without_its_headers(self, api):
        version("1.2.0")
        assert api().get("sys/update", devicesType="android", versionCode="1.1.2")["errorcode"] == 1

    def test_the_header_says_more_than_the_version_asked_about(self, api):
        version("1.2.0")
        assert api(version="2.0.0").get("sys/update", devicesType="android", versionCode="1.1.2")["errorcode"] == 0

    def test_its_fixed_address_answers_without_a_token(self, api):
        """B9: it does not read the address from init."""
        assert api().get("sys/update", devicesType="android", versionCode="1.1.2", token="stale")["errorcode"] == 0
        assert api().get("init", ap="heihei")["sys"]["update"] == "http://testserver/api/sys/update"


@pytest.mark.parametrize(
    ("installed", "published", "newer"),
    [
        ("1.9.0", "1.10.0", True),
        ("1.10.0", "1.9.0", False),
        ("1.10", "1.9.9", False),
        ("1.2", "1.2.0", False),
        ("1.2.0", "1.2", False),
        ("1.2", "1.2.1", True),
        ("1.2.0-beta", "1.2.0", False),
        ("1.2.0 (1120)", "1.2.1", True),
        ("v1.2", "1.3", True),
        ("2", "1.99.99", False),
        ("2.0.0", "10.0.0", True),
        ("0.0.0", "0.0.1", True),
    ],
)
def test_versions_are_numbers_and_not_texts(api, installed, published, newer):
    version(published)
    assert told(api(version="2.0.0"), installed) == (published if newer else None)


@pytest.mark.parametrize("code", ["", "abc", "1..2", "1.", ".1", "-1", "1e3", "١.٢", "1" * 10, "1.2\0", "1.2,3", "%"])
def test_what_is_no_version_is_a_wrong_parameter(api, code):
    version("9.9.9")
    refused(api(version="2.0.0").get("sys/update", versionCode=code, devicesType="android"), 700, "参数错误")


@pytest.mark.parametrize("given", [{}, {"devicesType": ""}, {"devicesType": "windows"}, {"devicesType": "Android\0"}])
def test_a_phone_of_no_known_kind_is_a_wrong_parameter(api, given):
    refused(api().get("sys/update", versionCode="1.0.0", **given), 700, "参数错误")


@pytest.mark.parametrize("spelling", ["devicesType", "deviceType", "deveiceType"])
def test_every_spelling_of_the_kind_of_phone_is_understood(api, spelling):
    version("9.0", platform="ios")
    answer = api(version="2.0.0").post("sys/update", versionCode="1.0", **{spelling: "ios"})
    assert answer["info"]["versionCode"] == "9.0"


def test_an_iphone_is_not_told_about_an_android_package(api):
    version("1.9.0")
    assert told(api(), platform="ios") is None
    version("1.8.0", platform="ios")
    updates.published.forget()
    assert told(api(), platform="ios") == "1.8.0"


def test_a_package_of_one_shop_is_not_offered_in_another(api):
    version("1.9.0", channel="huawei")
    assert told(api(), channel="xiaomi") is None
    assert told(api()) is None
    assert told(api(), channel="huawei") == "1.9.0"


def test_a_shop_without_a_package_of_its_own_gets_the_one_for_all(api):
    version("1.9.0")
    answer = api().get("sys/update", versionCode="1.2", devicesType="android", channel="xiaomi")
    assert (answer["info"]["versionCode"], answer["info"]["channel"]) == ("1.9.0", "xiaomi")


def test_of_the_same_version_a_shop_gets_its_own_package(api):
    version("1.9.0", url="https://cdn.example.com/all.apk")
    version("1.9", channel="huawei", url="https://cdn.example.com/huawei.apk")
    version("1.8.0", channel="huawei")
    answer = api().get("sys/update", versionCode="1.2", devicesType="android", channel="huawei")
    assert answer["info"]["url"] == "https://cdn.example.com/huawei.apk"


def test_the_newest_wins_whatever_was_entered_last(api):
    for code in ("1.9.0", "1.10.0", "1.2.1"):
        version(code)
    assert told(api()) == "1.10.0"


def test_who_skipped_a_version_that_had_to_be_installed_must_install_the_newest(api):
    version("1.5.0", force=True)
    version("1.9.0")
    phone = api(version="2.0.0")

    def must(code: str) -> bool:
        return bool(phone.get("sys/update", versionCode=code, devicesType="android")["info"]["force"])

    assert must("1.4.9") is True
    assert must("1.5.0") is False


def test_what_is_not_published_is_told_to_nobody(api):
    version("1.9.0", published=False)
    assert told(api()) is None


def test_nothing_is_null(api):
    """B31: the word "null" on the screen."""
    version("1.9.0", title="", file_name="")
    info = ok(api().get("sys/update", versionCode="1.2", devicesType="android"))["info"]
    assert (info["title"], info["fileName"], info["channel"]) == ("", "", "")


def test_asking_again_asks_the_database_nothing(api, django_assert_num_queries):
    version("1.9.0")
    told(api())
    with django_assert_num_queries(0):
        assert told(api()) == "1.9.0"


def test_a_release_is_its_numbers():
    assert release("1.10.0") == (1, 10)
    assert release("0.0") == ()
    assert release("v2.0.1-rc1") == (2, 0, 1)
    with pytest.raises(ValueError, match="not a version"):
        release("x")


def test_it_is_the_same_by_post_and_by_get(api):
    version("1.9.0")
    person = api(factories.person(), version="2.0.0")
    given = {"versionCode": "1.2.0", "devicesType": "android"}
    assert person.get("sys/update", **given) == person.post("sys/update", **given)
