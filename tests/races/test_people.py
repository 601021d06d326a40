"""Signing in, renaming, following and asking for codes from many phones at once."""

import json
from datetime import date

import pytest

from live.models import Live
from payment import ledger
from payment.models import Transfer
from payment.reconciliation import breaches
from tests import factories
from tests.conftest import Api
from tests.races.crowd import at_once, codes, same_phone
from users.models import Device, Follow, PhoneCode, Report, Session, User
from users.services import kinds, relations

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "13912345678"


@pytest.fixture
def texts(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    outbox = tmp_path / "outbox" / "sms.jsonl"
    return lambda: [json.loads(line) for line in outbox.read_text().splitlines()] if outbox.exists() else []


def ask():
    return Api().post("user/get-sms-verification-code", phoneNo=PHONE)


def sign_in(code, address="127.0.0.1"):
    phone = Api()
    phone.client.defaults["REMOTE_ADDR"] = address
    return lambda: phone.post("user/sign-in-cl-by-phone", phoneNo=PHONE, verifyCode=code)


@pytest.mark.parametrize("known", [True, False])
def test_20_requests_for_a_code_are_one_text_message(texts, settings, known):
    if known:
        assert ask()["errorcode"] == 0
        PhoneCode.objects.update(sent_at=PhoneCode.objects.get().sent_at.replace(year=2020))
    answers = at_once([ask] * 20)
    assert codes(answers) == {0: 1, 400: 19}
    assert len(texts()) == 1 + known
    assert codes(at_once([sign_in(texts()[-1]["code"])])) == {0: 1}


def test_the_same_sign_in_ten_times_at_once_is_one_person_with_one_living_token(texts):
    """A phone that repeats itself (D9)."""
    ask()
    answers = at_once([sign_in(texts()[0]["code"])] * 10)
    assert codes(answers) == {0: 10}
    assert (User.objects.count(), Session.objects.count()) == (1, 1)


def test_a_thousand_guesses_at_once_are_five(texts):
    """From many addresses. The right code comes as the six hundredth of them: long dead."""
    ask()
    right = texts()[0]["code"]
    guesses = [f"{n:06d}" for n in range(100_000, 101_001) if f"{n:06d}" != right][:1000]
    guesses[600] = right
    guessing = [sign_in(code, f"127.0.1.{n % 8}") for n, code in enumerate(guesses)]
    assert codes(at_once(guessing, together=32)) == {401: 1000}
    assert PhoneCode.objects.get().tries_left == 0
    assert User.objects.count() == 0


def test_100_requests_at_once_for_one_number_are_one_text_message(texts):
    assert codes(at_once([ask] * 100, together=32)) == {0: 1, 400: 99}
    assert len(texts()) == 1


@pytest.mark.parametrize("path", ["user/get-sms-verification-code", "sms/register-phone"])
def test_100_numbers_at_once_from_one_address_are_50_text_messages(texts, path):
    """Under both names of the call together."""

    def asking(number):
        return lambda: Api().post(path if number % 2 else "sms/register-phone", phoneNo=f"137000000{number:02d}")

    assert codes(at_once([asking(number) for number in range(100)], together=32)) == {0: 50, 400: 50}
    assert len(texts()) == 50


def test_ten_a_day_hold_however_many_ask_at_once(texts, settings):
    settings.SMS_RESEND_SECONDS = -60  # nobody waits, not even for who asked a moment later and was first
    assert codes(at_once([ask] * 40, together=32)) == {0: 10, 400: 30}
    assert len(texts()) == 10


def test_ten_guesses_at_once_are_five(texts):
    ask()
    right = texts()[0]["code"]
    wrong = [f"{(int(right) + n) % 1_000_000:06d}" for n in range(1, 11)]
    assert codes(at_once([sign_in(code) for code in wrong])) == {401: 10}
    assert PhoneCode.objects.get().tries_left == 0
    assert codes(at_once([sign_in(right)])) == {401: 1}


@pytest.mark.parametrize("known", [True, False])
def test_parallel_sign_ins_leave_exactly_one_living_session(monkeypatch, known):
    """Two phones with a good code each, at the same moment: the later one ends the earlier."""
    monkeypatch.setattr("users.services.sms_codes.spend_code", lambda *_, **__: None)
    if known:
        factories.token(factories.person(phone=PHONE))
    answers = at_once([sign_in("000000")] * 8)
    assert codes(answers) == {0: 8}
    assert (User.objects.count(), Session.objects.count()) == (1, 1)
    phones = []
    for answer in answers:
        phone = Api()
        phone.token = answer["token"]
        phones.append(phone)
    assert codes(phone.get("user/info") for phone in phones) == {0: 1, 720: 7}


def test_one_paid_renaming_sent_twice_at_once_costs_ten_gold(api):
    user = factories.person("一", gold=100, rename_count=1)
    phone = api(user)

    def rename():
        said = {"displayName": "二", "gender": "Female", "birthDay": "1990-01-01"}
        return same_phone(phone).post("user/update", **said)

    assert codes(at_once([rename] * 8)) == {0: 8}
    user.refresh_from_db()
    assert (user.display_name, user.rename_count, ledger.balances(user.pk).gold) == ("二", 2, 90)
    assert Transfer.objects.filter(reason="rename").count() == 1
    assert list(breaches()) == []


def test_different_renamings_at_once_cost_ten_gold_each_and_never_more_than_there_is(api):
    user = factories.person("一", gold=25, rename_count=1)
    phone = api(user)

    def rename(name):
        said = {"displayName": name, "gender": "Female", "birthDay": "1990-01-01"}
        return lambda: same_phone(phone).post("user/update", **said)

    answers = at_once([rename(f"名{n}") for n in range(6)])
    assert codes(answers) == {0: 2, 740: 4}
    user.refresh_from_db()
    assert (user.rename_count, ledger.balances(user.pk).gold) == (3, 5)
    assert user.display_name in {f"名{n}" for n, answer in enumerate(answers) if answer["errorcode"] == 0}
    assert list(breaches()) == []


def test_the_free_renaming_is_free_once(api):
    user = factories.person("一")
    phone = api(user)

    def rename(name):
        said = {"displayName": name, "gender": "Female", "birthDay": "1990-01-01"}
        return lambda: same_phone(phone).post("user/update", **said)

    assert codes(at_once([rename(f"名{n}") for n in range(5)])) == {0: 1, 740: 4}
    user.refresh_from_db()
    assert user.rename_count == 1


def test_one_follow_sent_20_times_at_once_counts_one(api):
    me, her = factories.person(), factories.person()
    phone = api(me)
    answers = at_once([lambda: same_phone(phone).post("user/follow", userId=her.pk)] * 20)
    assert codes(answers) == {0: 20}
    me.refresh_from_db()
    her.refresh_from_db()
    assert (me.following_count, her.follower_count, Follow.objects.count()) == (1, 1, 1)


def test_counters_agree_with_the_rows_after_following_unfollowing_and_blocking_in_all_directions(api):
    people = [factories.person() for _ in range(4)]
    phones = {person.pk: api(person) for person in people}

    def call(path, one, other):
        return lambda: same_phone(phones[one.pk]).post(f"user/{path}", userId=other.pk)

    paths = ["follow", "follow", "unfollow", "follow", "block-user"]
    deeds = [call(path, one, other) for path in paths for one in people for other in people if one != other]
    assert set(codes(at_once(deeds))) <= {0, 710}
    for person in people:
        person.refresh_from_db()
        assert (person.following_count, person.follower_count) == (person.following.count(), person.followers.count())
        assert person.following_count == 0  # everybody blocked everybody in the end


def test_totals_agree_with_the_rows_whatever_people_do_to_each_other_at_once(api):
    people = [factories.person() for _ in range(4)]
    phones = {person.pk: api(person) for person in people}

    def call(path, one, other):
        return lambda: same_phone(phones[one.pk]).post(f"user/{path}", userId=other.pk)

    paths = ["block-user", "unblock-user", "follow", "block-user", "unblock-user", "follow", "unfollow"]
    deeds = [call(path, one, other) for path in paths for one in people for other in people if one != other]
    leaving = lambda: relations.end_all(people[0])  # noqa: E731
    assert set(codes(answer for answer in at_once([*deeds, leaving, *deeds, leaving]) if answer)) <= {0, 710}
    assert relations.recount() == []


def test_counting_anew_while_people_follow_counts_nobody_twice(api):
    star = factories.person(follower_count=50)
    phones = [api(factories.person()) for _ in range(12)]
    follows = [lambda phone=phone: phone.post("user/follow", userId=star.pk) for phone in phones]
    at_once([deed for follow in follows for deed in (relations.recount, follow)])
    star.refresh_from_db()
    assert star.follower_count == 12
    assert relations.recount() == []


def test_people_of_a_kind_are_counted_right_while_they_come_and_are_folded(api):
    def come():
        factories.person()

    at_once([come, kinds.fold, kinds.recount] * 8)
    answer = api(factories.person()).get("user/list-user-byType", type="Normal", limit=1)
    assert answer["totalSize"] == 9
    assert kinds.recount() == 0


def test_one_report_sent_20_times_at_once_is_one(api):
    me, her = factories.person(), factories.person()
    phone = api(me)
    send = lambda: same_phone(phone).post("user/report-user", userId=her.pk, reportType=3)  # noqa: E731
    assert codes(at_once([send] * 20)) == {0: 20}
    assert Report.objects.count() == 1


def test_one_device_registered_by_two_people_at_once_belongs_to_one(api):
    phones = [api(factories.person()) for _ in range(2)]

    def register(phone):
        said = {"apnsType": "getui", "apnsToken": "c1", "deveiceType": "android"}
        return lambda: same_phone(phone).post("user/push-device-info", **said)

    assert codes(at_once([register(phone) for phone in phones] * 5)) == {0: 10}
    assert Device.objects.count() == 1


def test_who_grows_younger_while_opening_a_live_has_none_in_the_end(api):
    for _ in range(6):
        user = factories.person("一")
        phone = api(user)
        young = {"displayName": "一", "gender": "Female", "birthDay": "2015-05-05"}
        opened, updated = at_once([
            lambda: same_phone(phone).post("live/create-live", title="t"),  # noqa: B023  (over in this turn)
            lambda: same_phone(phone).post("user/update", **young),  # noqa: B023
        ])  # fmt: skip
        assert updated["errorcode"] == 0
        assert opened["errorcode"] in {0, 501}
        user.refresh_from_db()
        assert user.birthday == date(2015, 5, 5)
        assert not Live.objects.open().filter(owner=user).exists()
