"""Signing in and out, and what a token is good for: D5, D16."""

import re
from datetime import date, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from tests import factories
from tests.answers import BANNED, ok, refused
from users.auth import digest_of
from users.models import Device, Session, User
from users.services import bans

pytestmark = pytest.mark.django_db
PHONE = "13912345678"


@pytest.fixture
def sign_in(api, code_for, settings):
    """Signs in with a phone number as often as one likes."""
    settings.SMS_RESEND_SECONDS = 0

    def signed_in(phone=PHONE, **headers):
        return api(**headers).post("user/sign-in-cl-by-phone", phoneNo=phone, verifyCode=code_for(phone))

    return signed_in


@pytest.fixture
def holding(api):
    """A phone that has this token and nothing else."""

    def phone(credential, **headers):
        found = api(**headers)
        found.token = credential
        return found

    return phone


def move_expiry(**by):
    Session.objects.update(expires_at=F("expires_at") + timedelta(**by))


class TestSigningIn:
    def test_the_first_time_makes_the_account(self, sign_in):
        answer = ok(sign_in())
        user = User.objects.get()
        assert user.pk >= 10001
        assert user.phone == PHONE
        assert answer["needRegist"] is True
        assert re.fullmatch("[0-9a-f]{64}", answer["token"])
        assert answer["userInfo"]["id"] == user.pk
        assert answer["userInfo"]["heiNum"] == user.pk + 990_000
        assert answer["userInfo"]["displayName"] == ""
        assert answer["userInfo"]["birthDay"] == ""
        assert answer["userInfo"]["gender"] == "Unspecified"
        assert answer["userInfo"]["goldCount"] == 0

    def test_the_second_time_finds_it(self, sign_in):
        assert ok(sign_in())["userInfo"]["id"] == ok(sign_in("+86" + PHONE))["userInfo"]["id"]
        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        ("missing", "needed"),
        [({}, False), ({"display_name": ""}, True), ({"gender": "Unspecified"}, True), ({"birthday": None}, True)],
    )
    def test_registration_is_needed_until_name_gender_and_birthday_are_set(self, sign_in, missing, needed):
        factories.person("阿嘿", phone=PHONE, **missing)
        assert ok(sign_in())["needRegist"] is needed

    def test_what_was_set_comes_back(self, sign_in):
        user = factories.person("阿嘿", phone=PHONE, gold=7, birthday=date(1995, 3, 2), gender="Male")
        card = ok(sign_in())["userInfo"]
        assert (card["id"], card["displayName"], card["gender"], card["birthDay"], card["goldCount"]) == (
            user.pk, "阿嘿", "Male", "1995-03-02", 7)  # fmt: skip

    def test_no_card_holds_the_token_or_the_phone(self, sign_in):
        """B33: the app would take the token of a card for its own."""
        answer = ok(sign_in())
        assert "token" not in answer["userInfo"]
        assert PHONE not in str(answer)

    def test_who_is_banned_stays_out(self, sign_in):
        user = factories.person(phone=PHONE)
        bans.ban(user)
        refused(sign_in(), 721, BANNED)
        assert Session.objects.count() == 0
        bans.lift_ban(user)
        ok(sign_in())

    def test_only_the_hash_of_a_token_is_kept(self, sign_in):
        token = ok(sign_in())["token"]
        row = Session.objects.values().get()
        assert bytes(row["digest"]) == digest_of(token)
        assert token not in {str(value) for value in row.values()}


class TestASecondDevice:
    def test_ends_the_first(self, sign_in, holding):
        first, second = ok(sign_in())["token"], ok(sign_in())["token"]
        refused(holding(first).get("user/info"), 720, "token无效")
        ok(holding(second).get("user/info"))
        assert Session.objects.count() == 1

    def test_ends_nobody_elses(self, sign_in, holding):
        mine = ok(sign_in())["token"]
        ok(sign_in("13912345679"))
        ok(holding(mine).get("user/info"))

    def test_may_stay_beside_the_first_where_the_setting_says_so(self, sign_in, holding, settings):
        settings.SINGLE_DEVICE_SIGN_IN = False
        first, second = ok(sign_in())["token"], ok(sign_in())["token"]
        ok(holding(first).get("user/info"))
        ok(holding(second).get("user/info"))
        ok(holding(first).post("user/sign-out"))
        refused(holding(first).get("user/info"), 720, "token无效")
        ok(holding(second).get("user/info"))

    def test_a_wrong_code_ends_nothing(self, sign_in, holding, api, code_for):
        first = ok(sign_in())["token"]
        wrong = f"{(int(code_for(PHONE)) + 1) % 1_000_000:06d}"
        refused(api().post("user/sign-in-cl-by-phone", phoneNo=PHONE, verifyCode=wrong), 401, "验证码错误")
        ok(holding(first).get("user/info"))


@pytest.mark.django_db(transaction=True)
def test_the_sockets_of_the_first_device_are_told_to_close(told, sign_in):
    ok(sign_in())
    first = Session.objects.get().pk
    ok(sign_in())
    assert told == [{"do": "end", "sessions": [first]}]


class TestLifetime:
    def test_a_token_lasts_thirty_days(self, sign_in):
        ok(sign_in())
        left = Session.objects.get().expires_at - timezone.now()
        assert timedelta(days=29, hours=23, minutes=59) < left <= timedelta(days=30)

    def test_after_that_it_is_dead(self, sign_in, holding):
        token = ok(sign_in())["token"]
        move_expiry(days=-30)
        refused(holding(token).get("user/info"), 720, "token无效")
        assert Session.objects.get().expires_at < timezone.now()  # and using it does not revive it

    def test_using_it_keeps_it_alive(self, sign_in, holding):
        token = ok(sign_in())["token"]
        move_expiry(days=-29)
        ok(holding(token).get("user/info"))
        assert Session.objects.get().expires_at - timezone.now() > timedelta(days=29, hours=23)

    def test_the_expiry_is_written_at_most_hourly(self, sign_in, holding):
        token = ok(sign_in())["token"]
        move_expiry(minutes=-58)
        before = Session.objects.get().expires_at
        ok(holding(token).get("user/info"))
        assert Session.objects.get().expires_at == before
        move_expiry(minutes=-3)
        ok(holding(token).get("user/info"))
        assert Session.objects.get().expires_at > before


class TestTheCredential:
    @pytest.mark.parametrize("token", ["", "abc", "0" * 64, "null", "礼物", "x" * 10_000, "\ud83d"])
    def test_anything_else_is_720(self, holding, token):
        refused(holding(token.encode("utf-8", "replace").decode()).post("user/sign-out"), 720, "token无效")

    def test_no_token_is_720(self, api):
        refused(api().get("user/info"), 720, "token无效")

    def test_the_header_counts_where_there_is_no_parameter(self, sign_in, holding, api):
        token = ok(sign_in())["token"]
        ok(api(token=token).get("user/info"))
        ok(api(Authorization=f"Token {token}").get("user/info"))

    def test_the_parameter_wins_over_a_stale_header(self, sign_in, holding):
        """B6: the 1.1 app's header is that of the sign-in before."""
        stale, good = ok(sign_in())["token"], ok(sign_in())["token"]
        ok(holding(good, token=stale).get("user/info"))
        refused(holding(stale, token=good).get("user/info"), 720, "token无效")

    def test_who_is_banned_is_out_at_once(self, sign_in, holding):
        token = ok(sign_in())["token"]
        bans.ban(User.objects.get())
        refused(holding(token).get("user/info"), 720, BANNED)
        bans.lift_ban(User.objects.get())
        refused(holding(token).get("user/info"), 720, "token无效")  # the ban ended the sign-in, not only paused it

    def test_a_ban_made_in_the_database_counts_too(self, sign_in, holding):
        token = ok(sign_in())["token"]
        User.objects.update(is_active=False)
        refused(holding(token).get("user/info"), 720, "token无效")


class TestSigningOut:
    def test_kills_the_token(self, sign_in, holding):
        token = ok(sign_in())["token"]
        assert ok(holding(token).post("user/sign-out")) == {"errorcode": 0, "errormsg": "success"}
        refused(holding(token).get("user/info"), 720, "token无效")
        refused(holding(token).post("user/sign-out"), 720, "token无效")
        assert Session.objects.count() == 0

    def test_stops_pushes(self, api):
        user, other = factories.person(), factories.person()
        phone = api(user)
        ok(phone.post("user/push-device-info", apnsType="getui", apnsToken="c1", deveiceType="android"))
        ok(api(other).post("user/push-device-info", apnsType="getui", apnsToken="c2", deveiceType="android"))
        ok(phone.post("user/sign-out"))
        assert list(Device.objects.values_list("push_token", flat=True)) == ["c2"]


@pytest.mark.django_db(transaction=True)
def test_signing_out_closes_the_sockets(told, api):
    phone = api(factories.person())
    session = Session.objects.get().pk
    ok(phone.post("user/sign-out"))
    assert told == [{"do": "end", "sessions": [session]}]


@pytest.mark.django_db(transaction=True)
def test_a_ban_closes_the_sockets_and_a_second_one_tells_nobody_again(told):
    user = factories.person()
    factories.token(user)
    session = Session.objects.get().pk
    bans.ban(user)
    bans.ban(user)
    assert told == [{"do": "end", "sessions": [session]}]


class TestClientVersion:
    """D1: what a call does not say is what this sign-in last said."""

    def test_is_remembered_from_any_call(self, api):
        phone = api(factories.person())
        phone.headers = {"version": "1.1.2"}
        ok(phone.get("user/info"))
        assert Session.objects.get().client_version == "1.1.2"
        phone.headers = {}
        ok(phone.get("user/info"))
        assert Session.objects.get().client_version == "1.1.2"

    def test_is_remembered_from_init(self, api):
        ok(api(factories.person()).get("init", ap="heihei", version="1.4.1"))
        assert Session.objects.get().client_version == "1.4.1"

    @pytest.mark.parametrize("nonsense", ["", "new", "v", "." * 500])
    def test_nonsense_is_not(self, api, nonsense):
        phone = api(factories.person(), version="1.1.2")
        ok(phone.get("user/info"))
        phone.headers = {"version": nonsense}
        ok(phone.get("user/info"))
        assert Session.objects.get().client_version == "1.1.2"
