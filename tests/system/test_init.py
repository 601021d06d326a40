"""`init`, the first call of every client (D41)."""

import pytest
from django.test import Client

from heihei_site.api.endpoints import Endpoints
from live.models import Live
from tests import factories
from users.auth import digest_of
from users.models import Session

pytestmark = pytest.mark.django_db
WRONG = {"errorcode": 700, "errormsg": "参数错误"}
GROUPS = ("user", "live", "message", "msg", "social", "payment", "chat", "topic", "record", "sys", "aboutus")


def addresses_in(answer: dict) -> list[str]:
    return [address for group in GROUPS for address in answer[group].values()]


def test_every_endpoint_is_named_under_its_key(api):
    answer = api().get("init", ap="heihei")
    for endpoint in Endpoints.registry:
        if endpoint.path != "init" and endpoint.is_for_phones:
            assert answer[endpoint.group][endpoint.key] == f"http://testserver/api/{endpoint.path}"
    assert answer["live"]["buyGift"] == "http://testserver/api/live/buy-gift"
    assert answer["user"]["signInCLByPhone"] == "http://testserver/api/user/sign-in-cl-by-phone"
    assert answer["user"]["getSMSVerificationCode"] == "http://testserver/api/user/get-sms-verification-code"
    assert answer["user"]["updateUser"] == "http://testserver/api/user/update"
    assert answer["social"]["giftResources"] == "http://testserver/api/social/gift-resources"


def test_every_group_is_there_and_msg_is_a_copy_of_message(api):
    answer = api().post("init", ap="heihei")
    assert all(isinstance(answer[group], dict) for group in GROUPS)
    assert answer["msg"] == answer["message"]
    assert answer["message"]["sendMsg"] == "http://testserver/api/msg/send-msg"


def test_addresses_are_absolute_and_without_queries(api):
    for address in addresses_in(api().get("init", ap="heihei")):
        assert address.startswith(("http://testserver/", "ws://testserver/"))
        assert "?" not in address
        assert "#" not in address


def test_the_socket_has_its_address(api, settings):
    assert api().get("init", ap="heihei")["message"]["channel"] == "ws://testserver/ws/channel"
    settings.PUBLIC_URL = "https://api.example.com"
    assert api().get("init", ap="heihei")["message"]["channel"] == "wss://api.example.com/ws/channel"


@pytest.mark.parametrize("public", ["https://api.example.com", "http://10.0.0.5:8000", "https://example.com/heihei"])
def test_where_a_public_address_is_set_it_counts_whatever_host_was_called(api, settings, public):
    settings.PUBLIC_URL = public
    answer = api(host="localhost").get("init", ap="heihei")
    assert answer["live"]["joinLive"] == f"{public}/api/live/join-live"
    assert answer["imgPath"] == public


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8123", "10.0.2.2:8000", "[::1]:8000"])
def test_without_one_the_phone_is_sent_where_it_came_to(api, host):
    assert api(host=host).get("init", ap="heihei")["live"]["joinLive"] == f"http://{host}/api/live/join-live"


def test_a_foreign_host_gets_no_addresses(api, settings):
    assert api(host="evil.example").get("init", ap="heihei") == WRONG
    settings.PUBLIC_URL = "https://api.example.com"
    assert api(host="evil.example").get("init", ap="heihei") == WRONG


def test_a_forwarded_host_does_not_lead_anybody_astray(api):
    forged = api(**{"x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "forwarded": "host=evil.example"})
    assert forged.get("init", ap="heihei")["live"]["joinLive"] == "http://testserver/api/live/join-live"


@pytest.mark.parametrize(
    "given", [{}, {"ap": ""}, {"ap": "HEIHEI"}, {"ap": "other"}, {"ap": "heihei "}, {"ap": "heihei\0"}]
)
def test_another_app_is_a_wrong_parameter(api, given):
    assert api().get("init", **given) == WRONG


def test_it_works_without_a_token_with_a_stale_one_and_with_a_good_one(api):
    without = api().get("init", ap="heihei")
    assert without["errorcode"] == 0
    assert api().get("init", ap="heihei", token="stale") == without
    assert api(token="stale").get("init", ap="heihei") == without
    assert api(factories.person()).get("init", ap="heihei") == without


def test_everything_the_shipped_app_sends_is_taken(api):
    sent = {
        "ap": "heihei", "version": "1.1.2", "versionType": "release", "buildNumber": "ea9c9f0", "local": "zh_CN",
        "uuid": "866", "model": "华为:荣耀 8", "resolution": "1.1.2", "apiVersion": "1.0", "osVersion": "7.1.1",
        "deveiceType": "android", "channel": "huawei", "userId": "", "apnsType": "getui", "apnsToken": "", "x": "1",
    }  # fmt: skip
    assert api().get("init", **sent)["errorcode"] == 0


def test_an_unknown_api_version_is_tolerated(api):
    assert api().get("init", ap="heihei", apiVersion="99.9")["errorcode"] == 0


def test_texts_and_switches(api):
    answer = api().get("init", ap="heihei")
    assert answer["tips"] == {
        "pay-tips": "领取红包请联系黑黑官方客服\n微信号：welines-wallet",
        "search-tips": "输入黑号或昵称搜索",
    }
    assert answer["function"] == {"chat": True}
    assert (answer["actionCode"], answer["comment"], answer["imgPath"]) == ("0", "", "http://testserver")


def test_the_pages_have_their_addresses_and_are_there(api, settings):
    answer = api().get("init", ap="heihei")
    found = {**answer["aboutus"], "payAgreement": answer["payment"]["payAgreement"]}
    assert found == {
        "socialPact": "http://testserver/static/app/social-pact.html",
        "serviceTerms": "http://testserver/static/app/service-terms.html",
        "contactUs": "http://testserver/static/app/contact-us.html",
        "payAgreement": "http://testserver/static/app/pay-agreement.html",
    }
    for address in found.values():
        assert Client().get(address.removeprefix("http://testserver")).status_code == 200
    settings.STATIC_URL = "https://cdn.example.com/"
    assert api().get("init", ap="heihei")["aboutus"]["socialPact"] == found["socialPact"]


def test_the_shipped_app_does_not_crash_on_its_way_to_the_background(api):
    """B8: it has no addresses of its own for these, and no net under them."""
    answer = api(version="1.1.2").get("init", ap="heihei", version="1.1.2")
    for group, key in (("live", "pauseLive"), ("live", "continueLive"), ("user", "unblockUser")):
        assert answer[group][key].startswith("http://testserver/api/")


def test_its_module_maps_hold_nothing_but_texts(api):
    """It reads each of them as one, and concatenates the keys."""
    answer = api().get("init", ap="heihei")
    for group in (*GROUPS, "tips"):
        assert all(isinstance(value, str) and value for value in answer[group].values())


class TestTheVersionOfAClient:
    """Calls that do not say it go by what the session last sent (D1)."""

    def remembered(self, phone) -> str:
        return Session.objects.get(digest=digest_of(phone.token)).client_version

    def test_it_is_remembered_from_the_parameter_and_from_the_header(self, api):
        phone = api(factories.person())
        phone.get("init", ap="heihei", version="1.1.2")
        assert self.remembered(phone) == "1.1.2"
        phone.headers = {"version": "1.5.0"}
        phone.get("init", ap="heihei")
        assert self.remembered(phone) == "1.5.0"

    def test_it_is_each_sessions_own(self, api, settings):
        settings.SINGLE_DEVICE_SIGN_IN = False
        person = factories.person()
        old, new = api(person), api(person)
        old.get("init", ap="heihei", version="1.1.2")
        assert (self.remembered(old), self.remembered(new)) == ("1.1.2", "")

    def test_nonsense_and_nothing_leave_it_as_it_was(self, api):
        phone = api(factories.person())
        phone.get("init", ap="heihei", version="1.1.2")
        for version in ("", "abc", "x" * 255):
            assert phone.get("init", ap="heihei", version=version)["errorcode"] == 0
        assert self.remembered(phone) == "1.1.2"

    def test_it_is_written_only_when_it_changes(self, api, django_assert_num_queries):
        phone = api(factories.person())
        phone.get("init", ap="heihei", version="1.1.2")
        with django_assert_num_queries(1):
            phone.get("init", ap="heihei", version="1.1.2")

    def test_what_it_decides_follows(self, api):
        """An ended room: the 1.1 app reads it from the status, newer ones from 725 (D22)."""
        ended = factories.live(status=Live.Status.STOPPED)
        phone = api(factories.person())
        assert phone.get("live/join-live", liveId=ended.pk)["errorcode"] == 725
        phone.get("init", ap="heihei", version="1.1.2")
        assert phone.get("live/join-live", liveId=ended.pk)["live"]["status"] == 2


def test_a_refused_init_says_why_in_words_a_person_reads(api):
    """B69: the errormsg is the toast."""
    assert api().get("init", ap="other") == WRONG
