"""SMS codes: D15."""

import re
from datetime import datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from tests.answers import ok, refused
from users.models import PhoneCode, Session, User

pytestmark = pytest.mark.django_db
PHONE = "13912345678"


def ask(api, phone=PHONE):
    return api().post("user/get-sms-verification-code", phoneNo=phone)


def sign_in(api, code, phone=PHONE):
    return api().post("user/sign-in-cl-by-phone", phoneNo=phone, verifyCode=code)


def back(**by):
    """As if the last code had been sent earlier."""
    PhoneCode.objects.update(sent_at=F("sent_at") - timedelta(**by), expires_at=F("expires_at") - timedelta(**by))


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
    ok(sign_in(api, code))
    refused(sign_in(api, code), 401, "验证码错误")
    assert Session.objects.count() == 1


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

    def broken(*_):
        raise ConnectionError

    with monkeypatch.context() as broker:
        broker.setattr("users.tasks.send_sms_code.delay", broken)
        assert ask(api)["errorcode"] == -1
    assert PhoneCode.objects.count() == 0
    ok(ask(api))
