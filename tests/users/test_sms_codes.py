"""SMS codes: D15."""

import re
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from heihei_site.jobs import NoWorker
from heihei_site.providers.sms.base import NeverSent, NotSent
from tests import factories
from tests.answers import ok, refused
from users.models import PhoneCode, Session, User
from users.services import sms_codes

pytestmark = pytest.mark.django_db
PHONE = "13912345678"


def ask(api, phone=PHONE):
    return api().post("user/get-sms-verification-code", phoneNo=phone)


def sign_in(api, code, phone=PHONE):
    return api().post("user/sign-in-cl-by-phone", phoneNo=phone, verifyCode=code)


def back(**by):
    """As if the last code had been sent earlier."""
    PhoneCode.objects.update(sent_at=F("sent_at") - timedelta(**by), expires_at=F("expires_at") - timedelta(**by))


def seconds_later(seconds):
    """As if the code had been spent, and last repeated, so much earlier."""
    by = timedelta(seconds=seconds)
    PhoneCode.objects.update(spent_at=F("spent_at") - by, repeated_at=F("repeated_at") - by)


def other_than(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_code_is_six_digits_and_arrives_as_one_line_of_the_outbox(api, texts):
    assert ok(ask(api)) == {"errorcode": 0, "errormsg": "success", "timeout": 60}
    (line,) = texts()
    assert set(line) == {"time", "phone", "code", "text"}
    assert line["phone"] == PHONE
    assert re.fullmatch("[0-9]{6}", line["code"])
    assert line["text"] == f"【黑黑】验证码{line['code']}，10分钟内有效，请勿告诉他人。"
    assert abs(datetime.fromisoformat(line["time"]) - timezone.now()) < timedelta(seconds=60)


def test_a_code_works_for_ten_minutes(api, code_for):
    code = code_for(PHONE)
    back(minutes=9, seconds=45)
    ok(sign_in(api, code))


def test_a_code_is_worth_nothing_after_ten_minutes(api, code_for):
    code = code_for(PHONE)
    back(minutes=10)
    refused(sign_in(api, code), 401, "验证码错误")
    assert User.objects.count() == 0


def test_a_code_is_spent_by_the_first_sign_in(api, code_for):
    code = code_for(PHONE)
    first = ok(sign_in(api, code))["token"]
    seconds_later(3)
    refused(sign_in(api, code), 401, "验证码错误")
    ok(api(token=first).get("user/info"))


class TestALostAnswer:
    """D9: the phone gives up after two seconds and sends the same again, up to three times."""

    def test_signs_in_the_same_person_with_a_fresh_token(self, api, code_for):
        code = code_for(PHONE)
        lost, found = ok(sign_in(api, code)), ok(sign_in(api, code))
        assert lost["userInfo"]["id"] == found["userInfo"]["id"]
        assert lost["token"] != found["token"]
        ok(api(token=found["token"]).get("user/info"))
        refused(api(token=lost["token"]).get("user/info"), 720, "token无效")
        assert (User.objects.count(), Session.objects.count()) == (1, 1)

    def test_may_be_lost_again_two_seconds_later(self, api, code_for):
        code = code_for(PHONE)
        for _ in range(4):
            ok(sign_in(api, code))
            PhoneCode.objects.update(
                spent_at=F("spent_at") - timedelta(seconds=2), repeated_at=F("repeated_at") - timedelta(seconds=2)
            )

    def test_is_over_ten_seconds_after_the_first(self, api, code_for):
        code = code_for(PHONE)
        ok(sign_in(api, code))
        PhoneCode.objects.update(spent_at=F("spent_at") - timedelta(seconds=10))
        refused(sign_in(api, code), 401, "验证码错误")

    def test_opens_nothing_to_a_guess(self, api, code_for):
        code = code_for(PHONE)
        ok(sign_in(api, code))
        for _ in range(5):
            refused(sign_in(api, other_than(code)), 401, "验证码错误")
        refused(sign_in(api, code), 401, "验证码错误")

    def test_ends_with_a_new_code(self, api, code_for):
        old = code_for(PHONE)
        ok(sign_in(api, old))
        back(seconds=60)
        new = code_for(PHONE)
        if old != new:
            refused(sign_in(api, old), 401, "验证码错误")
        ok(sign_in(api, new))

    def test_is_no_other_deed(self, api, code_for):
        """What was spent on signing in neither binds a phone nor is still a right code."""
        user = factories.person(phone=None)
        code = code_for(PHONE)
        ok(sign_in(api, code))
        refused(api(user).post("user/bind-phone", phone=PHONE, verifyCode=code), 401, "验证码错误")
        refused(api().post("sms/verify-phone", phoneNo=PHONE, verifyCode=code), 401, "验证码错误")
        ok(sign_in(api, code))


def test_four_slips_of_the_finger_are_forgiven(api, code_for):
    code = code_for(PHONE)
    for _ in range(4):
        refused(sign_in(api, other_than(code)), 401, "验证码错误")
    ok(sign_in(api, code))


def test_after_five_wrong_guesses_the_right_code_is_dead_too(api, code_for):
    code = code_for(PHONE)
    for _ in range(5):
        refused(sign_in(api, other_than(code)), 401, "验证码错误")
    refused(sign_in(api, code), 401, "验证码错误")
    assert (User.objects.count(), Session.objects.count()) == (0, 0)


def test_a_new_code_brings_new_tries_and_kills_the_old_code(api, code_for):
    old = code_for(PHONE)
    for _ in range(5):
        sign_in(api, other_than(old))
    back(seconds=60)
    new = code_for(PHONE)
    if new != old:
        refused(sign_in(api, old), 401, "验证码错误")
    ok(sign_in(api, new))


def test_a_code_belongs_to_its_phone(api, code_for):
    code = code_for(PHONE)
    refused(sign_in(api, code, phone="13912345679"), 401, "验证码错误")
    ok(sign_in(api, code))


def test_no_second_code_within_sixty_seconds(api, texts):
    ok(ask(api))
    back(seconds=45)
    refused(ask(api), 400, "短信发送太频繁")
    assert len(texts()) == 1


def test_the_refused_second_request_does_not_kill_the_first_code(api, code_for):
    code = code_for(PHONE)
    refused(ask(api), 400, "短信发送太频繁")
    ok(sign_in(api, code))


def test_another_code_after_sixty_seconds(api, texts):
    ok(ask(api))
    back(seconds=60)
    ok(ask(api))
    assert len(texts()) == 2


def test_somebody_elses_phone_does_not_have_to_wait(api, texts):
    ok(ask(api))
    ok(ask(api, "13912345679"))
    assert [line["phone"] for line in texts()] == [PHONE, "13912345679"]


def test_ten_codes_a_day_and_the_eleventh_tomorrow(api, texts):
    for _ in range(10):
        ok(ask(api))
        back(seconds=61)
    refused(ask(api), 400, "短信发送太频繁")
    assert len(texts()) == 10
    PhoneCode.objects.update(day=F("day") - timedelta(days=1))
    ok(ask(api))
    assert len(texts()) == 11


def test_fifty_an_hour_from_one_address(api, texts):
    for number in range(50):
        ok(ask(api, f"137000000{number:02d}"))
    refused(ask(api, "13700000099"), 400, "短信发送太频繁")
    assert len(texts()) == 50


def test_other_addresses_are_not_locked_out_with_it(api, texts):
    for number in range(51):
        ask(api, f"137000000{number:02d}")
    elsewhere = api()
    elsewhere.client.defaults["REMOTE_ADDR"] = "127.4.5.6"
    ok(elsewhere.post("user/get-sms-verification-code", phoneNo=PHONE))


@pytest.mark.parametrize("written", ["+8613912345678", "8613912345678", " 13912345678 ", 13912345678])
def test_all_ways_to_write_a_number_are_one_phone(api, texts, written):
    ok(ask(api, written))
    (line,) = texts()
    assert line["phone"] == PHONE
    ok(sign_in(api, line["code"]))
    assert User.objects.get().phone == PHONE


def test_a_phone_that_forgets_to_encode_the_plus_is_understood(api, texts):
    ok(api().raw("user/get-sms-verification-code", b"phoneNo=+8613912345678"))
    assert texts()[0]["phone"] == PHONE


@pytest.mark.parametrize(
    "wrong",
    ["", "1391234567", "139123456789", "12912345678", "23912345678", "+1391234567890", "+85213912345678",
     "0086139123456", "1391234567a", "１３９１２３４５６７８", "13912345678\n13912345679", "' OR 1=1 --", "1" * 5000],
)  # fmt: skip
def test_what_is_no_mainland_number_gets_no_text(api, texts, wrong):
    refused(ask(api, wrong), 700, "参数错误")
    refused(sign_in(api, "123456", phone=wrong), 700, "参数错误")
    assert texts() == []
    assert PhoneCode.objects.count() == 0


def test_no_number_at_all(api, texts):
    refused(api().post("user/get-sms-verification-code"), 700, "参数错误")
    refused(api().post("user/sign-in-cl-by-phone", verifyCode="123456"), 700, "参数错误")


@pytest.mark.parametrize("wrong", ["", "0", "abcdef", "1234567890123456"])
def test_what_is_no_code_signs_nobody_in(api, code_for, wrong):
    code_for(PHONE)
    assert sign_in(api, wrong)["errorcode"] in {401, 700}
    assert User.objects.count() == 0


def test_a_phone_that_never_asked_cannot_sign_in(api):
    refused(sign_in(api, "000000"), 401, "验证码错误")
    assert User.objects.count() == 0


def test_the_database_does_not_know_the_code(api, code_for):
    code = code_for(PHONE)
    row = PhoneCode.objects.values().get()
    assert re.fullmatch("[0-9a-f]{64}", row["digest"])
    assert code not in {str(value) for value in row.values()}


def test_the_same_code_of_two_phones_is_stored_differently(api, monkeypatch, texts):
    monkeypatch.setattr("users.services.sms_codes.secrets.randbelow", lambda _: 7)
    ok(ask(api))
    ok(ask(api, "13912345679"))
    assert [line["code"] for line in texts()] == ["100007", "100007"]
    one, other = PhoneCode.objects.values_list("digest", flat=True)
    assert one != other


def test_answers_never_hold_the_code(api, texts):
    answer = ask(api)
    assert texts()[0]["code"] not in str(answer)


def test_a_provider_that_is_down_lets_the_phone_try_again(api, texts, monkeypatch):
    """What could not be handed over was never sent: no wait, nothing counted."""

    def nobody(*_):
        raise NoWorker

    with monkeypatch.context() as broker:
        broker.setattr("users.services.sms_codes.hand_over", nobody)
        assert ask(api)["errorcode"] == -1
    assert texts() == []
    ok(ask(api))
    ok(sign_in(api, texts()[0]["code"]))
    assert PhoneCode.objects.get().sent_that_day == 1


@pytest.fixture
def jobs(monkeypatch):
    """The code as the worker gets it, and what the database knew at that moment."""
    seen = []
    monkeypatch.setattr(
        "users.services.sms_codes.hand_over", lambda job, *said: seen.append((said, in_a_transaction()))
    )
    return seen


def in_a_transaction():
    return connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_the_code_is_committed_before_a_worker_gets_it(api, jobs):
    ok(ask(api))
    [((phone, code), in_transaction)] = jobs
    assert (phone, in_transaction) == (PHONE, False)
    ok(sign_in(api, code))


class Vendor:
    """Fails as often as it is told, then delivers."""

    development_only = False
    failures: list = []
    delivered: list = []

    def send_code(self, phone, code):
        if self.failures:
            raise self.failures.pop(0)
        self.delivered.append((phone, code))


@pytest.fixture
def vendor(settings, monkeypatch):
    monkeypatch.setattr(Vendor, "failures", [])
    monkeypatch.setattr(Vendor, "delivered", [])
    settings.PROVIDERS = settings.PROVIDERS | {"sms": f"{__name__}.Vendor"}
    return Vendor


class TestAVendorThatFails:
    def test_is_asked_again(self, api, vendor):
        vendor.failures += [NotSent("Throttling"), OSError("no route")]
        ok(ask(api))
        [(phone, code)] = vendor.delivered
        ok(sign_in(api, code, phone))

    def test_is_asked_four_times_at_most(self, api, vendor):
        vendor.failures += [NotSent("Throttling")] * 10
        ok(ask(api))
        assert (len(vendor.failures), vendor.delivered) == (6, [])

    def test_is_asked_once_when_it_will_never_do_it(self, api, vendor):
        vendor.failures += [NeverSent("isv.MOBILE_NUMBER_ILLEGAL")] * 10
        ok(ask(api))
        assert (len(vendor.failures), vendor.delivered) == (9, [])

    def test_is_logged_without_the_number_and_the_code(self, api, vendor, caplog):
        vendor.failures += [NotSent("Throttling")] * 3 + [OSError(f"{PHONE} is busy")]
        ok(ask(api))
        written = caplog.text
        assert "sms_not_sent" in written and "Throttling" in written
        assert PHONE not in written


def work_of(deed):
    """What it asks the database, numbers and codes left out."""
    with CaptureQueriesContext(connection) as captured:
        deed()
    said = [query["sql"] for query in captured.captured_queries]
    return [re.sub(r"'[^']*'|(?<=\"tries_left\" = )\d", "?", sql) for sql in said if "SAVEPOINT" not in sql]


def test_nobody_learns_by_a_wrong_code_whose_number_is_known(api, texts):
    """The same answer after the same work: for a number with an account, one with a code only, and one with nothing."""
    factories.person(phone=PHONE)
    stranger, nothing = "13912345679", "13912345670"
    for phone in (PHONE, stranger):
        ok(ask(api, phone))
    wrong = other_than(texts()[0]["code"])
    answers = [sign_in(api, wrong, phone) for phone in (PHONE, stranger, nothing)]
    assert answers == [{"errorcode": 401, "errormsg": "验证码错误"}] * 3
    work = [work_of(partial(sign_in, api, wrong, phone)) for phone in (PHONE, stranger, nothing)]
    assert len(work[0]) == 2
    assert work[0] == work[1] == work[2]


def test_nobody_learns_by_asking_for_a_code_whose_number_is_known(api, texts):
    factories.person(phone=PHONE)
    work = [work_of(partial(ask, api, phone)) for phone in (PHONE, "13912345679")]
    assert len(texts()) == len(work[0]) == 2
    assert work[0] == work[1]


def test_who_only_guesses_is_stopped_and_others_are_not(api):
    """Five wrong codes kill anybody's code: nobody shall do that to many."""
    guesser, other = api(), api()
    guesser.client.defaults["REMOTE_ADDR"] = "127.7.7.7"
    for number in range(250):
        assert guesser.post("sms/verify-phone", phoneNo=f"137000{number:05d}", verifyCode="111111")["errorcode"] == 401
    refused(guesser.post("sms/verify-phone", phoneNo=PHONE, verifyCode="111111"), 429, "操作太频繁")
    refused(sign_in(lambda: guesser, "111111"), 429, "操作太频繁")
    refused(sign_in(lambda: other, "111111"), 401, "验证码错误")


def test_numbers_are_not_kept_longer_than_they_count(api):
    ok(ask(api))
    assert sms_codes.forget(timezone.now() + timedelta(days=1)) == 0
    assert sms_codes.forget(timezone.now() + timedelta(days=2, seconds=1)) == 1
    assert PhoneCode.objects.count() == 0
