"""Where somebody's money goes: verified, sealed, masked, and opened only with a reason (D37, I12)."""

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from heihei_site.postgres.sealed import Sealed, WrongKey, digest, seal
from heihei_site.providers.realname.base import Unreachable
from payment.idcards import birthday_of
from payment.services import alipay
from payment.withdrawal_models import AlipayAccount, AlipayOpening, Withdrawal
from tests import factories
from tests.answers import ok, refused
from tests.payment.cash import IDCARD, earner, idcard, operator
from users.models import User
from users.services import deletion

pytestmark = pytest.mark.django_db
SAID = {"alipaycode": "wang@example.com", "username": "王小明", "idcard": IDCARD, "phone": "13800002222"}
SHOWN = {"alipaycode": "w***@example.com", "name": "王**", "idcard": "1****************X", "phone": "138****2222"}


@pytest.fixture(autouse=True)
def outbox(settings, tmp_path):
    settings.VAR_DIR = tmp_path


class Vendor:
    development_only = True
    answer: object = True
    asked = 0

    def matches(self, *, name, idcard):
        type(self).asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def vendor(settings):
    Vendor.answer, Vendor.asked = True, 0
    settings.PROVIDERS = {**settings.PROVIDERS, "realname": f"{__name__}.Vendor"}
    return Vendor


def test_a_verified_account_is_shown_masked(api):
    user = factories.person()
    phone = api(user)
    assert ok(phone.get("payment/get-alipay-info"))["info"] == dict.fromkeys(SHOWN, "")
    assert ok(phone.post("payment/verify-alipay", **SAID))["alipayCode"] == "w***@example.com"
    assert ok(phone.get("payment/get-alipay-info"))["info"] == SHOWN
    assert alipay.details_of(AlipayAccount.objects.get(pk=user.pk)).idcard == IDCARD


def test_in_the_database_nobody_can_read_it(api):
    ok(api(factories.person()).post("payment/verify-alipay", **SAID))
    with connection.cursor() as cursor:
        cursor.execute("SELECT account, name, idcard, phone, account_digest, idcard_digest FROM payment_alipayaccount")
        kept = b"".join(map(bytes, cursor.fetchone()))
    for text in SAID.values():
        assert text.encode() not in kept
    row = AlipayAccount.objects.get()
    assert IDCARD not in f"{row} {row.idcard} {row.idcard!r} {vars(row)}"


@pytest.mark.parametrize(
    "card",
    [
        "110105194912310021",  # check digit
        "11010519491331002X",  # a thirteenth month
        "1101051949123100",
        "110105491231002",  # fifteen digits, as they were until 2013
        "abcdefghijklmnopqr",
        idcard("20990101"),
    ],
)
def test_an_id_card_that_is_none_is_not_verified(api, vendor, card):
    refused(api(factories.person()).post("payment/verify-alipay", **SAID | {"idcard": card}), 726, "验证不通过")
    assert vendor.asked == AlipayAccount.objects.count() == 0


def test_a_minors_card_is_not_verified_while_minors_are_protected(api, vendor, settings):
    """D19"""
    phone, said = api(factories.person()), SAID | {"idcard": idcard("20150505")}
    refused(phone.post("payment/verify-alipay", **said), 726, "验证不通过")
    assert vendor.asked == AlipayAccount.objects.count() == 0
    settings.MINOR_PROTECTION = False
    ok(phone.post("payment/verify-alipay", **said))


def test_somebody_elses_name_is_not_verified_and_what_was_stays(api, vendor):
    phone = api(factories.person())
    ok(phone.post("payment/verify-alipay", **SAID))
    vendor.answer = False
    refused(phone.post("payment/verify-alipay", **SAID | {"username": "李小红"}), 726, "验证不通过")
    assert ok(phone.get("payment/get-alipay-info"))["info"] == SHOWN


def test_a_vendor_that_does_not_answer_is_no_verdict(api, vendor):
    vendor.answer = Unreachable("Throttling")
    answer = api(factories.person()).post("payment/verify-alipay", **SAID)
    refused(answer, 400, "实名认证服务暂时不可用，请稍后再试")
    assert AlipayAccount.objects.count() == 0


def test_a_repeated_verification_asks_the_vendor_once(api, vendor):
    phone = api(factories.person())
    for _ in range(3):
        ok(phone.post("payment/verify-alipay", **SAID))
    assert vendor.asked == 1
    ok(phone.post("payment/verify-alipay", **SAID | {"alipaycode": "13900003333"}))
    assert vendor.asked == 2
    assert ok(phone.get("payment/get-alipay-info"))["info"]["alipaycode"] == "139****3333"


def test_nobody_tries_names_all_day(api, vendor):
    """Each try asks a vendor."""
    phone = api(factories.person())
    vendor.answer = False
    answers = [phone.post("payment/verify-alipay", **SAID)["errorcode"] for _ in range(12)]
    assert answers == [726] * 10 + [429] * 2
    assert vendor.asked == 10


@pytest.mark.parametrize(
    "wrong", [{"alipaycode": "a b"}, {"alipaycode": ""}, {"username": ""}, {"phone": "12345"}, {"idcard": "1" * 99}]
)
def test_odd_parameters_are_refused(api, vendor, wrong):
    refused(api(factories.person()).post("payment/verify-alipay", **SAID | wrong), 700, "参数错误")
    assert AlipayAccount.objects.count() == 0


@pytest.mark.parametrize(("card", "year"), [(IDCARD, 1949), ("53010219200508011x", 1920)])
def test_a_real_card_has_its_birthday(card, year):
    assert birthday_of(card).year == year


# --- Keys ---------------------------------------------------------------------------------------------------------

OLD, NEW = "o" * 40, "n" * 40


def test_keys_are_changed_without_anybody_noticing(api, settings):
    settings.SEAL_KEYS = [OLD]
    user = earner(account="wang@example.com")
    ok(api(user).post("payment/pay-req", alipaycode="wang@example.com", payamount=1000))
    settings.SEAL_KEYS = [NEW, OLD]
    phone = api(user)
    assert ok(phone.get("payment/get-alipay-info"))["info"]["alipaycode"] == "w***@example.com"
    ok(phone.post("payment/pay-req", alipaycode="wang@example.com", payamount=1001))  # found by the old key's digest
    call_command("reseal")
    call_command("reseal")
    settings.SEAL_KEYS = [NEW]
    assert ok(phone.get("payment/get-alipay-info"))["info"]["alipaycode"] == "w***@example.com"
    ok(phone.post("payment/pay-req", alipaycode="wang@example.com", payamount=1002))
    assert {each.account.open() for each in Withdrawal.objects.all()} == {"wang@example.com"}


def test_a_wrong_key_never_shows_anything(settings):
    settings.SEAL_KEYS = [OLD]
    sealed = seal("秘密")
    settings.SEAL_KEYS = [NEW]
    for deed in (sealed.open, sealed.resealed):
        with pytest.raises(WrongKey):
            deed()
    with pytest.raises(WrongKey):
        Sealed(b"not sealed at all").open()


def test_digests_differ_by_purpose_and_key(settings):
    settings.SEAL_KEYS = [NEW]
    one = digest("x", "account")
    assert len(one) == 32
    assert one == digest("x", "account") != digest("x", "id card")
    settings.SEAL_KEYS = [OLD]
    assert one != digest("x", "account")


def test_a_short_key_is_refused(settings):
    settings.SEAL_KEYS = ["short"]
    with pytest.raises(ValueError, match="32"):
        seal("x")


# --- The console --------------------------------------------------------------------------------------------------


def console(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def helper(*rights: str) -> User:
    user = User.objects.create_user("helper", "", "x", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    return user


LIST = "/admin/payment/alipayaccount/"


def opened(client, user, **said):
    values = {"action": "open_details", "_selected_action": user.pk, **said}
    return client.post(LIST, values).content.decode()


def test_operators_see_stars(api):
    user, other = earner(account="wang@example.com"), earner(account="li@example.com")
    page = console(operator())
    for address in (LIST, f"{LIST}{user.pk}/change/"):
        text = page.get(address).content.decode()
        assert "w***@example.com" in text
        assert "wang@example.com" not in text
        assert IDCARD not in text
    assert f"/admin/users/user/{other.pk}/" in page.get(f"{LIST}{user.pk}/change/").content.decode()  # the same card
    assert page.post(f"{LIST}{user.pk}/change/", {"account": "x"}).status_code == 403
    assert page.post(f"{LIST}{user.pk}/delete/", {"post": "yes"}).status_code == 403


def test_details_are_opened_with_a_reason_and_written_down():
    user, op = earner(account="wang@example.com"), operator()
    page = console(op)
    assert "wang@example.com" not in opened(page, user)  # the question
    assert AlipayOpening.objects.count() == 0
    text = opened(page, user, answered="yes", reason="核对投诉 1234")
    assert "wang@example.com" in text
    assert IDCARD in text
    (log,) = AlipayOpening.objects.all()
    assert (log.operator_id, log.owner_id, log.reason) == (op.pk, user.pk, "核对投诉 1234")
    assert "核对投诉 1234" in page.get("/admin/payment/alipayopening/").content.decode()


def test_who_has_not_the_permission_opens_nothing():
    user = earner(account="wang@example.com")
    page = console(helper("view_alipayaccount"))
    assert "w***@example.com" in page.get(LIST).content.decode()
    assert "wang@example.com" not in opened(page, user, answered="yes", reason="x")
    assert AlipayOpening.objects.count() == 0
    assert page.get("/admin/payment/alipayopening/").status_code == 403


def test_what_was_opened_stays_written_down():
    user = earner()
    alipay.open_for(operator=operator(), person_id=user.pk, reason="x")
    for deed in (lambda: AlipayOpening.objects.update(reason="y"), lambda: AlipayOpening.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            deed()
    assert AlipayOpening.objects.get().reason == "x"


# --- Leaving ------------------------------------------------------------------------------------------------------


def test_who_leaves_takes_their_account_with_them(api):
    user = earner(points=10_000)
    phone = api(user)
    number = ok(phone.post("payment/pay-req", alipaycode="13800001111", payamount=1000))["order"]
    alipay.forget(user.pk)
    alipay.forget(user.pk)
    assert AlipayAccount.objects.count() == 0
    row = Withdrawal.objects.get(number=number)
    assert row.account.open() == "13800001111"  # it has yet to be paid
    from payment.services import decisions

    decisions.reject(operator=operator(), withdrawal_id=row.pk, reason="已注销")
    row.refresh_from_db()
    assert (row.account.open(), row.name.open()) == ("", "")


def test_erasing_somebody_erases_their_account():
    user = earner()
    User.objects.filter(pk=user.pk).update(deletion_due_at="2020-01-01T00:00:00Z")
    from django.utils import timezone

    assert deletion.erase_due(timezone.now()) == 1
    assert AlipayAccount.objects.count() == 0


def test_who_was_sealed_with_a_lost_key_can_be_verified_anew(api, vendor, settings):
    phone = api(factories.person())
    ok(phone.post("payment/verify-alipay", **SAID))
    settings.SEAL_KEYS = ["another key of thirty-two characters"]
    assert ok(phone.get("payment/get-alipay-info"))["info"]["alipaycode"] == ""
    ok(phone.post("payment/verify-alipay", **SAID))
    assert ok(phone.get("payment/get-alipay-info"))["info"]["alipaycode"] != ""
