"""Signing in with an account elsewhere, and with a phone bound to it. The vendors are their development twins."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from heihei_site.api.errors import IdentityUnreachable
from heihei_site.providers.identity.base import Account
from tests import factories
from tests.answers import BANNED, ok, refused
from tests.races.crowd import at_once, codes
from users.models import Identity, PhoneCode, Session, User
from users.services import bans

pytestmark = pytest.mark.django_db
PHONE = "13912345678"


def sign_in(api, open_id="o1", source="Wechat", token=None, **params):
    token = f"dev-{open_id}" if token is None else token
    return api().post("user/sign-in", accountSource=source, accountToken=token, openId=open_id, **params)


class Vendor:
    """Somebody else's word for who it is."""

    development_only = False
    account_given = None

    def account(self, **_):
        if self.account_given is None:
            raise IdentityUnreachable
        assert not connection.in_atomic_block, "a vendor is asked while a transaction is open"
        return self.account_given


@pytest.fixture
def vendor(settings, monkeypatch):
    settings.PROVIDERS = settings.PROVIDERS | {"wechat": f"{__name__}.Vendor", "weibo": f"{__name__}.Vendor"}
    return lambda account: monkeypatch.setattr(Vendor, "account_given", account)


class TestSigningIn:
    def test_the_first_time_makes_the_account(self, api):
        answer = ok(sign_in(api))
        user = User.objects.get()
        assert (answer["userInfo"]["id"], answer["needRegist"], user.phone) == (user.pk, True, None)
        assert answer["deletionCancelled"] is False
        ok(api(token=answer["token"]).get("user/info"))

    def test_the_second_time_finds_it_and_ends_the_first_sign_in(self, api):
        first, second = ok(sign_in(api)), ok(sign_in(api))
        assert first["userInfo"]["id"] == second["userInfo"]["id"]
        refused(api(token=first["token"]).get("user/info"), 720, "token无效")
        assert (User.objects.count(), Identity.objects.count(), Session.objects.count()) == (1, 1, 1)

    def test_the_same_id_elsewhere_is_somebody_else(self, api):
        assert ok(sign_in(api))["userInfo"]["id"] != ok(sign_in(api, source="Weibo"))["userInfo"]["id"]

    @pytest.mark.django_db(transaction=True)
    def test_what_the_shipped_app_sends_as_weibo_may_be_facebooks(self, api, vendor):
        """It has Facebook behind that button. The same number at Weibo is somebody else."""
        vendor(Account("Weibo", "o1"))
        weibo = ok(sign_in(api, source="Weibo", token="t"))
        vendor(Account("Facebook", "o1"))
        facebook = ok(sign_in(api, source="Weibo", token="t", uuid="866"))
        assert facebook["userInfo"]["id"] != weibo["userInfo"]["id"]
        assert ok(sign_in(api, source="Weibo", token="t"))["userInfo"]["id"] == facebook["userInfo"]["id"]
        refused(sign_in(api, source="Facebook", token="t"), 700, "参数错误")

    def test_another_app_of_ours_knows_them_by_the_union_id(self, api):
        first = ok(sign_in(api, "o1", unionId="u1"))["userInfo"]["id"]
        assert ok(sign_in(api, "o2", unionId="u1"))["userInfo"]["id"] == first
        assert ok(sign_in(api, "o2"))["userInfo"]["id"] == first  # and from now on by its own id
        assert ok(sign_in(api, "o3"))["userInfo"]["id"] != first

    def test_a_union_id_that_comes_later_is_remembered(self, api):
        first = ok(sign_in(api, "o1"))["userInfo"]["id"]
        ok(sign_in(api, "o1", unionId="u1"))
        assert ok(sign_in(api, "o2", unionId="u1"))["userInfo"]["id"] == first

    def test_who_has_an_account_already_does_not_lose_it_to_the_union_id(self, api):
        one, other = ok(sign_in(api, "o1", unionId="u1")), ok(sign_in(api, "o2"))
        assert ok(sign_in(api, "o2", unionId="u1"))["userInfo"]["id"] == other["userInfo"]["id"]
        assert ok(sign_in(api, "o1", unionId="u1"))["userInfo"]["id"] == one["userInfo"]["id"]

    def test_two_people_without_a_union_id_are_not_one(self, api):
        assert (
            ok(sign_in(api, "o1", unionId=""))["userInfo"]["id"] != ok(sign_in(api, "o2", unionId=""))["userInfo"]["id"]
        )

    def test_the_shipped_app_sends_uuid_with_weibo(self, api):
        """And two people with the same telephone are not one: nobody vouches for a uuid."""
        one = ok(sign_in(api, "w1", "Weibo", uuid="861234567890123"))["userInfo"]["id"]
        assert ok(sign_in(api, "w1", "Weibo", uuid="861234567890123"))["userInfo"]["id"] == one
        assert ok(sign_in(api, "w2", "Weibo", uuid="861234567890123"))["userInfo"]["id"] != one

    @pytest.mark.parametrize("source", ["Wechat", "Weibo"])
    def test_a_token_that_is_not_good_signs_nobody_in(self, api, source):
        refused(sign_in(api, "o1", source, token="nonsense"), 701, "weibo token无效")
        refused(sign_in(api, "o1", source, token="dev-o2"), 702, "openid无效")
        refused(sign_in(api, "o1", source, token="dev-"), 702, "openid无效")
        assert (User.objects.count(), Session.objects.count()) == (0, 0)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"accountSource": "Facebook"},
            {"accountSource": "wechat"},
            {"accountSource": ""},
            {"accountToken": ""},
            {"openId": ""},
            {"openId": "x" * 129},
            {"unionId": "x" * 129},
            {"accountToken": "x" * 2000},
        ],
    )
    def test_wrong_parameters_sign_nobody_in(self, api, wrong):
        params = {"accountSource": "Wechat", "accountToken": "dev-o1", "openId": "o1"} | wrong
        refused(api().post("user/sign-in", **params), 700, "参数错误")
        assert User.objects.count() == 0

    def test_who_is_banned_stays_out(self, api):
        ok(sign_in(api))
        bans.ban(User.objects.get())
        refused(sign_in(api), 721, BANNED)
        assert Session.objects.count() == 0

    def test_a_vendor_that_does_not_answer_is_a_sentence_not_a_failure(self, api, vendor):
        vendor(None)
        refused(sign_in(api), 400, "第三方登录暂时不可用，请稍后再试")
        assert User.objects.count() == 0


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_the_vendors_word_counts_and_no_transaction_waits_for_it(self, api, vendor):
        vendor(Account("Wechat", "o9", "u9"))
        ok(sign_in(api, "o1", unionId="u1"))
        assert list(Identity.objects.values_list("open_id", "union_id")) == [("o9", "u9")]

    def test_the_same_account_on_twelve_connections_is_one_person(self, api):
        answers = at_once([lambda: sign_in(api, "o1", unionId="u1")] * 12)
        assert codes(answers) == {0: 12}
        assert (User.objects.count(), Identity.objects.count(), Session.objects.count()) == (1, 1, 1)

    def test_twelve_apps_with_one_union_id_are_one_person(self, api):
        answers = at_once([lambda n=n: sign_in(api, f"o{n}", unionId="u1") for n in range(12)])
        assert codes(answers) == {0: 12}
        assert (User.objects.count(), Identity.objects.count()) == (1, 12)


class TestBindingAPhone:
    def bind(self, phone, code, number=PHONE):
        return phone.post("user/bind-phone", phone=number, verifyCode=code)

    def test_from_then_on_the_phone_signs_in_to_the_account(self, api, code_for, settings):
        settings.SMS_RESEND_SECONDS = 0
        me = ok(sign_in(api))
        assert ok(self.bind(api(token=me["token"]), code_for(PHONE))) == {"errorcode": 0, "errormsg": "success"}
        by_phone = api().post("user/sign-in-cl-by-phone", phoneNo=PHONE, verifyCode=code_for(PHONE))
        assert ok(by_phone)["userInfo"]["id"] == me["userInfo"]["id"]
        assert ok(sign_in(api))["userInfo"]["id"] == me["userInfo"]["id"]

    @pytest.mark.parametrize("name", ["phone", "phoneNo"])
    def test_the_number_may_come_under_both_names(self, api, code_for, name):
        user = factories.person(phone=None)
        ok(api(user).post("user/bind-phone", **{name: f"+86{PHONE}", "verifyCode": int(code_for(PHONE))}))
        user.refresh_from_db()
        assert user.phone == PHONE

    def test_it_takes_the_place_of_the_one_before(self, api, code_for):
        user = factories.person(phone="13800000001")
        ok(self.bind(api(user), code_for(PHONE)))
        user.refresh_from_db()
        assert user.phone == PHONE

    def test_a_stolen_token_does_not_get_the_account(self, api, code_for):
        """Another number in place of the owner's takes a fresh sign-in."""
        user = factories.person(phone="13800000001")
        phone = api(user)
        Session.objects.update(created_at=Now() - timedelta(minutes=11))
        refused(self.bind(phone, code_for(PHONE)), 711, "请重新登录后再试")
        user.refresh_from_db()
        assert user.phone == "13800000001"

    def test_the_first_number_may_be_bound_at_any_time(self, api, code_for):
        phone = api(factories.person(phone=None))
        Session.objects.update(created_at=Now() - timedelta(days=11))
        ok(self.bind(phone, code_for(PHONE)))

    def test_somebody_elses_is_refused_and_the_code_is_spent(self, api, code_for):
        other, user = factories.person(phone=PHONE), factories.person(phone=None)
        code = code_for(PHONE)
        refused(self.bind(api(user), code), 403, "手机号已被其他账户绑定")
        user.refresh_from_db()
        other.refresh_from_db()
        assert (user.phone, other.phone) == (None, PHONE)
        refused(api().post("sms/verify-phone", phoneNo=PHONE, verifyCode=code), 401, "验证码错误")

    def test_a_wrong_code_binds_nothing_and_costs_a_try(self, api, code_for):
        user = factories.person(phone=None)
        code = code_for(PHONE)
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        phone = api(user)
        for _ in range(5):
            refused(self.bind(phone, wrong), 401, "验证码错误")
        refused(self.bind(phone, code), 401, "验证码错误")
        user.refresh_from_db()
        assert user.phone is None

    def test_a_phone_that_lost_the_answer_may_send_it_again(self, api, code_for):
        phone, code = api(factories.person(phone=None)), code_for(PHONE)
        ok(self.bind(phone, code))
        ok(self.bind(phone, code))

    def test_a_second_account_cannot_use_the_same_code(self, api, code_for):
        one, two, code = api(factories.person(phone=None)), api(factories.person(phone=None)), code_for(PHONE)
        ok(self.bind(one, code))
        refused(self.bind(two, code), 401, "验证码错误")

    def test_nobody_binds_nothing(self, api, code_for):
        refused(self.bind(api(), code_for(PHONE)), 720, "token无效")


class TestRegisterAndVerifyPhone:
    def test_the_other_name_of_asking_for_a_code(self, api, texts):
        assert ok(api().post("sms/register-phone", phoneNo=PHONE))["timeout"] == 60
        assert [line["phone"] for line in texts()] == [PHONE]
        refused(api().post("sms/register-phone", phoneNo=PHONE), 400, "短信发送太频繁")
        refused(api().post("user/get-sms-verification-code", phoneNo=PHONE), 400, "短信发送太频繁")
        refused(api().post("sms/register-phone", phoneNo="12"), 700, "参数错误")
        assert len(texts()) == 1

    def test_one_address_has_fifty_under_both_names(self, api, texts):
        for number in range(25):
            ok(api().post("sms/register-phone", phoneNo=f"137000000{number:02d}"))
            ok(api().post("user/get-sms-verification-code", phoneNo=f"137000001{number:02d}"))
        for path in ("sms/register-phone", "user/get-sms-verification-code"):
            refused(api().post(path, phoneNo="13700000299"), 400, "短信发送太频繁")

    def test_a_right_code_is_told_and_not_spent(self, api, code_for):
        code = code_for(PHONE)
        for _ in range(6):
            answer = ok(api().post("sms/verify-phone", phoneNo=PHONE, verifyCode=code))
            assert answer == {"errorcode": 0, "errormsg": "success", "verified": True}
        ok(api().post("user/sign-in-cl-by-phone", phoneNo=PHONE, verifyCode=code))

    def test_a_wrong_one_is_told_and_costs_a_try(self, api, code_for):
        code = code_for(PHONE)
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        refused(api().post("sms/verify-phone", phoneNo=PHONE, verifyCode=wrong), 401, "验证码错误")
        assert PhoneCode.objects.get().tries_left == 4
        for _ in range(4):
            refused(api().post("sms/verify-phone", phoneNo=PHONE, verifyCode=wrong), 401, "验证码错误")
        refused(api().post("sms/verify-phone", phoneNo=PHONE, verifyCode=code), 401, "验证码错误")
        refused(api().post("user/sign-in-cl-by-phone", phoneNo=PHONE, verifyCode=code), 401, "验证码错误")


class TestTheShippedApp:
    """android_client.md 6: what its people would have suffered."""

    def test_b33_keeps_its_token_because_no_card_holds_another(self, api):
        assert "token" not in ok(sign_in(api))["userInfo"]

    def test_b34_is_signed_in_because_the_card_says_who_it_is(self, api):
        assert ok(sign_in(api))["userInfo"]["id"] >= 10001

    def test_b35_can_press_the_button_because_codes_have_six_digits(self, code_for):
        assert len(code_for(PHONE)) == 6

    def test_b30_asks_newcomers_for_their_profile_because_true_is_true(self, api):
        assert ok(sign_in(api))["needRegist"] is True

    def test_b31_and_b32_shows_no_null_and_makes_nobody_male(self, api):
        card = ok(sign_in(api))["userInfo"]
        assert None not in card.values()
        assert card["gender"] == "Unspecified"

    def test_b1_and_b69_shows_a_chinese_sentence_when_signing_in_fails(self, api):
        """Every refusal is HTTP 200 (`Api` checks it) and words a person can read."""
        for answer in (sign_in(api, token="x"), sign_in(api, token="dev-x"), sign_in(api, source="Fax")):
            assert answer["errorcode"] > 0
            assert any("一" <= character <= "鿿" for character in answer["errormsg"])
